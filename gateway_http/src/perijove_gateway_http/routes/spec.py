"""`api/spec.yaml`: what is served, as OpenAPI."""

from __future__ import annotations

from aiohttp import web

from perijove_gateway_http.keys import SETTINGS, TABLE
from perijove_gateway_http.routes.api import API_VERSION
from perijove_gateway_http.routing import Guard, Route
from perijove_gateway_http.spec.document import as_yaml, document


async def get(request: web.Request) -> web.Response:
    """GET api/spec.yaml: the document, made from the routes of this process."""
    rows, base_url = request.app[TABLE].rows, request.app[SETTINGS].base_url
    text = as_yaml(document(rows, base_url, API_VERSION))
    return web.Response(body=text.encode(), headers={"Content-Type": "text/x-yaml"})


ROUTES = (Route("GET", "api/spec.yaml", get, Guard.PAGE),)
