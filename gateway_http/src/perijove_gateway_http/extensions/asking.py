"""What a handler of an extension finds out about a request, and does for it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import msgspec
from perijove.events.v1 import events_pb2

from perijove_gateway_http.keys import CALLER, PARAMS, STUBS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from perijove_gateway_http.identity.users import User
    from perijove_gateway_http.stubs import Stubs


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


async def publish(
    request: web.Request, schema_id: str, version: str, data: Mapping[str, object]
) -> None:
    """Tell all who follow events that something has happened.

    Raises:
        grpc.aio.AioRpcError: if it is not of its schema, or there is none.
    """
    event = events_pb2.Event(schema_id=schema_id, version=version, data=msgspec.json.encode(data))
    # With an id it is published once, even if the call has to be made again.
    wanted = events_pb2.PublishEventsRequest(events=[event], request_id=uuid.uuid4().hex)
    await request.app[STUBS].events.PublishEvents(wanted)
