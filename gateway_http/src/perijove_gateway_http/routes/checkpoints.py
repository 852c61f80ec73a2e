"""`api/contents/{path}/checkpoints`: earlier versions of an entry.

A directory has no versions: there the address is that of an entry which is
called `checkpoints`, as the directories of machine learning often are, or of
what lies in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
from perijove.contents.v1 import contents_pb2 as pb

from perijove_gateway_http.keys import PARAMS, STUBS
from perijove_gateway_http.models import checkpoint_model
from perijove_gateway_http.problems import Problem
from perijove_gateway_http.responses import json_response, location, no_content
from perijove_gateway_http.routes import contents
from perijove_gateway_http.routing import Route
from perijove_gateway_http.versions import required_hash

if TYPE_CHECKING:
    from aiohttp import web

    from perijove_gateway_http.routing import Handler

_NAME = "checkpoints"
_ALL = f"api/contents/{{path...}}/{_NAME}"
_ONE = _ALL + r"/{checkpoint_id:[\w-]+}"


async def list_all(request: web.Request) -> web.Response:
    """GET .../checkpoints: those of an entry; none if there is no such entry."""
    reply = await request.app[STUBS].contents.ListCheckpoints(
        pb.ListCheckpointsRequest(path=request[PARAMS]["path"])
    )
    return json_response([checkpoint_model(checkpoint) for checkpoint in reply.checkpoints])


async def create(request: web.Request) -> web.Response:
    """POST .../checkpoints: save the present content as one."""
    path = request[PARAMS]["path"]
    reply = await request.app[STUBS].contents.CreateCheckpoint(
        pb.CreateCheckpointRequest(path=path)
    )
    model = checkpoint_model(reply.checkpoint)
    where = location(request, "api/contents", path, _NAME, model["id"])
    return json_response(model, 201, {"Location": where})


async def restore(request: web.Request) -> web.Response:
    """POST .../checkpoints/{id}: go back to it."""
    params = request[PARAMS]
    await request.app[STUBS].contents.RestoreCheckpoint(
        pb.RestoreCheckpointRequest(
            path=params["path"],
            checkpoint_id=params["checkpoint_id"],
            if_hash=required_hash(request),
        )
    )
    return no_content()


async def delete(request: web.Request) -> web.Response:
    """DELETE .../checkpoints/{id}."""
    params = request[PARAMS]
    await request.app[STUBS].contents.DeleteCheckpoint(
        pb.DeleteCheckpointRequest(path=params["path"], checkpoint_id=params["checkpoint_id"])
    )
    return no_content()


async def refuse(request: web.Request) -> web.Response:
    """Any other method."""
    del request
    raise Problem(405)


def _unless_in_directory(of_checkpoints: Handler, of_contents: Handler) -> Handler:
    async def choose(request: web.Request) -> web.StreamResponse:
        params = request[PARAMS]
        if not await _is_directory(request, params["path"]):
            return await of_checkpoints(request)
        parts = (params["path"], _NAME, params.get("checkpoint_id", ""))
        request[PARAMS] = {"path": "/".join(part for part in parts if part)}
        return await of_contents(request)

    return choose


async def _is_directory(request: web.Request, path: str) -> bool:
    try:
        reply = await request.app[STUBS].contents.GetEntry(
            pb.GetEntryRequest(path=path, untold=True)
        )
    except grpc.aio.AioRpcError as error:
        if error.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT):
            return False
        raise
    return reply.entry.type == pb.ENTRY_TYPE_DIRECTORY


_OF_ALL: dict[str, Handler] = {"GET": list_all, "POST": create}
_OF_ONE: dict[str, Handler] = {"POST": restore, "DELETE": delete}

ROUTES = tuple(
    Route(route.method, pattern, _unless_in_directory(own.get(route.method, refuse), route.handler))
    for pattern, own in ((_ALL, _OF_ALL), (_ONE, _OF_ONE))
    for route in contents.ROUTES
)
