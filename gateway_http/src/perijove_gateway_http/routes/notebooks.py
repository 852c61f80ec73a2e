"""`api/notebooks`: where contents were once, for clients that have not heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove_gateway_http.keys import PARAMS
from perijove_gateway_http.responses import location, redirect
from perijove_gateway_http.routing import Guard, Route

if TYPE_CHECKING:
    from aiohttp import web


async def moved(request: web.Request) -> web.Response:
    """Any method on api/notebooks/{path}: look for it in api/contents."""
    return redirect(location(request, "api/contents", request[PARAMS].get("path", "")))


ROUTES = tuple(
    Route(method, pattern, moved, Guard.PUBLIC)
    for pattern in ("api/notebooks", "api/notebooks/{path...}")
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
)
