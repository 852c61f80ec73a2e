"""The WebSocket of a kernel."""

from __future__ import annotations

import uuid

from aiohttp import web
from perijove.kernels.v1 import kernels_pb2

from perijove_gateway_http.channels import MAX_INCOMING_BYTES, ChannelsSocket
from perijove_gateway_http.framing import V1, LegacyFraming, V1Framing
from perijove_gateway_http.keys import ARRIVALS, PARAMS, SETTINGS, SOCKETS, STUBS
from perijove_gateway_http.problems import Problem
from perijove_gateway_http.routing import Guard, Route
from perijove_gateway_http.upstream import Upstream


async def channels(request: web.Request) -> web.StreamResponse:
    """GET api/kernels/{kernel_id}/channels: join a WebSocket to a kernel.

    The socket opens once nothing the kernel publishes can be missed. The query
    argument `session_id` names the client session: a client that comes back
    with it gets what it has missed, and a second socket with it ends the first.
    """
    check_upgrade(request)
    kernel_id = request[PARAMS]["kernel_id"]
    reply = await request.app[STUBS].kernels.GetKernel(
        kernels_pb2.GetKernelRequest(kernel_id=kernel_id)
    )
    if not reply.kernel.runner_address:
        raise Problem(503, "the kernel's runner cannot be reached")
    connect = request.app[STUBS].channels(reply.kernel.runner_id, reply.kernel.runner_address)
    session_id = request.query.get("session_id") or uuid.uuid4().hex
    with request.app[ARRIVALS].of(kernel_id) as arrivals:
        upstream = Upstream(connect, arrivals, kernel_id, session_id)
        return await join(request, upstream)


async def join(request: web.Request, upstream: Upstream) -> web.WebSocketResponse[bool]:
    """Attach to the kernel, answer the upgrade, and relay until either side ends.

    Raises:
        DomainError: whichever the runner raised; `Unavailable` if there is no answer.
    """
    await upstream.attach()
    spoken = (V1,) if request.app[SETTINGS].kernel_ws_protocol == V1 else ()
    is_v1 = bool(spoken) and V1 in _offered(request)
    websocket = web.WebSocketResponse(
        protocols=spoken,
        compress=False,
        max_msg_size=MAX_INCOMING_BYTES,
        autoping=False,
        decode_text=False,
    )
    sockets = request.app[SOCKETS]
    try:
        await websocket.prepare(request)
        sockets.add(websocket, request)
        framing = V1Framing() if is_v1 else LegacyFraming()
        await ChannelsSocket(request, websocket, upstream, framing).run()
    finally:
        sockets.discard(websocket)
        await upstream.close()
    return websocket


def check_upgrade(request: web.Request) -> None:
    """Require that a request asks for a WebSocket.

    Raises:
        Problem: 400 or 426 if it does not.
    """
    if request.headers.get("Upgrade", "").strip().lower() != "websocket":
        raise Problem(400, 'Can "Upgrade" only to "WebSocket".')
    if request.headers.get("Sec-WebSocket-Version", "") != "13":
        raise Problem(426, "Only version 13 of the WebSocket protocol is spoken.")


def _offered(request: web.Request) -> list[str]:
    header = ",".join(request.headers.getall("Sec-WebSocket-Protocol", []))
    return [offer.strip() for offer in header.split(",")]


ROUTES = (
    Route(
        "GET",
        r"api/kernels/{kernel_id:\w+-\w+-\w+-\w+-\w+}/channels",
        channels,
        Guard.WEBSOCKET,
        counts_as_activity=False,
    ),
)
