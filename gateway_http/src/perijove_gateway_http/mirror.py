"""What a service last told of its state, followed as it changes.

A mirror is never the truth: who uses it looks first whether it is in step.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import grpc
import structlog
from perijove.kernels.v1 import kernels_pb2
from perijove_chassis.watching import Position

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


T = TypeVar("T")

log = structlog.get_logger()

ALIVE_S = 3.0
"""A mirror is in step if it heard of its service in these last seconds; the service
says something every second."""
SILENCE_S = 10.0
"""A stream that is silent for longer is given up."""
MAX_ITEMS = 10_000
"""A larger state is not mirrored."""

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0


class Told(Protocol):
    """What the responses of all watches have."""

    resync: bool
    synced: bool

    @property
    def position(self) -> kernels_pb2.FeedPosition:
        """Up to where everything written is in it."""


class _TooLarge(Exception):
    """There is more than a mirror holds."""


class Mirror(Generic[T]):
    """Follows one watch, again and again, from the start of the process to its end."""

    def __init__(
        self,
        name: str,
        watch: Callable[[kernels_pb2.FeedPosition | None], Any],
        read: Callable[[Any], tuple[Mapping[str, T], Sequence[str]]],
    ) -> None:
        """Take how to follow; nothing happens before `run`.

        Args:
            name: What it mirrors, for the log.
            watch: Opens a stream that goes on from a position, or begins.
            read: Returns what a response says has changed by key, and what is gone.
        """
        self.name = name
        self._watch = watch
        self._read = read
        self._pause_s = _FIRST_PAUSE_S
        self._synced = False
        self._heard_at = 0.0
        self._pending: dict[str, T] = {}
        self._pending_gone: set[str] = set()
        self._anew = False
        self.items: dict[str, T] = {}
        """By key. To be read only while it is in step."""
        self.version = 0
        """Another one whenever the items are others."""
        self.position: Position | None = None
        """What was written up to here is in the items."""

    @property
    def in_step(self) -> bool:
        """Whether the items are what the service would say now, but for an instant.

        They may be incomplete all the same: then so is what it would say.
        """
        since = asyncio.get_running_loop().time() - self._heard_at
        return self._synced and self.position is not None and since < ALIVE_S

    async def run(self) -> None:
        """Follow to the end; a stream that breaks is opened again soon."""
        while True:
            try:
                await self._follow()
            except (grpc.aio.AioRpcError, TimeoutError, _TooLarge) as error:
                if isinstance(error, _TooLarge):
                    self._pause_s = SILENCE_S
                if self._synced:
                    log.warning("mirror out of step", mirror=self.name, error=_short(error))
            self._synced = False
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)

    async def _follow(self) -> None:
        self._pending, self._pending_gone, self._anew = {}, set(), False
        position = self.position
        call = self._watch(_feed_position(position) if position else None)
        try:
            while True:
                async with asyncio.timeout(SILENCE_S):
                    response = await call.read()
                if response is grpc.aio.EOF:
                    return
                self._take(response)
        finally:
            call.cancel()

    def _take(self, told: Told) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        if told.resync:
            self._pending, self._pending_gone, self._anew = {}, set(), True
        changed, gone = self._read(told)
        self._pending.update(changed)
        self._pending_gone.difference_update(changed)
        self._pending_gone.update(gone)
        if len(self._pending) + len(self._pending_gone) > MAX_ITEMS:
            raise _TooLarge(f"more than {MAX_ITEMS} changes")
        if told.synced:
            self._put(told)

    def _put(self, told: Told) -> None:
        """Take over what is whole now."""
        if self._anew:
            self.items = self._pending
        else:
            self.items.update(self._pending)
            for key in self._pending_gone:
                self.items.pop(key, None)
        if self._anew or self._pending or self._pending_gone:
            self.version += 1
        self._pending, self._pending_gone, self._anew = {}, set(), False
        if len(self.items) > MAX_ITEMS:
            self.items, self.position = {}, None
            raise _TooLarge(f"more than {MAX_ITEMS} items")
        position = told.position
        self.position = Position(position.feed_id, position.number) if position.feed_id else None
        self._synced = True
        self._pause_s = _FIRST_PAUSE_S


def _feed_position(position: Position) -> kernels_pb2.FeedPosition:
    return kernels_pb2.FeedPosition(feed_id=position.feed_id, number=position.number)


def _short(error: Exception) -> str:
    return error.code().name if isinstance(error, grpc.aio.AioRpcError) else repr(error)
