"""`api/resolvePath`: where a path that some output names is to be found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
from perijove.contents.v1 import contents_pb2
from perijove.kernels.v1 import kernels_pb2

from perijove_gateway_http.keys import STUBS
from perijove_gateway_http.problems import Problem
from perijove_gateway_http.responses import json_response
from perijove_gateway_http.routing import Route

if TYPE_CHECKING:
    from aiohttp import web

_ABSENT = (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT)


async def resolve(request: web.Request) -> web.Response:
    """GET api/resolvePath: the API path of what exists, and nothing of what does not."""
    asked = request.query.getall("path", [None])[-1]
    if asked is None:
        raise Problem(400, "Missing argument path")
    path = await _existing(request, asked)
    answer: dict[str, list[dict[str, str]]] = {
        "resolved": [] if path is None else [{"scope": "server", "path": path}]
    }
    if kernel_id := request.query.get("kernel"):
        answer["unresolved"] = [{"scope": "kernel", "reason": await _reason(request, kernel_id)}]
    return json_response(answer)


async def _existing(request: web.Request, asked: str) -> str | None:
    contents = request.app[STUBS].contents
    path = asked
    try:
        if asked.startswith(("/", "~/")):
            # Tracebacks name files by their place on the storage that kernels see.
            root = await contents.GetKernelPath(contents_pb2.GetKernelPathRequest())
            if root.home_directory and asked.startswith("~"):
                path = root.home_directory.rstrip("/") + asked[1:]
            path = (path + "/").removeprefix(root.document_location.rstrip("/") + "/")
        reply = await contents.GetEntry(contents_pb2.GetEntryRequest(path=path.strip("/")))
    except grpc.aio.AioRpcError as error:
        if error.code() in _ABSENT:
            return None
        raise
    return reply.entry.path


async def _reason(request: web.Request, kernel_id: str) -> str:
    try:
        await request.app[STUBS].kernels.GetKernel(
            kernels_pb2.GetKernelRequest(kernel_id=kernel_id)
        )
    except grpc.aio.AioRpcError as error:
        if error.code() in _ABSENT:
            return f"Kernel {kernel_id} could not be found"
        raise
    return "what only the kernel sees cannot be looked up"


ROUTES = (Route("GET", "api/resolvePath", resolve, counts_as_activity=False),)
