"""Tells others what happens, without ever delaying or failing what is told."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections import deque
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Self, TypeVar

import structlog
from prometheus_client import Counter

from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.errors import DeadlineExceeded, DomainError, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from prometheus_client import CollectorRegistry

    from perijove_chassis.credentials import Issuer
    from perijove_chassis.tls import Dialing

T = TypeVar("T")

_CALL_S = 10.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PublishLimits:
    """What telling others may cost."""

    waiting: int = 10_000
    """Most items that wait to be sent; what happens beyond is not told."""
    together: int = 200
    """Most items that are sent in one call."""
    between_s: float = 0.05
    """Least time from one call to the next: what happens meanwhile is sent together."""
    first_pause_s: float = 0.2
    """Seconds until a call is repeated whose receiver was away; doubled each time."""
    longest_pause_s: float = 2.0
    give_up_s: float = 60.0
    """How long a call is repeated until its items are dropped, so that others get on."""
    leave_s: float = 1.0
    """How long what still waits is tried to be sent when the process ends."""


class Publishing(Generic[T]):
    """A bounded queue in front of a receiver that may be slow, or away.

    Items are sent in order. While the receiver is away they wait; when too many
    do, the newest are dropped, counted and logged. Used as a context manager: it
    sends as long as the block lasts.
    """

    def __init__(
        self,
        send: Callable[[Sequence[T], str], Awaitable[None]],
        registry: CollectorRegistry,
        limits: PublishLimits | None = None,
    ) -> None:
        """Take how to send.

        Args:
            send: Sends items in one step, as part of the request with an id. It is
                called again with the same id after `Unavailable` and
                `DeadlineExceeded`; other errors mean that the items are refused.
            registry: Where it is counted what became of items.
            limits: What it may cost.
        """
        self._send = send
        self._limits = limits or PublishLimits()
        self._waiting: deque[T] = deque()
        self._filled = asyncio.Event()
        self._sent_all = asyncio.Event()
        self._sent_all.set()
        self._dropping = 0
        self._task: asyncio.Task[None] | None = None
        outcomes = Counter(
            "perijove_events_published_total",
            "What became of events that were to be published.",
            ["outcome"],
            registry=registry,
        )
        self._sent, self._dropped, self._refused = (
            outcomes.labels(name) for name in ("sent", "dropped", "refused")
        )

    def put(self, item: T) -> None:
        """Have an item sent soon; drop it if too many wait already."""
        if len(self._waiting) >= self._limits.waiting:
            self._dropped.inc()
            self._dropping += 1
            if self._dropping == 1:
                log.warning("events are dropped: too many wait", waiting=len(self._waiting))
            return
        self._waiting.append(item)
        self._sent_all.clear()
        self._filled.set()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.leave_s):
                await self._sent_all.wait()
        if self._waiting:
            log.warning("events are dropped: the process ends", waiting=len(self._waiting))
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._filled.wait()
            items = list(itertools.islice(self._waiting, self._limits.together))
            await self._send_surely(items)
            for _ in items:
                self._waiting.popleft()
            if not self._waiting:
                self._filled.clear()
                self._sent_all.set()
            if self._dropping:
                log.warning("events were dropped", dropped=self._dropping)
                self._dropping = 0
            await asyncio.sleep(self._limits.between_s)

    async def _send_surely(self, items: Sequence[T]) -> None:
        """Send items; give them up if they are refused, or if it takes too long."""
        request_id, pause_s = uuid.uuid4().hex, self._limits.first_pause_s
        began, away = asyncio.get_running_loop().time(), False
        while True:
            try:
                await self._send(items, request_id)
            except (Unavailable, DeadlineExceeded) as error:
                if not away:
                    log.warning("events wait: they cannot be published", error=str(error))
                away = True
                if asyncio.get_running_loop().time() - began > self._limits.give_up_s:
                    log.warning("events are dropped: they took too long", events=len(items))
                    self._dropped.inc(len(items))
                    return
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, self._limits.longest_pause_s)
            except Exception as error:
                if isinstance(error, DomainError):
                    log.warning("events were refused", events=len(items), error=str(error))
                else:
                    log.exception("unexpected error", events=len(items))
                self._refused.inc(len(items))
                return
            else:
                self._sent.inc(len(items))
                return


@asynccontextmanager
async def published(
    target: str,
    issuer: Issuer,
    tls: Dialing | None,
    registry: CollectorRegistry,
    sender: Callable[[Channel], Callable[[Sequence[T], str], Awaitable[None]]],
) -> AsyncIterator[Callable[[T], None]]:
    """Publish what is told to a gRPC target, if there is one, until the block ends.

    Args:
        target: Of the receiver; nothing is published if it is empty.
        issuer: Signs the calls to it.
        tls: What to show to it, and what it must show.
        registry: Where it is counted what became of items.
        sender: Returns how to send by a channel to it; see `Publishing`.
    """
    if not target:
        yield lambda _: None
        return
    channel = Channel(target, issuer, Deadlines(_CALL_S), tls=tls)
    try:
        async with Publishing(sender(channel), registry) as publishing:
            yield publishing.put
    finally:
        await channel.close()
