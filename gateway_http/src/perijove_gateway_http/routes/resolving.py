"""`api/resolvePath`: where a path that some output names is to be found."""

from __future__ import annotations

import posixpath
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
_WORKING_DIRECTORY = "perijove.working_directory"
"""Label of a kernel that says where it was started."""


async def resolve(request: web.Request) -> web.Response:
    """GET api/resolvePath: the API path of what exists, and nothing of what does not.

    Of what a kernel names, files of the tree are found, from where the kernel was
    started: what else is on the storage of runners is not for the edge to see.
    """
    asked = request.query.getall("path", [None])[-1]
    if asked is None:
        raise Problem(400, "Missing argument path")
    tree = await request.app[STUBS].contents.GetKernelPath(contents_pb2.GetKernelPathRequest())
    root = tree.document_location.rstrip("/")
    if asked.startswith("~/") and tree.home_directory:
        asked = tree.home_directory.rstrip("/") + asked[1:]
    # Tracebacks name files by their place on the storage that kernels see.
    below = _below(root, asked)
    path = await _existing(request, asked if below is None else below)
    answer: dict[str, list[dict[str, str]]] = {
        "resolved": [] if path is None else [{"scope": "server", "path": path}]
    }
    if kernel_id := request.query.get("kernel"):
        directory = await _directory_of(request, kernel_id)
        if directory is None:
            reason = f"Kernel {kernel_id} could not be found"
            answer["unresolved"] = [{"scope": "kernel", "reason": reason}]
        elif place := await _seen_by_kernel(request, root, posixpath.join(directory, asked)):
            answer["resolved"].append({"scope": "kernel", "path": place})
    return json_response(answer)


async def _seen_by_kernel(request: web.Request, root: str, location: str) -> str | None:
    location = posixpath.normpath(location)
    below = _below(root, location)
    if below is None or await _existing(request, below) is None:
        return None
    return location


def _below(root: str, location: str) -> str | None:
    """Return the API path of a location; None if it is not in the tree."""
    if not (location + "/").startswith(root + "/"):
        return None
    return location.removeprefix(root).strip("/")


async def _existing(request: web.Request, path: str) -> str | None:
    try:
        reply = await request.app[STUBS].contents.GetEntry(
            contents_pb2.GetEntryRequest(path=path.strip("/"), untold=True)
        )
    except grpc.aio.AioRpcError as error:
        if error.code() in _ABSENT:
            return None
        raise
    return reply.entry.path


async def _directory_of(request: web.Request, kernel_id: str) -> str | None:
    """Return where a kernel was started, empty if that is not known; None if there is none."""
    try:
        reply = await request.app[STUBS].kernels.GetKernel(
            kernels_pb2.GetKernelRequest(kernel_id=kernel_id)
        )
    except grpc.aio.AioRpcError as error:
        if error.code() in _ABSENT:
            return None
        raise
    return reply.kernel.labels.get(_WORKING_DIRECTORY, "")


ROUTES = (Route("GET", "api/resolvePath", resolve, counts_as_activity=False),)
