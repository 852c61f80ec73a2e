"""Every route of the edge, in order of precedence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove_gateway_http.routes import api

if TYPE_CHECKING:
    from perijove_gateway_http.routing import Route

ROUTES: tuple[Route, ...] = (*api.ROUTES,)
