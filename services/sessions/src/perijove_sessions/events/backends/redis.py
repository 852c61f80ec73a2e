"""Events in a stream of Redis: one script per step."""

from __future__ import annotations

import importlib.resources
import uuid
from typing import TYPE_CHECKING

import msgspec
from perijove_chassis.redis_commands import Commands
from perijove_chassis.watching import Position

from perijove_sessions.events.model import Event, Page
from perijove_sessions.events.store import Kept

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEYS = [f"{{e}}:{name}" for name in ("meta", "requests", "feed")]

_event = msgspec.json.Decoder(Event)


class RedisEventStore:
    """An `EventStore` in Redis 6.2 or later. What is where: `scripts/prelude.lua`."""

    def __init__(self, url: str, kept: Kept | None = None) -> None:
        """Make a store; it connects when it is first asked.

        Args:
            url: As `RedisAddress.parse` reads it.
            kept: How much is kept.
        """
        scripts = importlib.resources.files("perijove_sessions.events.backends") / "scripts"
        self._commands = Commands(url, scripts, _KEYS)
        self._kept = kept or Kept()

    async def close(self) -> None:
        """Close the connections."""
        await self._commands.close()

    async def append(self, events: Sequence[Event], request_id: str) -> Position:
        """Add events in one step, unless a request with the id did."""
        kept = self._kept
        texts = [msgspec.json.encode(event).decode() for event in events]
        sizes = [len(event.data) for event in events]
        feed_id, number = await self._commands.script(
            "append",
            # A command that is sent again on a broken connection is known by it, too.
            request_id or uuid.uuid4().hex,
            kept.events,
            kept.size_bytes,
            int(kept.requests_s * 1_000_000),
            kept.requests,
            *(part for pair in zip(texts, sizes, strict=True) for part in pair),
        )
        return Position(feed_id, int(number))

    async def end(self) -> Position:
        """Return the place of the newest event."""
        feed_id, number = await self._commands.script("end")
        return Position(feed_id, int(number))

    async def read(self, after: Position, most: int) -> Page:
        """Return the events behind a place, in one step."""
        gap, feed_id, number, texts = await self._commands.script(
            "read", after.feed_id, after.number, most
        )
        events = tuple(_event.decode(text) for text in texts)
        return Page(events, Position(feed_id, int(number)), bool(gap), len(events) == most)

    async def arrival(self, since: Position, within_s: float) -> None:
        """Return when there is an event behind a place, or the time is up."""
        await self._commands.arrival(_KEYS[-1], f"{since.number}-0", within_s)
