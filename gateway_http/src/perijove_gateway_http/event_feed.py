"""Events for all front ends of this process, over one stream.

The stream is there while anybody listens. When it breaks, the next one goes on
where it was, so that nothing is missed while the services are replaced.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
import msgspec
import structlog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from perijove.events.v1 import events_pb2 as pb
    from perijove.kernels.v1.kernels_pb2 import FeedPosition

log = structlog.get_logger()

SILENCE_S = 15.0
"""A stream that is silent for longer is given up; the service says something every 5."""
BEGIN_S = 5.0
"""How long a socket waits for the stream to begin; after that it opens all the same, and
is told what happens from when the stream does."""

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0


@dataclass(slots=True, eq=False)
class Listener:
    """What one socket has not been sent yet."""

    most_events: int = 1000
    most_bytes: int = 4 * 1024 * 1024
    _texts: deque[str] = field(default_factory=deque)
    _size: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _failed: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, text: str) -> None:
        """Have a text sent; if too many wait already, the listener has failed."""
        if len(self._texts) >= self.most_events or self._size > self.most_bytes:
            self._texts.clear()
            self._failed.set()
        if not self._failed.is_set():
            self._size += len(text)
            self._texts.append(text)
            self._wake.set()

    async def next(self) -> str:
        """Return the next text as soon as there is one."""
        while not self._texts:
            self._wake.clear()
            await self._wake.wait()
        text = self._texts.popleft()
        self._size -= len(text)
        return text

    async def failed(self) -> None:
        """Return when texts had to be dropped; then there is no next one."""
        await self._failed.wait()


class EventFeed:
    """Follows events while anybody listens."""

    def __init__(self, subscribe: Callable[[FeedPosition | None], Any]) -> None:
        """Take how to open a stream that goes on from a position, or begins."""
        self._subscribe = subscribe
        self._listeners: set[Listener] = set()
        self._following: asyncio.Task[None] | None = None
        self._begun = asyncio.Event()
        self._position: FeedPosition | None = None

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[Listener]:
        """Listen to what is published from now on, until the block ends."""
        listener = Listener()
        self._listeners.add(listener)
        if self._following is None:
            self._following = asyncio.create_task(self._run())
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(BEGIN_S):
                    await self._begun.wait()
            yield listener
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                await self.close()

    async def close(self) -> None:
        """Follow no more."""
        following, self._following = self._following, None
        self._begun.clear()
        self._position = None
        if following:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _run(self) -> None:
        pause_s, is_told = _FIRST_PAUSE_S, True
        while True:
            heard = False
            call = self._subscribe(self._position)
            try:
                async for response in _read(call):
                    self._take(response)
                    heard = True
            except (grpc.aio.AioRpcError, TimeoutError) as error:
                if is_told or heard:
                    log.warning("events are not told", error=_short(error))
                is_told = False
            except Exception:
                log.exception("unexpected error")  # the rest is told all the same
            finally:
                call.cancel()
            pause_s = _FIRST_PAUSE_S if heard else min(2 * pause_s, _LONGEST_PAUSE_S)
            await asyncio.sleep(pause_s)

    def _take(self, response: pb.SubscribeEventsResponse) -> None:
        self._position = response.position
        if response.gap:
            log.warning("events were missed")
        for event in response.events:
            text = _text(event)
            for listener in self._listeners:
                listener.offer(text)
        self._begun.set()


async def _read(call: Any) -> AsyncIterator[pb.SubscribeEventsResponse]:  # noqa: ANN401
    while True:
        async with asyncio.timeout(SILENCE_S):
            response = await call.read()
        if response is grpc.aio.EOF:
            return
        yield response


def _text(event: pb.Event) -> str:
    """Return an event as front ends are told it: the data, and the schema beside it."""
    schema_id = msgspec.json.encode(event.schema_id).decode()
    members = event.data.decode()[1:-1]
    return f'{{"schema_id":{schema_id},{members}}}' if members else f'{{"schema_id":{schema_id}}}'


def _short(error: Exception) -> str:
    return error.code().name if isinstance(error, grpc.aio.AioRpcError) else repr(error)
