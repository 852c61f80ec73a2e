"""Events in memory: for one process, and as the measure of those in Redis."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from typing import TYPE_CHECKING

from perijove_chassis.watching import Position

from perijove_sessions.events.model import Event, Page
from perijove_sessions.events.store import Kept

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class MemoryEventStore:
    """An `EventStore` that is gone with its process."""

    def __init__(
        self, kept: Kept | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._kept = kept or Kept()
        self._clock = clock
        self._feed_id = uuid.uuid4().hex
        self._number = 0
        self._size_bytes = 0
        self._events: deque[tuple[int, Event]] = deque()
        self._requests: dict[str, tuple[float, Position]] = {}
        self._arrived = asyncio.Event()

    async def append(self, events: Sequence[Event], request_id: str) -> Position:
        """Add events in one step, unless a request with the id did."""
        self._forget_requests()
        if known := self._requests.get(request_id):
            return known[1]
        for event in events:
            self._number += 1
            self._events.append((self._number, event))
            self._size_bytes += _size(event)
        self._trim()
        position = Position(self._feed_id, self._number)
        if request_id:
            self._requests[request_id] = (self._clock(), position)
        self._arrived.set()
        self._arrived = asyncio.Event()
        return position

    async def end(self) -> Position:
        """Return the place of the newest event."""
        return Position(self._feed_id, self._number)

    async def read(self, after: Position, most: int) -> Page:
        """Return the events behind a place, in one step."""
        oldest = self._number - len(self._events)
        since, gap = after.number, False
        if after.feed_id != self._feed_id or not oldest <= since <= self._number:
            lost_its_end = after.feed_id == self._feed_id and since > self._number
            since, gap = (self._number if lost_its_end else oldest), True
        found = [entry for entry in self._events if entry[0] > since][:most]
        last = found[-1][0] if found else self._number
        events = tuple(event for _, event in found)
        return Page(events, Position(self._feed_id, last), gap, len(found) == most)

    async def arrival(self, since: Position, within_s: float) -> None:
        """Return when there is an event behind a place, or the time is up."""
        if since != await self.end():
            return
        try:
            async with asyncio.timeout(within_s):
                await self._arrived.wait()
        except TimeoutError:
            pass

    def _trim(self) -> None:
        kept = self._kept
        while len(self._events) > 1 and (
            len(self._events) > kept.events or self._size_bytes > kept.size_bytes
        ):
            _, event = self._events.popleft()
            self._size_bytes -= _size(event)

    def _forget_requests(self) -> None:
        while self._requests:
            oldest = next(iter(self._requests))
            since, _ = self._requests[oldest]
            recent = self._clock() - since < self._kept.requests_s
            if recent and len(self._requests) <= self._kept.requests:
                return
            del self._requests[oldest]


def _size(event: Event) -> int:
    return len(event.data)
