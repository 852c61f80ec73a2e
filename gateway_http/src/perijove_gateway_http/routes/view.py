"""`view/{path}`: a page around a file, which runs without the origin of the server."""

from __future__ import annotations

import html

import grpc
from aiohttp import web
from perijove.contents.v1 import contents_pb2 as pb

from perijove_gateway_http.keys import PARAMS, STUBS
from perijove_gateway_http.problems import Problem, reason_of
from perijove_gateway_http.responses import location
from perijove_gateway_http.routing import Guard, Route

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{name}</title>
<style>html, body, iframe {{ border: 0; height: 100%; margin: 0; overflow: hidden; width: 100% }}
</style></head>
<body><iframe id="iframe" sandbox="allow-scripts" src="{source}"></iframe></body>
</html>
"""


async def get(request: web.Request) -> web.Response:
    """GET view/{path}: the page, if there is such a file."""
    # Opened, not only looked at: around what cannot be read there is no page.
    call = request.app[STUBS].contents.ReadContent(
        pb.ReadContentRequest(path=request[PARAMS]["path"], type=pb.ENTRY_TYPE_FILE)
    )
    try:
        entry = (await anext(aiter(call))).header.entry
    except grpc.aio.AioRpcError as error:
        if reason_of(error) == "BAD_TYPE":
            raise Problem(404, "only a file can be viewed") from None
        raise
    finally:
        call.cancel()
    page = _PAGE.format(
        name=html.escape(entry.path.rpartition("/")[2]),
        source=html.escape(location(request, "files", entry.path)),
    )
    headers = {"Content-Type": "text/html; charset=UTF-8"}
    return web.Response(body=page.encode(), headers=headers)


ROUTES = (Route("GET", "view/{path...}", get, Guard.PAGE),)
