"""What a handler of an extension finds out about a request, and does for it."""

from __future__ import annotations

import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web
from perijove.events.v1 import events_pb2
from perijove_chassis.permissions import for_nobody

from perijove_gateway_http.keys import CALLER, PARAMS, SOCKETS, STUBS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from perijove_gateway_http.identity.users import User
    from perijove_gateway_http.stubs import Stubs


PING_INTERVAL_S = 30.0
"""How often a client is asked whether it is still there; it has half of that to answer."""

MAX_MESSAGE_BYTES = 10 * 1024 * 1024
"""Largest message a client may send; a larger one closes its WebSocket."""


def caller(request: web.Request) -> User | None:
    """Return who asks; None if that is nobody, which only public routes see."""
    found = request.get(CALLER)
    return found.user if found else None


def params(request: web.Request) -> dict[str, str]:
    """Return what the route's pattern captured, decoded."""
    found: dict[str, str] = request[PARAMS]
    return found


def services(request: web.Request) -> Stubs:
    """Return the services. In a handler, calls are made for the user who asks."""
    return request.app[STUBS]


@asynccontextmanager
async def websocket(request: web.Request) -> AsyncIterator[web.WebSocketResponse]:
    """Open the WebSocket that is asked for, and close it at the end.

    Its client is asked now and then whether it is still there. When the edge ends, it is
    closed with a code that means: come back; when the login ends, it is closed too.
    """
    opened = web.WebSocketResponse(heartbeat=PING_INTERVAL_S, max_msg_size=MAX_MESSAGE_BYTES)
    await opened.prepare(request)
    sockets = request.app[SOCKETS]
    sockets.add(opened, request)
    try:
        yield opened
    finally:
        sockets.discard(opened)
        await opened.close()


async def publish(
    request: web.Request, schema_id: str, version: str, data: Mapping[str, object]
) -> None:
    """Tell all who follow events that something has happened.

    It is the extension that says so: the user need not be allowed to.

    Raises:
        grpc.aio.AioRpcError: if it is not of its schema, or there is none.
    """
    event = events_pb2.Event(schema_id=schema_id, version=version, data=msgspec.json.encode(data))
    # With an id it is published once, even if the call has to be made again.
    wanted = events_pb2.PublishEventsRequest(events=[event], request_id=uuid.uuid4().hex)
    with for_nobody():
        await request.app[STUBS].events.PublishEvents(wanted)
