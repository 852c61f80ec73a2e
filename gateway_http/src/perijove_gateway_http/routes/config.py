"""`api/config/{section}`: small configuration objects of front ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
from perijove.contents.v1 import documents_pb2 as pb

from perijove_gateway_http.bodies import read_object
from perijove_gateway_http.keys import PARAMS, STUBS
from perijove_gateway_http.responses import json_bytes_response, no_content
from perijove_gateway_http.routing import Route

if TYPE_CHECKING:
    from aiohttp import web

_PATTERN = r"api/config/{section:\w+}"


async def get(request: web.Request) -> web.Response:
    """GET api/config/{section}: the merged object; empty if nobody configured it."""
    try:
        reply = await request.app[STUBS].documents.GetDocument(
            pb.GetDocumentRequest(
                collection=pb.COLLECTION_CONFIG, document_id=request[PARAMS]["section"]
            )
        )
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return json_bytes_response(b"{}")
        raise
    return json_bytes_response(reply.document.content)


async def put(request: web.Request) -> web.Response:
    """PUT api/config/{section}: replace what the user configured."""
    await request.app[STUBS].documents.PutDocument(
        pb.PutDocumentRequest(
            collection=pb.COLLECTION_CONFIG,
            document_id=request[PARAMS]["section"],
            content=await read_object(request),
        )
    )
    return no_content()


async def patch(request: web.Request) -> web.Response:
    """PATCH api/config/{section}: merge into it; `null` deletes a key.

    The answer is what a reader sees from now on: clients take it for that.
    """
    await request.app[STUBS].documents.MergeDocument(
        pb.MergeDocumentRequest(
            collection=pb.COLLECTION_CONFIG,
            document_id=request[PARAMS]["section"],
            patch=await read_object(request),
        )
    )
    return await get(request)


ROUTES = (
    Route("GET", _PATTERN, get),
    Route("PUT", _PATTERN, put),
    Route("PATCH", _PATTERN, patch),
)
