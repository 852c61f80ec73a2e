"""Events as messages, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp
from perijove.events.v1 import events_pb2 as pb
from perijove.kernels.v1 import kernels_pb2
from perijove_chassis.errors import InvalidArgument
from perijove_chassis.watching import Position

from perijove_sessions.events.model import NewEvent

if TYPE_CHECKING:
    from perijove_sessions.events.model import Event, EventSchema, Page


def new_event_from_proto(message: pb.Event) -> NewEvent:
    """Return an event that is to be published.

    Raises:
        InvalidArgument: if there can be no such event.
        ResourceExhausted: if it is too large.
    """
    timestamp = _datetime(message.timestamp) if message.HasField("timestamp") else None
    return NewEvent.parse(message.schema_id, message.version, message.data, timestamp)


def page_to_proto(page: Page) -> pb.SubscribeEventsResponse:
    """Return what who follows is sent."""
    return pb.SubscribeEventsResponse(
        gap=page.gap,
        events=[event_to_proto(event) for event in page.events],
        position=position_to_proto(page.position),
    )


def event_to_proto(event: Event) -> pb.Event:
    """Return an event as it is told."""
    timestamp = Timestamp()
    timestamp.FromDatetime(event.timestamp)
    return pb.Event(
        schema_id=event.schema_id,
        version=event.version,
        data=bytes(event.data),
        timestamp=timestamp,
    )


def schema_to_proto(schema: EventSchema) -> pb.EventSchema:
    """Return a schema."""
    return pb.EventSchema(
        schema_id=schema.schema_id,
        version=schema.version,
        title=schema.title,
        description=schema.description,
        document=schema.document,
    )


def position_to_proto(position: Position) -> kernels_pb2.FeedPosition:
    """Return a place in the feed."""
    return kernels_pb2.FeedPosition(feed_id=position.feed_id, number=position.number)


def after_from_proto(request: pb.SubscribeEventsRequest) -> Position | None:
    """Return where who follows left off; None if that begins."""
    if not request.HasField("after"):
        return None
    if request.after.number < 0:
        raise InvalidArgument("after is not a position that was given out")
    return Position(request.after.feed_id, request.after.number)


def _datetime(message: Timestamp) -> datetime:
    try:
        return message.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidArgument("timestamp is none") from None
