"""Files that pages load: the bundle, prebuilt extensions, icons."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from perijove_gateway_http.files import IMMUTABLE, REVALIDATE, file_response, find_file
from perijove_gateway_http.keys import FRONTEND, PARAMS
from perijove_gateway_http.problems import Problem
from perijove_gateway_http.routing import Guard, Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perijove_gateway_http.routing import Handler


async def get_bundle_file(request: web.Request) -> web.StreamResponse:
    """GET static/lab/{path}: a part of the application, whose name holds its hash."""
    installation = request.app[FRONTEND].installation
    return await file_response([installation.static_dir], request[PARAMS]["path"], IMMUTABLE)


async def get_extension_file(request: web.Request) -> web.StreamResponse:
    """GET lab/extensions/{path}: a part of a prebuilt extension."""
    installation = request.app[FRONTEND].installation
    # What loads it puts the file's hash there, except in the first file.
    cache = IMMUTABLE if "v" in request.query else REVALIDATE
    return await file_response(installation.labextensions_path, request[PARAMS]["path"], cache)


async def get_favicon(request: web.Request) -> web.StreamResponse:
    """GET static/favicons/{name}: an icon that says what a page is doing."""
    installation = request.app[FRONTEND].installation
    return await file_response([installation.favicons_dir], request[PARAMS]["name"], REVALIDATE)


async def get_default_favicon(request: web.Request) -> web.StreamResponse:
    """GET favicon.ico: what browsers ask for where a page names no icon."""
    installation = request.app[FRONTEND].installation
    return await file_response([installation.favicons_dir], "favicon.ico", REVALIDATE)


async def get_custom_css(request: web.Request) -> web.StreamResponse:
    """GET custom/custom.css: the user's own style; empty if there is none."""
    roots = [request.app[FRONTEND].installation.custom_dir]
    if await asyncio.to_thread(find_file, roots, "custom.css"):
        return await file_response(roots, "custom.css", REVALIDATE)
    # Pages ask for it in any case, and would report it missing.
    headers = {"Content-Type": "text/css", "Cache-Control": REVALIDATE}
    return web.Response(body=b"", headers=headers)


async def get_custom_file(request: web.Request) -> web.StreamResponse:
    """GET custom/{path}: what the user's own style refers to, which are no scripts."""
    path = request[PARAMS]["path"]
    if path.endswith((".js", ".mjs")):
        raise Problem(404)
    return await file_response([request.app[FRONTEND].installation.custom_dir], path, REVALIDATE)


def _readable(pattern: str, handler: Handler, guard: Guard = Guard.PUBLIC) -> Iterator[Route]:
    for method in ("GET", "HEAD"):
        yield Route(method, pattern, handler, guard)


ROUTES = (
    *_readable("static/lab/{path*}", get_bundle_file),
    *_readable("static/favicons/{name}", get_favicon),
    *_readable("favicon.ico", get_default_favicon),
    *_readable("lab/extensions/{path*}", get_extension_file),
    *_readable("custom/custom.css", get_custom_css, Guard.PAGE),
    *_readable("custom/{path*}", get_custom_file, Guard.PAGE),
)
