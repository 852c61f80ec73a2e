"""Events and what they may be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from perijove_chassis.errors import InvalidArgument, ResourceExhausted

if TYPE_CHECKING:
    from perijove_chassis.watching import Position

MAX_DATA_BYTES = 64 * 1024
"""Largest data of an event."""

MAX_TOGETHER = 500
"""Most events that are published in one step."""

SHOWN_AS = "schema_id"
"""Under this name front ends are told the schema, beside the members of the data."""

_MAX_REQUEST_ID = 64


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened."""

    schema_id: str
    version: str
    data: msgspec.Raw
    """A JSON object."""
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that has happened, not yet known to be of its schema."""

    event: Event
    members: dict[str, Any]
    """Of its data."""

    @classmethod
    def parse(
        cls, schema_id: str, version: str, data: bytes, timestamp: datetime | None
    ) -> NewEvent:
        """Return an event.

        Args:
            schema_id: Id of its schema.
            version: Version of its schema.
            data: A JSON object.
            timestamp: When it happened; now if that is not known.

        Raises:
            InvalidArgument: if there can be no such event.
            ResourceExhausted: if it is too large.
        """
        if not schema_id:
            raise InvalidArgument("schema_id is required")
        if len(data) > MAX_DATA_BYTES:
            raise ResourceExhausted(
                f"the data of an event has at most {MAX_DATA_BYTES} bytes", reason="LIMIT_EXCEEDED"
            )
        try:
            members = msgspec.json.decode(data, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise InvalidArgument(
                f"the data of {schema_id} must be a JSON object", reason="BAD_EVENT"
            ) from None
        if SHOWN_AS in members:
            raise InvalidArgument(
                f"the data of an event has no member {SHOWN_AS!r}", reason="BAD_EVENT"
            )
        # Written anew, so that it is plain JSON for everybody.
        text = msgspec.Raw(msgspec.json.encode(members))
        return cls(Event(schema_id, version, text, timestamp or datetime.now(UTC)), members)


def parse_request_id(text: str) -> str:
    """Return the id of a request, if it can be one.

    Raises:
        InvalidArgument: if it is too long.
    """
    if len(text) > _MAX_REQUEST_ID:
        raise InvalidArgument(f"request_id has at most {_MAX_REQUEST_ID} characters")
    return text


@dataclass(frozen=True, slots=True)
class EventSchema:
    """Says what events may be."""

    schema_id: str
    version: str
    title: str
    description: str
    document: bytes
    """The whole JSON Schema, as JSON."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a feed has behind a position."""

    events: tuple[Event, ...]
    position: Position
    """Everything up to here is on this page or on those before."""
    gap: bool
    """Whether events are missing before these."""
    full: bool
    """Whether there may be more now."""
