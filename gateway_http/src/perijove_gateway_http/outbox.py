"""What one client has sent, kept until its kernel's runner has taken it."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove.kernels.v1 import channels_pb2 as pb

KEPT_BYTES: Final = 4 * 1024 * 1024
"""Bytes kept for the runner; past it the client is not read."""
BATCH_BYTES: Final = 1024 * 1024
"""Bytes past which no further message joins a batch."""
BATCH_MESSAGES: Final = 128
"""Most messages that travel together."""


class Outbox:
    """Messages in order: those that a stream has been given, then those that wait.

    Both sides count: the runner says how many it has taken. When a stream breaks,
    what is not taken waits again, for the next stream.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        """Begin empty.

        Args:
            work: Called when a message waits.
        """
        self.outbox_id: Final = uuid.uuid4().hex
        self.taken = 0
        self._work = work
        # With its size, which takes long to find out.
        self._given: deque[tuple[pb.KernelMessage, int]] = deque()
        self._waiting: deque[tuple[pb.KernelMessage, int]] = deque()
        self._bytes = 0
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    def __bool__(self) -> bool:
        """Whether there is something that the runner has not taken."""
        return bool(self._given or self._waiting)

    async def put(self, message: pb.KernelMessage) -> None:
        """Add a message; wait before while too many bytes are kept. Once closed, drop it."""
        await self._room.wait()
        if self._closed:
            return
        size = message.ByteSize()
        self._waiting.append((message, size))
        self._bytes += size
        if self._bytes > KEPT_BYTES:
            self._room.clear()
        self._work()

    def confirm(self, taken: int) -> None:
        """Let go of the messages up to a count."""
        while self.taken < taken and self._given:
            self._bytes -= self._given.popleft()[1]
            self.taken += 1
        if self._bytes <= KEPT_BYTES:
            self._room.set()

    def rewind(self, taken: int) -> None:
        """Let a new stream begin after what was taken."""
        self.confirm(taken)
        self._waiting.extendleft(reversed(self._given))
        self._given.clear()

    def batch(self) -> list[pb.KernelMessage]:
        """Return what is to be written next; empty if nothing waits."""
        found: list[pb.KernelMessage] = []
        total = 0
        while self._waiting and len(found) < BATCH_MESSAGES:
            message, size = self._waiting[0]
            total += size
            if found and total > BATCH_BYTES:
                break
            found.append(message)
            self._given.append(self._waiting.popleft())
        return found

    def close(self) -> None:
        """Drop all that is kept or comes: there is nobody to take it."""
        self._closed = True
        self._given.clear()
        self._waiting.clear()
        self._room.set()
