"""The stream of events for front ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from perijove_gateway_http.keys import SOCKETS
from perijove_gateway_http.routing import Guard, Route

if TYPE_CHECKING:
    from aiohttp.http_websocket import WSMessage

PING_INTERVAL_S = 30.0
"""How often a client is asked whether it is still there; it has half of that to answer."""

MAX_MESSAGE_BYTES = 64 * 1024
"""Largest message a client may send, all of which are ignored."""


async def subscribe(request: web.Request) -> web.WebSocketResponse:
    """GET api/events/subscribe: send every event until the client goes.

    Nothing emits events yet, so the socket is only kept open: front ends would
    otherwise try again and again.
    """
    websocket = web.WebSocketResponse(
        heartbeat=PING_INTERVAL_S, max_msg_size=MAX_MESSAGE_BYTES, compress=False
    )
    await websocket.prepare(request)
    sockets = request.app[SOCKETS]
    sockets.add(websocket)
    try:
        while not _is_end(await websocket.receive()):
            pass
    finally:
        sockets.discard(websocket)
    return websocket


def _is_end(message: WSMessage) -> bool:
    ends = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)
    return message.type in ends


ROUTES = (
    Route("GET", "api/events/subscribe", subscribe, Guard.WEBSOCKET, counts_as_activity=False),
)
