"""`api/contents/{path}/checkpoints`: earlier versions of an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove.contents.v1 import contents_pb2 as pb

from perijove_gateway_http.keys import PARAMS, STUBS
from perijove_gateway_http.models import checkpoint_model
from perijove_gateway_http.responses import json_response, location, no_content
from perijove_gateway_http.routing import Route
from perijove_gateway_http.versions import required_hash

if TYPE_CHECKING:
    from aiohttp import web

_ALL = "api/contents/{path...}/checkpoints"
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
    where = location(request, "api/contents", path, "checkpoints", model["id"])
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


ROUTES = (
    Route("GET", _ALL, list_all),
    Route("POST", _ALL, create),
    Route("POST", _ONE, restore),
    Route("DELETE", _ONE, delete),
)
