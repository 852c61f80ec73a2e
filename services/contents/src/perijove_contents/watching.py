"""Changes of the tree, told to any number of callers who watch it."""

from __future__ import annotations

import asyncio
import enum
import secrets
from collections import deque
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perijove_chassis.errors import DomainError, ResourceExhausted, Unavailable

from perijove_contents.visibility import USUAL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from perijove_contents.model import EntryPath
    from perijove_contents.store import ContentsStore, EntryWatch
    from perijove_contents.visibility import Visibility

MAX_WATCHERS = 1000
"""Most callers who watch at the same time; more are refused."""

KEPT_CHANGES = 10_000
"""How many changes a slow or returning watcher may be behind; beyond, it looks anew."""

BATCH_CHANGES = 500
"""Most changes in one update."""


class ChangeType(enum.Enum):
    """What became of an entry."""

    CREATED = "created"
    MODIFIED = "modified"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class EntryChange:
    """What became of one entry."""

    type: ChangeType
    path: EntryPath


@dataclass(frozen=True, slots=True)
class WatchUpdate:
    """What a watcher is told at once."""

    changes: Sequence[EntryChange]
    position: str
    """Everything up to here was told."""
    resync: bool
    """Whether changes before this are not told, so that the watcher looks anew."""


class EntryFeed:
    """The newest changes, numbered. A watcher is a place in them: nobody waits for it."""

    def __init__(self, most: int = KEPT_CHANGES) -> None:
        self._id = secrets.token_hex(8)
        self._kept: deque[EntryChange] = deque(maxlen=most)
        self._number = 0
        """Of the newest change."""
        self._begin = 0
        """Nothing up to here is known any more."""
        self._arrival = asyncio.Event()
        self._error: DomainError | None = None
        self._watchers = 0

    @property
    def watchers(self) -> int:
        """How many follow now."""
        return self._watchers

    def publish(self, changes: Iterable[EntryChange]) -> None:
        """Tell changes to all who follow."""
        before = self._number
        for change in changes:
            self._kept.append(change)
            self._number += 1
        if self._number > before:
            self._wake()

    def forget(self) -> None:
        """Note that changes happened of which nothing is known: everybody looks anew."""
        self._kept.clear()
        self._number += 1
        self._begin = self._number
        self._wake()

    def end(self, error: DomainError) -> None:
        """End every watch, now and to come, with an error."""
        self._error = error
        self._wake()

    async def follow(self, path: EntryPath, after: str) -> AsyncIterator[WatchUpdate]:
        """Tell what changes at or below a path, to the end. The first update comes at once.

        Args:
            path: The entry.
            after: Position up to which an earlier call told everything; empty if none did.

        Raises:
            ResourceExhausted: if too many follow already.
        """
        if self._error:
            raise self._error
        if self._watchers >= MAX_WATCHERS:
            raise ResourceExhausted("too many watch already", reason="LIMIT_EXCEEDED")
        self._watchers += 1
        try:
            number = self._number_of(after)
            is_known = number is not None
            number = self._number if number is None else number
            yield WatchUpdate((), self._position(number), resync=not is_known)
            while True:
                arrival = self._arrival
                if self._error:
                    raise self._error
                if number < self._oldest:
                    number = self._number
                    yield WatchUpdate((), self._position(number), resync=True)
                elif number < self._number:
                    number, changes = self._changes(number, path)
                    if changes:
                        yield WatchUpdate(changes, self._position(number), resync=False)
                else:
                    await arrival.wait()
        finally:
            self._watchers -= 1

    @property
    def _oldest(self) -> int:
        return max(self._begin, self._number - len(self._kept))

    def _changes(self, number: int, path: EntryPath) -> tuple[int, list[EntryChange]]:
        """Return the next batch after a number, and the number that it reaches."""
        start = len(self._kept) - (self._number - number)
        stop = min(start + BATCH_CHANGES, len(self._kept))
        batch = (self._kept[index] for index in range(start, stop))
        return number + stop - start, [change for change in batch if path.holds(change.path)]

    def _position(self, number: int) -> str:
        return f"{self._id}-{number}"

    def _number_of(self, position: str) -> int | None:
        """Return the number of a position; None if what changed since is not known."""
        feed_id, _, text = position.partition("-")
        if feed_id != self._id or not text.isdecimal() or len(text) > len(str(self._number)):
            return None
        number = int(text)
        return number if self._oldest <= number <= self._number else None

    def _wake(self) -> None:
        arrival, self._arrival = self._arrival, asyncio.Event()
        arrival.set()


class WatchManager:
    """Applies the rules of the tree to watching it: what is hidden is not there."""

    def __init__(self, store: ContentsStore, watch: EntryWatch, seen: Visibility = USUAL) -> None:
        self._store = store
        self._watch = watch
        self._seen = seen

    async def watch(self, path: EntryPath, after: str) -> AsyncIterator[WatchUpdate]:
        """Tell what changes at or below a path, to the end.

        Raises:
            NotFound: if no entry is there now.
        """
        self._seen.require(path)
        await self._store.get(path)
        async with aclosing(self._watch.watch(path, after)) as updates:  # type: ignore[type-var]
            async for update in updates:
                yield update


def going_away() -> Unavailable:
    """Return the error that sends watchers elsewhere."""
    return Unavailable("this replica is going away")
