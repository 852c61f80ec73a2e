"""Wakes who waits for a kernel's messages: at once, soon, or at a steady pace."""

from __future__ import annotations

import asyncio
from typing import Final

GATHER_S: Final = 0.003
"""Seconds that a message waits at most for one that follows it, to travel with it."""
PACE_S: Final = 0.1
"""Seconds between two deliveries of what a cell prints, if nothing else is said meanwhile.
ipykernel itself collects for 0.2 s what is not flushed."""


class Waking:
    """Those who wait, and when they are woken next."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._waiting: set[asyncio.Future[None]] = set()
        self._alarm: asyncio.Handle | None = None
        # uvloop gives no time to the handle of what is due within a millisecond.
        self._due = 0.0
        self._woken_at = 0.0

    async def wait(self) -> None:
        """Return when all are woken."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)

    def wake(self) -> None:
        """Wake all who wait."""
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None
        self._woken_at = asyncio.get_running_loop().time()
        if self._waiting:
            for future in self._waiting:
                if not future.done():
                    future.set_result(None)
            self._waiting = set()

    def wake_soon(self) -> None:
        """Wake all in `GATHER_S` at the latest."""
        self._wake_at(asyncio.get_running_loop().time() + GATHER_S)

    def wake_at_pace(self) -> None:
        """Wake all once they were last woken `PACE_S` ago."""
        due = self._woken_at + PACE_S
        if due <= asyncio.get_running_loop().time():
            self.wake()
        else:
            self._wake_at(due)

    def _wake_at(self, due: float) -> None:
        if self._alarm:
            if self._due <= due:
                return
            self._alarm.cancel()
        self._due = due
        self._alarm = asyncio.get_running_loop().call_at(due, self.wake)
