"""`nbconvert`: notebooks as pages, scripts and texts.

What a notebook turns into may hold its scripts: they run in a sandbox, without
the origin of the server.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import quote

import grpc
import msgspec
from aiohttp import web
from perijove.contents.v1 import contents_pb2, conversion_pb2

from perijove_gateway_http import streaming
from perijove_gateway_http.bodies import read_json
from perijove_gateway_http.keys import CALLER, ORIGINS, PARAMS, STUBS
from perijove_gateway_http.problems import Problem, reason_of
from perijove_gateway_http.responses import http_date, json_response, location, redirect
from perijove_gateway_http.routing import Guard, Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Any

    from perijove.contents.v1.conversion_pb2 import ConvertContentResponse, ConvertNotebookResponse

    Response = ConvertContentResponse | ConvertNotebookResponse

_FORMAT = r"nbconvert/{format:\w+}"
_NO_STORE = "no-store, no-cache, must-revalidate, max-age=0"
_CLIENT_IS_GONE = 499
"""Status for the log alone."""
_LOOK_S = 0.5
"""How often is looked whether the client still waits."""


class _Model(msgspec.Struct):
    content: msgspec.Raw
    name: str = ""


async def list_exporters(request: web.Request) -> web.Response:
    """GET api/nbconvert: what notebooks can be converted to here."""
    reply = await request.app[STUBS].conversion.ListExporters(conversion_pb2.ListExportersRequest())
    return json_response(
        {
            exporter.name: {"output_mimetype": exporter.output_mime_type}
            for exporter in reply.exporters
        }
    )


async def get(request: web.Request) -> web.StreamResponse:
    """GET nbconvert/{format}/{path}: a notebook of the tree in another format."""
    await request.app[ORIGINS].check_read_xsrf(request, request[CALLER])
    params, query = request[PARAMS], request.query
    call = request.app[STUBS].conversion.ConvertNotebook(
        conversion_pb2.ConvertNotebookRequest(
            exporter=params["format"],
            path=params["path"],
            sanitize_html=query.get("sanitize_html", "").lower() == "true",
        )
    )
    is_download = query.get("download", "").lower() == "true"
    try:
        return await _answer(request, call, {"Cache-Control": _NO_STORE}, is_download=is_download)
    except grpc.aio.AioRpcError as error:
        if reason_of(error) == "BAD_TYPE":
            return await _lead_to_entry(request, params["path"])
        raise


async def convert(request: web.Request) -> web.StreamResponse:
    """POST nbconvert/{format}: a notebook that is sent, in another format."""
    model = await read_json(request, _Model)
    if model is None:
        raise Problem(400, "JSON body missing")
    call = request.app[STUBS].conversion.ConvertContent(
        _requests(request[PARAMS]["format"], model.name, memoryview(model.content))
    )
    return await _answer(request, call, {}, is_download=False)


def _requests(
    exporter: str, name: str, content: memoryview
) -> Iterator[conversion_pb2.ConvertContentRequest]:
    header = conversion_pb2.ConvertContentHeader(exporter=exporter, name=name)
    yield conversion_pb2.ConvertContentRequest(header=header)
    for piece in streaming.pieces(content):
        yield conversion_pb2.ConvertContentRequest(chunk=piece)


async def _answer(
    request: web.Request,
    call: Any,  # noqa: ANN401 - of either kind of stream
    headers: dict[str, str],
    *,
    is_download: bool,
) -> web.StreamResponse:
    responses = aiter(call)
    try:
        first = await _first(request, responses)
        if first is None:
            return web.Response(status=_CLIENT_IS_GONE)
        made: conversion_pb2.Conversion = first.header
        suffix = "" if made.is_archive else "; charset=utf-8"
        headers |= {
            "Content-Type": made.mime_type + suffix,
            "Content-Length": str(made.size_bytes),
        }
        if is_download or made.is_archive:
            headers["Content-Disposition"] = f"attachment; filename*=utf-8''{quote(made.file_name)}"
        if made.HasField("update_time"):
            headers["Last-Modified"] = http_date(made.update_time.seconds)
        return await streaming.send(request, _chunks(first, responses), headers)
    except grpc.aio.AioRpcError as error:
        if reason_of(error) == "CONVERSION_FAILED":
            raise Problem(500, f"nbconvert failed: {error.details()}") from None
        raise
    finally:
        call.cancel()


async def _first(request: web.Request, responses: AsyncIterator[Response]) -> Response | None:
    """Return the first message; None if the client goes away before: that may take a minute."""
    waiting = asyncio.ensure_future(anext(responses))
    try:
        while not waiting.done():
            await asyncio.wait((waiting,), timeout=_LOOK_S)
            if request.transport is None:
                return None
        return waiting.result()
    finally:
        waiting.cancel()


async def _chunks(first: Response, rest: AsyncIterator[Response]) -> AsyncIterator[bytes]:
    yield first.chunk
    async for response in rest:
        yield response.chunk


async def _lead_to_entry(request: web.Request, path: str) -> web.Response:
    """Send the browser to where something is shown that is no notebook."""
    reply = await request.app[STUBS].contents.GetEntry(
        contents_pb2.GetEntryRequest(path=path, untold=True)
    )
    is_directory = reply.entry.type == contents_pb2.ENTRY_TYPE_DIRECTORY
    return redirect(location(request, "lab/tree" if is_directory else "files", reply.entry.path))


ROUTES = (
    Route("GET", "api/nbconvert", list_exporters),
    Route("POST", _FORMAT, convert, Guard.PAGE, in_sandbox=True),
    Route("GET", _FORMAT + "/{path...}", get, Guard.PAGE, in_sandbox=True),
)
