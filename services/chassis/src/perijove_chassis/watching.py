"""Lets any number of callers watch a state: the whole of it first, then each change.

A store numbers its changes, so that every state read from it has a `Position`.
`Watching` keeps the newest state that was read, and follows the store's feed of
changes with one reader for all who watch.

Nobody waits for a slow watcher. Of what it is still to be sent, only the keys are
kept: what changed ten times meanwhile is sent once. Beyond a limit even they are
forgotten, and it is sent the whole state again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import structlog

from perijove_chassis.errors import ResourceExhausted, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping

T = TypeVar("T")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a feed of changes."""

    feed_id: str
    """Feeds with different ids say nothing of each other."""
    number: int
    """Rises with every change."""

    def reaches(self, other: Position) -> bool:
        """Return whether what is true as of the other is true as of this one."""
        return self.feed_id == other.feed_id and self.number >= other.number


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[T]):
    """A whole state."""

    items: Mapping[str, T]
    """By key."""
    position: Position | None
    """What was written up to here is in it; None if that cannot be said."""
    incomplete: bool = False
    """Whether items may be missing, so that those known before are kept."""
    gone: frozenset[str] = frozenset()
    """Items that are gone for certain, told while it is incomplete."""


@dataclass(frozen=True, slots=True)
class Delta(Generic[T]):
    """What has changed since a position."""

    items: Mapping[str, T]
    """Items that are new or have changed, by key."""
    gone: frozenset[str]
    """Keys of those that are gone."""
    position: Position
    """What was written up to here is in it."""


@dataclass(frozen=True, slots=True)
class Update(Generic[T]):
    """What a watcher is sent."""

    resync: bool
    """Whether it is to forget what it was sent before."""
    items: list[T]
    gone: list[str]
    synced: bool
    """Whether it has the whole state now."""
    position: Position | None
    incomplete: bool


class Source(Protocol[T]):
    """Where the state is kept. All calls raise `Unavailable` if it cannot be reached."""

    async def snapshot(self) -> Snapshot[T]:
        """Return the whole state."""

    async def changes(self, since: Position) -> Delta[T] | None:
        """Return what has changed, or None if that is not known any more."""

    async def arrival(self, since: Position, within_s: float) -> None:
        """Return when something has changed since, or the time is up."""


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """What watching may cost."""

    watchers: int = 1000
    """Most of them at a time; more are refused."""
    pending: int = 10_000
    """Most keys kept for one that does not read; beyond, it gets the whole state."""
    batch: int = 500
    """Most items in one update."""
    heartbeat_s: float = 1.0
    """Longest time between two updates."""
    arrival_s: float = 1.0
    """Longest wait for a change before the feed itself is looked at."""
    between_s: float = 0.02
    """Least time between two reads: what changes faster is read together."""


class Watching(Generic[T]):
    """The newest state that was read, for all who watch it."""

    def __init__(self, source: Source[T], limits: WatchLimits | None = None) -> None:
        """Take where the state is kept; nothing is known of it before `take`."""
        self._source = source
        self._limits = limits or WatchLimits()
        self._items: Mapping[str, T] = {}
        self._position: Position | None = None
        self._incomplete = True
        self._loaded = False
        self._closing = False
        self._positioned = asyncio.Event()
        self._watchers: set[_Watcher] = set()

    def take(self, snapshot: Snapshot[T]) -> None:
        """Put a state in place of the present one, unless that is newer."""
        position, present = snapshot.position, self._position
        if position and present and position != present and present.reaches(position):
            return
        items = snapshot.items
        if snapshot.incomplete:
            kept = {k: item for k, item in self._items.items() if k not in snapshot.gone}
            items = {**kept, **items}
        keys = items.keys() | self._items.keys()
        changed = {key for key in keys if items.get(key) != self._items.get(key)}
        moved = (position, snapshot.incomplete) != (present, self._incomplete)
        self._items, self._loaded = items, True
        self._move(position, incomplete=snapshot.incomplete)
        if changed or moved:
            self._tell(changed)

    def lose_sight(self) -> None:
        """Note that the state cannot be read: it stands as it was, until it is taken anew."""
        told = self._incomplete and self._position is None
        self._move(None, incomplete=True)
        if not told:
            self._tell(())

    async def run(self) -> None:
        """Follow the feed to the end; it begins once a state was taken.

        When it is cancelled, all who watch are sent elsewhere.
        """
        try:
            while True:
                await self._positioned.wait()
                if self._position:
                    await self._follow(self._position)
                await asyncio.sleep(self._limits.between_s)
        finally:
            self._closing = True
            self._tell(())

    async def watch(self, after: Position | None) -> AsyncIterator[Update[T]]:
        """Tell the state and its changes, to the end.

        Args:
            after: Where an earlier call left off; None for the whole state.

        Raises:
            ResourceExhausted: if too many watch already.
            Unavailable: if nothing is known yet, or this replica goes away.
        """
        if len(self._watchers) >= self._limits.watchers:
            raise ResourceExhausted("too many watch already", reason="LIMIT_EXCEEDED")
        if not self._loaded:
            raise Unavailable("the shared state was never read", reason="STATE_UNREACHABLE")
        watcher = _Watcher(self._limits.pending)
        self._watchers.add(watcher)
        try:
            if after:
                await self._resume(watcher, after)
            while not self._closing:
                for update in self._updates(watcher):
                    yield update
                await watcher.wait(self._limits.heartbeat_s)
            raise Unavailable("this replica is going away")
        finally:
            self._watchers.discard(watcher)

    async def _follow(self, since: Position) -> None:
        try:
            await self._source.arrival(since, self._limits.arrival_s)
            delta = await self._source.changes(since)
            if delta:
                self._apply(delta)
            else:
                snapshot = await self._source.snapshot()
                if self._position == since:
                    self._position = None  # a feed that lost its end goes on from before
                self.take(snapshot)
        except Unavailable:
            self.lose_sight()

    async def _resume(self, watcher: _Watcher, after: Position) -> None:
        """Let a watcher go on where it was, if what has changed since is known."""
        delta = await self._source.changes(after)
        if delta and not (self._position and self._position.reaches(after)):
            # It was sent more by another replica than this one has read.
            self.take(await self._source.snapshot())
        if delta and self._position and self._position.reaches(after):
            watcher.go_on({*delta.items, *delta.gone})

    def _apply(self, delta: Delta[T]) -> None:
        present = self._position
        if present is None or present.reaches(delta.position):
            return
        if delta.position.feed_id != present.feed_id:
            return
        gone = delta.gone & self._items.keys()
        changed = {key for key, item in delta.items.items() if self._items.get(key) != item}
        if gone or changed:
            kept = {key: item for key, item in self._items.items() if key not in gone}
            self._items = {**kept, **delta.items}
        self._move(delta.position, incomplete=self._incomplete)
        self._tell(gone | changed)

    def _move(self, position: Position | None, *, incomplete: bool) -> None:
        self._position, self._incomplete = position, incomplete
        if position:
            self._positioned.set()
        else:
            self._positioned.clear()

    def _tell(self, keys: Collection[str]) -> None:
        for watcher in self._watchers:
            watcher.mark(keys)

    def _updates(self, watcher: _Watcher) -> list[Update[T]]:
        """Return all that a watcher has not been sent yet, as of one moment."""
        whole, keys = watcher.take()
        items = self._items
        changed = list(items.values()) if whole else [items[key] for key in keys if key in items]
        gone = [] if whole else [key for key in keys if key not in items]
        size = self._limits.batch
        starts = range(0, max(len(changed), len(gone), 1), size)
        return [
            Update(
                resync=whole and start == 0,
                items=changed[start : start + size],
                gone=gone[start : start + size],
                synced=start == starts[-1],
                position=self._position,
                incomplete=self._incomplete,
            )
            for start in starts
        ]


@dataclass(slots=True, eq=False)
class _Watcher:
    """What one watcher has not been sent yet."""

    pending: int
    whole: bool = True
    keys: set[str] = field(default_factory=set)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def mark(self, keys: Collection[str]) -> None:
        if not self.whole:
            self.keys.update(keys)
            if len(self.keys) > self.pending:
                log.warning("a watcher reads too slowly")
                self.whole, self.keys = True, set()
        self.wake.set()

    def go_on(self, keys: Collection[str]) -> None:
        # What changed since it began to watch is in `keys`, or in the state by now.
        self.whole = False
        self.mark(keys)

    def take(self) -> tuple[bool, set[str]]:
        taken = self.whole, self.keys
        self.whole, self.keys = False, set()
        self.wake.clear()
        return taken

    async def wait(self, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                await self.wake.wait()
        except TimeoutError:
            pass
