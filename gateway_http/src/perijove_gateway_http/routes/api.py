"""What the server says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove_gateway_http.responses import json_response
from perijove_gateway_http.routing import Guard, Route

if TYPE_CHECKING:
    from aiohttp import web

API_VERSION = "2.21.1"
"""The version of Jupyter Server whose API this is: what clients decide on."""


async def get_version(_request: web.Request) -> web.Response:
    """GET api: the version. Clients probe with it, without a credential."""
    return json_response({"version": API_VERSION})


ROUTES = (Route("GET", "api", get_version, Guard.PUBLIC_API),)
