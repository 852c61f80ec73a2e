"""The ports: where events are kept, and who knows what they may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perijove_chassis.watching import Position

    from perijove_sessions.events.model import Event, EventSchema, Page


@dataclass(frozen=True, slots=True)
class Kept:
    """How much is kept; what is older is forgotten."""

    events: int = 10_000
    size_bytes: int = 32 * 1024 * 1024
    """Of the texts of all events. The newest one stays, however large."""
    requests_s: float = 120.0
    """How long a request is known, so that a repeated one does nothing."""
    requests: int = 20_000
    """Most requests that are known."""


class EventStore(Protocol):
    """Keeps the newest events in order, each at a place of its own.

    All calls raise `Unavailable` with reason `STATE_UNREACHABLE` if the store
    cannot be reached.
    """

    async def append(self, events: Sequence[Event], request_id: str) -> Position:
        """Add events in one step, unless a request with the id did; return the last one's place.

        Without an id it is done each time.
        """

    async def end(self) -> Position:
        """Return the place of the newest event, before which everything has been published."""

    async def read(self, after: Position, most: int) -> Page:
        """Return the events behind a place, in one step.

        If it is not known what has happened since, the page says that there is a gap,
        and begins with the oldest event that is there.
        """

    async def arrival(self, since: Position, within_s: float) -> None:
        """Return when there is an event behind a place, or the time is up."""


class Schemas(Protocol):
    """Knows what events may be."""

    def list(self) -> Sequence[EventSchema]:
        """Return all schemas."""

    def get(self, schema_id: str) -> EventSchema | None:
        """Return a schema."""

    def objection(self, schema_id: str, members: Mapping[str, Any]) -> str | None:
        """Return what is wrong with the data of an event; None if nothing is."""
