"""A client of a watch, which puts together what it is sent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from perijove_chassis.status import rpc_errors_as_domain

if TYPE_CHECKING:
    from collections.abc import Callable


class Watched:
    """Reads one stream of `WatchKernels` or `WatchSessions`."""

    def __init__(self, call: Any, kind: str, items: dict[str, Any] | None = None) -> None:
        """Take a stream.

        Args:
            call: The stream.
            kind: `kernel` or `session`.
            items: What was received before.
        """
        self._call = call
        self._kind = kind
        self.items: dict[str, Any] = items or {}
        self.last: Any = None
        self.resyncs = 0

    async def read(self) -> Any:
        """Take one response; raises as the service does."""
        with rpc_errors_as_domain():
            async with asyncio.timeout(30):
                self.last = told = await self._call.read()
        if told.resync:
            self.items = {}
            self.resyncs += 1
        for item in getattr(told, f"{self._kind}s"):
            self.items[getattr(item, f"{self._kind}_id")] = item
        ended = "ended_kernel_ids" if self._kind == "kernel" else "deleted_session_ids"
        for key in getattr(told, ended):
            self.items.pop(key, None)
        return told

    async def until(self, condition: Callable[[], bool]) -> None:
        """Read on until something is the case, and the state whole."""
        async with asyncio.timeout(60):
            while not (self.last and self.last.synced and condition()):
                await self.read()

    async def reaches(self, position: Any) -> None:
        """Read on until it is as of a position."""

        def reached() -> bool:
            here = self.last.position
            return bool(here.feed_id == position.feed_id and here.number >= position.number)

        await self.until(reached)

    def close(self) -> None:
        self._call.cancel()
