"""`api/terminals`, and the WebSocket of a terminal."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web
from perijove.contents.v1 import contents_pb2
from perijove.terminals.v1 import terminals_pb2 as pb

from perijove_gateway_http.bodies import read_json
from perijove_gateway_http.keys import ACTIVITY, FORWARDING, PARAMS, SETTINGS, SOCKETS, STUBS
from perijove_gateway_http.models import timestamp
from perijove_gateway_http.problems import Problem
from perijove_gateway_http.responses import json_response, no_content
from perijove_gateway_http.routes.channels import check_upgrade
from perijove_gateway_http.routing import Guard, Route
from perijove_gateway_http.terminals.socket import MAX_INCOMING_BYTES, TerminalSocket
from perijove_gateway_http.terminals.upstream import TerminalUpstream

if TYPE_CHECKING:
    from collections.abc import Sequence

_ONE = r"api/terminals/{name:\w+}"


class _Create(msgspec.Struct):
    cwd: str | None = None
    name: str | None = None
    shell_command: list[str] | None = None


async def list_all(request: web.Request) -> web.Response:
    """GET api/terminals: those whose shell runs, in the order they were started."""
    models = []
    asked = pb.ListTerminalsRequest()
    while True:
        reply = await request.app[STUBS].terminals.ListTerminals(asked)
        models += [_model(terminal) for terminal in reply.terminals]
        asked.page_token = reply.next_page_token
        if not asked.page_token:
            return json_response(models)


async def create(request: web.Request) -> web.Response:
    """POST api/terminals: start one, in `cwd` if that is there; 200, as clients expect."""
    body = await read_json(request, _Create) or _Create()
    stubs = request.app[STUBS]
    root = await stubs.contents.GetKernelPath(contents_pb2.GetKernelPathRequest())
    server_root = request.app[SETTINGS].server_root or root.working_directory
    base_url = request.app[SETTINGS].base_url
    scheme = request.app[FORWARDING].scheme(request)
    reply = await stubs.terminals.CreateTerminal(
        pb.CreateTerminalRequest(
            name=body.name or "",
            working_directories=_places(root.working_directory, body.cwd),
            command=body.shell_command or (),
            environment={
                "JUPYTER_SERVER_ROOT": server_root,
                "JUPYTER_SERVER_URL": f"{scheme}://{request.host}{base_url}",
            },
        )
    )
    return json_response(_model(reply.terminal))


async def get(request: web.Request) -> web.Response:
    """GET api/terminals/{name}."""
    return json_response(_model(await _find(request)))


async def delete(request: web.Request) -> web.Response:
    """DELETE api/terminals/{name}: answer once it is gone."""
    await request.app[STUBS].terminals.DeleteTerminal(
        pb.DeleteTerminalRequest(name=request[PARAMS]["name"])
    )
    return no_content()


async def attach(request: web.Request) -> web.StreamResponse:
    """GET terminals/websocket/{name}: join a WebSocket to a terminal."""
    terminal = await _find(request)
    check_upgrade(request)
    if not terminal.runner_address:
        raise Problem(503, "the terminal's runner cannot be reached")
    stream = request.app[STUBS].attach(terminal.runner_id, terminal.runner_address)
    upstream = TerminalUpstream(stream, terminal.name)
    await upstream.attach()
    websocket = web.WebSocketResponse(
        compress=False, max_msg_size=MAX_INCOMING_BYTES, autoping=False, decode_text=False
    )
    sockets = request.app[SOCKETS]
    try:
        await websocket.prepare(request)
        sockets.add(websocket, request)
        await TerminalSocket(request, websocket, upstream, request.app[ACTIVITY].note).run()
    finally:
        sockets.discard(websocket)
        await upstream.close()
    return websocket


async def _find(request: web.Request) -> pb.Terminal:
    reply = await request.app[STUBS].terminals.GetTerminal(
        pb.GetTerminalRequest(name=request[PARAMS]["name"])
    )
    return reply.terminal


def _places(root: str, cwd: str | None) -> Sequence[str]:
    """Return where to start a shell, if the first one is not there in the second."""
    if not cwd:
        return (root,)
    if "\0" in cwd:
        raise Problem(400, "cwd is not a path")
    return (posixpath.join(root, cwd), root)


def _model(terminal: pb.Terminal) -> dict[str, str]:
    """Return the REST model: exactly two keys."""
    return {"name": terminal.name, "last_activity": timestamp(terminal.last_activity_time)}


ROUTES = (
    Route("GET", "api/terminals", list_all),
    Route("POST", "api/terminals", create),
    Route("GET", _ONE, get),
    Route("DELETE", _ONE, delete),
    Route(
        "GET",
        r"terminals/websocket/{name:\w+}",
        attach,
        Guard.WEBSOCKET,
        counts_as_activity=False,
    ),
)
