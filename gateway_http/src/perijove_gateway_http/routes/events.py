"""`api/events`: what happens, for front ends."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import grpc
import msgspec
from aiohttp import WSCloseCode, WSMsgType, web
from google.protobuf.timestamp_pb2 import Timestamp
from perijove.events.v1 import events_pb2 as pb

from perijove_gateway_http.bodies import parse, parse_given, read_at_most
from perijove_gateway_http.keys import EVENTS, SOCKETS, STUBS
from perijove_gateway_http.problems import Problem, problem_of, reason_of
from perijove_gateway_http.responses import no_content
from perijove_gateway_http.routes.channels import check_upgrade
from perijove_gateway_http.routing import Guard, Route

if TYPE_CHECKING:
    from aiohttp.http_websocket import WSMessage, WSMessageTextBytes

    from perijove_gateway_http.event_feed import Listener
    from perijove_gateway_http.keys import AnyWebSocket

PING_INTERVAL_S = 30.0
"""How often a client is asked whether it is still there; it has half of that to answer."""

MAX_MESSAGE_BYTES = 64 * 1024
"""Largest message a client may send, all of which are ignored."""

MAX_BODY_BYTES = 1024 * 1024
"""Largest request to publish an event; its data is less."""

GOODBYE_S = 2.0
"""How long a client that reads nothing is given to hear that it is closed."""

_REQUIRED = ("schema_id", "version", "data")
_TIMESTAMP = "%Y-%m-%dT%H:%M:%S%zZ"


async def publish(request: web.Request) -> web.Response:
    """POST api/events: publish one."""
    body = await parse_given(await read_at_most(request, MAX_BODY_BYTES), dict[str, msgspec.Raw])
    if body is None:
        raise Problem(400, "No JSON data provided")
    for name in _REQUIRED:
        if name not in body:
            raise Problem(400, f"Missing `{name}` in the JSON request body.")
    event = pb.Event(
        schema_id=await parse(body["schema_id"], str),
        version=str(await parse(body["version"], str | int)),  # type: ignore[arg-type]
        data=bytes(body["data"]),
        timestamp=await _timestamp(body.get("timestamp")),
    )
    # With an id it is published once, even if the call has to be made again.
    publish_request = pb.PublishEventsRequest(events=[event], request_id=uuid.uuid4().hex)
    try:
        await request.app[STUBS].events.PublishEvents(publish_request)
    except grpc.aio.AioRpcError as error:
        if reason_of(error) == "NO_SUCH_EVENT_SCHEMA":
            raise Problem(400, problem_of(error).message) from None
        raise
    return no_content()


async def subscribe(request: web.Request) -> web.WebSocketResponse:
    """GET api/events/subscribe: send every event until the client goes.

    A client that does not take what it is sent is told to come back. What it
    sends itself is ignored.
    """
    check_upgrade(request)
    websocket = web.WebSocketResponse(
        heartbeat=PING_INTERVAL_S, max_msg_size=MAX_MESSAGE_BYTES, compress=False
    )
    async with request.app[EVENTS].listen() as listener:
        await websocket.prepare(request)
        sockets = request.app[SOCKETS]
        sockets.add(websocket, request)
        try:
            await _tell(request, websocket, listener)
        finally:
            sockets.discard(websocket)
    return websocket


async def _tell(request: web.Request, websocket: AnyWebSocket, listener: Listener) -> None:
    ends = [
        asyncio.ensure_future(end)
        for end in (_until_gone(websocket), _send(websocket, listener), listener.failed())
    ]
    too_slow = ends[-1]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        is_slow = too_slow.done()
        for end in ends:
            end.cancel()
        await asyncio.gather(*ends, return_exceptions=True)
    if is_slow:
        await _send_away(request, websocket)


async def _send_away(request: web.Request, websocket: AnyWebSocket) -> None:
    try:
        async with asyncio.timeout(GOODBYE_S):
            await websocket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too slow for events")
    except TimeoutError:
        if request.transport:
            request.transport.abort()


async def _send(websocket: AnyWebSocket, listener: Listener) -> None:
    while True:
        await websocket.send_str(await listener.next())


async def _until_gone(websocket: AnyWebSocket) -> None:
    while not _is_end(await websocket.receive()):
        pass


def _is_end(message: WSMessage | WSMessageTextBytes) -> bool:
    ends = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)
    return message.type in ends


async def _timestamp(raw: msgspec.Raw | None) -> Timestamp | None:
    if raw is None:
        return None
    try:
        found = datetime.strptime(await parse(raw, str), _TIMESTAMP).astimezone(UTC)
    except ValueError:
        raise Problem(
            400, "timestamp must be a time with its offset, such as 2022-05-26T13:50:00+05:00Z"
        ) from None
    timestamp = Timestamp()
    timestamp.FromDatetime(found)
    return timestamp


ROUTES = (
    Route("POST", "api/events", publish),
    Route("GET", "api/events/subscribe", subscribe, Guard.WEBSOCKET, counts_as_activity=False),
)
