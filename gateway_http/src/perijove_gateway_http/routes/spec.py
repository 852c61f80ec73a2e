"""`api/spec.yaml`, also as `api/swagger.yaml` and `.json`: what is served, as OpenAPI."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from perijove_gateway_http.keys import SETTINGS, TABLE
from perijove_gateway_http.responses import json_response
from perijove_gateway_http.routes.api import API_VERSION
from perijove_gateway_http.routing import Guard, Route
from perijove_gateway_http.spec.document import as_yaml, document


async def get(request: web.Request) -> web.Response:
    """GET api/spec.yaml: the document, made from the routes of this process."""
    text = as_yaml(_document(request))
    return web.Response(body=text.encode(), headers={"Content-Type": "text/x-yaml"})


async def get_json(request: web.Request) -> web.Response:
    """GET api/swagger.json: the same; the names are Kernel Gateway's."""
    return json_response(_document(request))


def _document(request: web.Request) -> dict[str, Any]:
    rows, base_url = request.app[TABLE].rows, request.app[SETTINGS].base_url
    return document(rows, base_url, API_VERSION)


ROUTES = (
    Route("GET", "api/spec.yaml", get, Guard.PAGE),
    Route("GET", "api/swagger.yaml", get),
    Route("GET", "api/swagger.json", get_json),
)
