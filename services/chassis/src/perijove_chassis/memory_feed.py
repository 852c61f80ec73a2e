"""A feed of changes in memory: for one process, and as the measure of those in Redis."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque

from perijove_chassis.watching import Position


class MemoryFeed:
    """Numbers changes, and knows the keys of the latest ones."""

    def __init__(self, keep: int = 10_000) -> None:
        """Make an empty feed.

        Args:
            keep: How many changes are remembered.
        """
        self._feed_id = uuid.uuid4().hex
        self._number = 0
        self._keys: deque[str] = deque(maxlen=keep)
        self._arrived = asyncio.Event()

    @property
    def position(self) -> Position:
        """As of which everything is noted here."""
        return Position(self._feed_id, self._number)

    def note(self, key: str) -> None:
        """Note that something has changed, or is gone."""
        self._number += 1
        self._keys.append(key)
        self._arrived.set()
        self._arrived = asyncio.Event()

    def since(self, position: Position) -> frozenset[str] | None:
        """Return what has changed, or None if that is not known any more."""
        missed = self._number - position.number
        if position.feed_id != self._feed_id or not 0 <= missed <= len(self._keys):
            return None
        return frozenset(list(self._keys)[len(self._keys) - missed :])

    async def arrival(self, since: Position, within_s: float) -> None:
        """Return when something has changed since, or the time is up."""
        if self.position != since:
            return
        try:
            async with asyncio.timeout(within_s):
                await self._arrived.wait()
        except TimeoutError:
            pass
