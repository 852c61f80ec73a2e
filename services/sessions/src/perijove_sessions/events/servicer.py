"""Translates each RPC to one call of the manager. Decides nothing."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from perijove.events.v1 import events_pb2 as pb
from perijove.events.v1 import events_pb2_grpc as pb_grpc

from perijove_sessions.events import wire
from perijove_sessions.events.model import parse_request_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import grpc

    from perijove_sessions.events.manager import EventManager


class EventsServicer(pb_grpc.EventsServiceServicer):
    """Serves `EventsService`."""

    def __init__(self, manager: EventManager) -> None:
        self._manager = manager

    async def PublishEvents(
        self, request: pb.PublishEventsRequest, _context: grpc.aio.ServicerContext
    ) -> pb.PublishEventsResponse:
        events = [wire.new_event_from_proto(event) for event in request.events]
        position = await self._manager.publish(events, parse_request_id(request.request_id))
        return pb.PublishEventsResponse(position=wire.position_to_proto(position))

    async def SubscribeEvents(
        self, request: pb.SubscribeEventsRequest, _context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.SubscribeEventsResponse]:
        following = self._manager.subscribe(
            wire.after_from_proto(request), frozenset(request.schema_ids)
        )
        async with aclosing(following) as pages:  # type: ignore[type-var]
            async for page in pages:
                yield wire.page_to_proto(page)

    async def ListEventSchemas(
        self, request: pb.ListEventSchemasRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ListEventSchemasResponse:
        schemas, next_token = self._manager.list_schemas(request.page_size, request.page_token)
        return pb.ListEventSchemasResponse(
            schemas=[wire.schema_to_proto(schema) for schema in schemas],
            next_page_token=next_token,
        )

    async def GetEventSchema(
        self, request: pb.GetEventSchemaRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetEventSchemaResponse:
        schema = self._manager.get_schema(request.schema_id)
        return pb.GetEventSchemaResponse(schema=wire.schema_to_proto(schema))
