"""The rules for events: which are published, and how they are followed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from perijove_chassis.errors import (
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    Unavailable,
)
from perijove_chassis.paging import page

from perijove_sessions.events.model import MAX_TOGETHER, Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

    from perijove_chassis.watching import Position

    from perijove_sessions.events.model import EventSchema, NewEvent
    from perijove_sessions.events.store import EventStore, Schemas

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """What following events may cost."""

    subscribers: int = 1000
    """Most of them at a time; more are refused."""
    batch: int = 100
    """Most events that are read and sent at once."""
    heartbeat_s: float = 5.0
    """Longest time between two responses."""
    arrival_s: float = 1.0
    """Longest wait for an event before it is asked again."""
    between_s: float = 0.005
    """Least time from one look at the feed to the next: what comes faster is sent together."""
    away_s: float = 0.2
    """Seconds until a store that was away is tried again."""


class EventManager:
    """Publishes events, and tells them to all who follow.

    One reader waits for news and wakes all who follow; each then reads from its
    own place, so that nothing is kept here for anybody.
    """

    def __init__(self, store: EventStore, schemas: Schemas, limits: Limits | None = None) -> None:
        self._store = store
        self._schemas = schemas
        self._limits = limits or Limits()
        self._subscribers = 0
        self._closing = False
        self._wanted = asyncio.Event()
        self._news = asyncio.Event()

    async def publish(self, events: Sequence[NewEvent], request_id: str) -> Position:
        """Publish events, all or none, and return the place of the last one.

        Raises:
            NotFound: `NO_SUCH_EVENT_SCHEMA`.
            InvalidArgument: `BAD_EVENT`.
            Unavailable: if they cannot be kept.
        """
        if not events:
            raise InvalidArgument("events is required")
        if len(events) > MAX_TOGETHER:
            raise InvalidArgument(f"at most {MAX_TOGETHER} events are published together")
        for new in events:
            self._require_valid(new)
        return await self._store.append([new.event for new in events], request_id)

    async def subscribe(self, after: Position | None, only: Collection[str]) -> AsyncIterator[Page]:
        """Tell events as they are published, to the end; first where that begins.

        Args:
            after: Where an earlier call left off; None for the present.
            only: Ids of schemas whose events are told; empty for all.

        Raises:
            ResourceExhausted: if too many follow already.
            Unavailable: if the events cannot be reached, or this replica goes away.
        """
        if self._subscribers >= self._limits.subscribers:
            raise ResourceExhausted("too many follow events already", reason="LIMIT_EXCEEDED")
        self._subscribers += 1
        self._wanted.set()
        try:
            position = after or await self._store.end()
            silent_since = 0.0
            while not self._closing:
                news = self._news
                found = await self._store.read(position, self._limits.batch)
                position = found.position
                told = _of(found, only)
                if told.events or told.gap or self._is_due(silent_since):
                    yield told
                    silent_since = asyncio.get_running_loop().time()
                if not found.full:
                    await _any(news, self._limits.heartbeat_s)
            raise Unavailable("this replica is going away")
        finally:
            self._subscribers -= 1
            if not self._subscribers:
                self._wanted.clear()

    def list_schemas(self, page_size: int, page_token: str) -> tuple[list[EventSchema], str]:
        """Return schemas in order of their ids, and the token of the next page."""
        return page(self._schemas.list(), lambda schema: schema.schema_id, page_size, page_token)

    def get_schema(self, schema_id: str) -> EventSchema:
        """Return a schema.

        Raises:
            NotFound: `NO_SUCH_EVENT_SCHEMA`.
        """
        schema = self._schemas.get(schema_id)
        if schema is None:
            raise NotFound(f"no schema is called {schema_id!r}", reason="NO_SUCH_EVENT_SCHEMA")
        return schema

    async def run(self) -> None:
        """Wait for news as long as anybody follows, to the end.

        When it is cancelled, all who follow are sent elsewhere.
        """
        try:
            while True:
                await self._wanted.wait()
                try:
                    position = await self._store.end()
                    self._wake()
                    await self._wait_from(position)
                except Unavailable:
                    # Those who follow find out by themselves.
                    self._wake()
                    await asyncio.sleep(self._limits.away_s)
        finally:
            self._closing = True
            self._wake()

    async def _wait_from(self, position: Position) -> None:
        while self._wanted.is_set():
            await self._store.arrival(position, self._limits.arrival_s)
            end = await self._store.end()
            if end != position:
                position = end
                self._wake()
                await asyncio.sleep(self._limits.between_s)

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _is_due(self, silent_since: float) -> bool:
        silent_s = asyncio.get_running_loop().time() - silent_since
        return silent_since == 0 or silent_s >= self._limits.heartbeat_s

    def _require_valid(self, new: NewEvent) -> None:
        event = new.event
        schema = self.get_schema(event.schema_id)
        if event.version != schema.version:
            raise InvalidArgument(
                f"version {event.version!r} of {event.schema_id} is not known: it is "
                f"{schema.version!r}",
                reason="BAD_EVENT",
            )
        if objection := self._schemas.objection(event.schema_id, new.members):
            raise InvalidArgument(f"{objection} ({event.schema_id})", reason="BAD_EVENT")


def _of(found: Page, only: Collection[str]) -> Page:
    if not only:
        return found
    events = tuple(event for event in found.events if event.schema_id in only)
    return Page(events, found.position, found.gap, found.full)


async def _any(news: asyncio.Event, within_s: float) -> None:
    try:
        async with asyncio.timeout(within_s):
            await news.wait()
    except TimeoutError:
        pass
