"""Watching: the state first, then each change, at the watcher's own speed."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Self

import pytest
from perijove_chassis.errors import ResourceExhausted, Unavailable
from perijove_chassis.memory_feed import MemoryFeed
from perijove_chassis.watching import Delta, Position, Snapshot, Update, Watching, WatchLimits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

QUICK = WatchLimits(pending=5, batch=3, heartbeat_s=0.05, arrival_s=0.05, between_s=0.0)


class Store:
    """A state of texts, with a feed of its changes."""

    def __init__(self, keep: int = 100) -> None:
        self.items: dict[str, str] = {}
        self.feed = MemoryFeed(keep)
        self.reachable = True
        self.whole_reads = 0

    def put(self, key: str, text: str) -> None:
        self.items[key] = text
        self.feed.note(key)

    def drop(self, key: str) -> None:
        del self.items[key]
        self.feed.note(key)

    def state(self) -> Snapshot[str]:
        return Snapshot(dict(self.items), self.feed.position)

    async def snapshot(self) -> Snapshot[str]:
        self._reach()
        self.whole_reads += 1
        return self.state()

    async def changes(self, since: Position) -> Delta[str] | None:
        self._reach()
        keys = self.feed.since(since)
        if keys is None:
            return None
        items = {key: self.items[key] for key in keys if key in self.items}
        return Delta(items, keys - items.keys(), self.feed.position)

    async def arrival(self, since: Position, within_s: float) -> None:
        self._reach()
        await self.feed.arrival(since, within_s)

    def _reach(self) -> None:
        if not self.reachable:
            raise Unavailable("away", reason="STATE_UNREACHABLE")


class Watcher:
    """Puts together what it is sent."""

    def __init__(self, watching: Watching[str], after: Position | None = None) -> None:
        self.items: dict[str, str] = {}
        self.position = after
        self.last: Update[str] | None = None
        self.resyncs = 0
        self._updates = watching.watch(after)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._updates.aclose()  # type: ignore[attr-defined]

    async def read(self) -> Update[str]:
        async with asyncio.timeout(20):
            self.last = update = await anext(self._updates)
        if update.resync:
            self.items = {}
            self.resyncs += 1
        self.items |= {text.partition("=")[0]: text for text in update.items}
        for key in update.gone:
            self.items.pop(key, None)
        self.position = update.position if update.synced else self.position
        return update

    async def reaches(self, position: Position) -> None:
        while not (self.position and self.position.reaches(position)):
            await self.read()


@asynccontextmanager
async def running(watching: Watching[str]) -> AsyncIterator[None]:
    task = asyncio.create_task(watching.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def filled(count: int = 2, limits: WatchLimits = QUICK) -> tuple[Store, Watching[str]]:
    store = Store()
    for number in range(count):
        store.put(f"k{number}", f"k{number}=0")
    watching = Watching(store, limits)
    watching.take(store.state())
    return store, watching


async def test_a_watcher_is_sent_the_state_in_batches_and_then_each_change() -> None:
    store, watching = filled(7)
    async with running(watching), Watcher(watching) as watcher:
        sent = [await watcher.read() for _ in range(3)]
        assert [len(update.items) for update in sent] == [3, 3, 1]
        assert [update.resync for update in sent] == [True, False, False]
        assert [update.synced for update in sent] == [False, False, True]
        assert watcher.items == store.items
        store.put("k1", "k1=1")
        store.drop("k2")
        store.put("new", "new=0")
        await watcher.reaches(store.feed.position)
        assert watcher.items == store.items
        assert watcher.resyncs == 1
    assert store.whole_reads == 0


async def test_an_empty_state_is_told_too() -> None:
    _, watching = filled(0)
    async with Watcher(watching) as watcher:
        update = await watcher.read()
        assert (update.resync, update.synced, update.items) == (True, True, [])


async def test_a_watcher_hears_that_nothing_has_changed() -> None:
    _, watching = filled()
    async with Watcher(watching) as watcher:
        await watcher.read()
        update = await watcher.read()
        assert update == Update(
            resync=False, items=[], gone=[], synced=True, position=update.position, incomplete=False
        )


async def test_a_watcher_goes_on_where_it_was() -> None:
    store, watching = filled()
    async with running(watching):
        async with Watcher(watching) as watcher:
            await watcher.read()
        assert watcher.position
        store.put("k1", "k1=1")
        store.drop("k0")
        async with Watcher(watching, watcher.position) as again:
            again.items = watcher.items
            await again.reaches(store.feed.position)
            assert again.items == store.items
            assert again.resyncs == 0


async def test_a_watcher_of_a_replica_that_is_ahead_waits_for_no_step_back() -> None:
    store, behind = filled()
    store.put("k1", "k1=1")
    async with Watcher(behind, store.feed.position) as watcher:
        await watcher.read()
        assert watcher.resyncs == 0
        assert watcher.position == store.feed.position


@pytest.mark.parametrize("known", [True, False])
async def test_a_watcher_that_was_away_for_too_long_is_sent_everything(known: bool) -> None:  # noqa: FBT001
    store, watching = filled()
    old = store.feed.position
    store.feed = MemoryFeed() if not known else store.feed
    for number in range(200):
        store.put("k1", f"k1={number}")
    watching.take(store.state())
    async with Watcher(watching, old) as watcher:
        await watcher.read()
        assert watcher.resyncs == 1
        assert watcher.items == store.items


async def test_a_slow_watcher_is_sent_the_newest_state_only() -> None:
    store, watching = filled()
    async with running(watching), Watcher(watching) as slow, Watcher(watching) as quick:
        await slow.read()
        for number in range(50):
            store.put("k1", f"k1={number}")
            await quick.reaches(store.feed.position)
        update = await slow.read()
        assert update.items == ["k1=49"]
        assert slow.resyncs == 1


async def test_a_watcher_far_behind_is_told_to_begin_anew_and_holds_nobody_up() -> None:
    store, watching = filled()
    async with running(watching), Watcher(watching) as slow, Watcher(watching) as quick:
        await slow.read()
        for number in range(20):
            store.put(f"n{number}", f"n{number}=0")
            await quick.reaches(store.feed.position)
        assert (await slow.read()).resync
        await slow.reaches(store.feed.position)
        assert slow.items == quick.items == store.items
        assert (slow.resyncs, quick.resyncs) == (2, 1)


async def test_what_a_feed_forgot_is_read_whole() -> None:
    store, watching = filled()
    store.feed = MemoryFeed(keep=3)
    watching.take(store.state())
    for number in range(10):
        store.put(f"n{number}", f"n{number}=0")
    async with running(watching), Watcher(watching) as watcher:
        await watcher.reaches(store.feed.position)
        assert watcher.items == store.items
        assert store.whole_reads == 1


async def test_a_store_that_cannot_be_reached_is_told_and_so_is_its_return() -> None:
    store, watching = filled()
    async with running(watching), Watcher(watching) as watcher:
        await watcher.read()
        store.reachable = False
        while watcher.position:
            await watcher.read()
        assert watcher.last
        assert watcher.last.incomplete
        assert watcher.items == store.items
        store.reachable = True
        store.put("k1", "k1=1")
        watching.take(store.state())
        await watcher.reaches(store.feed.position)
        assert watcher.items == store.items
        assert not watcher.last.incomplete


async def test_what_may_only_be_missing_is_kept() -> None:
    store, watching = filled(3)
    lost = Snapshot({"k0": "k0=1"}, store.feed.position, incomplete=True, gone=frozenset({"k2"}))
    async with Watcher(watching) as watcher:
        await watcher.read()
        watching.take(lost)
        await watcher.read()
        assert watcher.items == {"k0": "k0=1", "k1": "k1=0"}
        watching.take(Snapshot({"k0": "k0=1"}, store.feed.position))
        await watcher.read()
        assert watcher.items == {"k0": "k0=1"}


async def test_an_older_state_is_not_taken() -> None:
    store, watching = filled()
    older = store.state()
    store.put("k1", "k1=1")
    watching.take(store.state())
    watching.take(older)
    async with Watcher(watching) as watcher:
        await watcher.read()
        assert watcher.items == store.items


async def test_a_feed_that_lost_its_end_is_read_whole() -> None:
    store, watching = filled()
    lost = Position(store.feed.position.feed_id, store.feed.position.number + 7)
    watching.take(Snapshot({"k9": "k9=9"}, lost))
    async with running(watching), Watcher(watching) as watcher:
        while watcher.position != store.feed.position:
            await watcher.read()
        assert watcher.items == store.items


async def test_whoever_watches_is_sent_elsewhere_at_the_end() -> None:
    _, watching = filled()
    async with Watcher(watching) as watcher:
        async with running(watching):
            await watcher.read()
            await watcher.read()
        with pytest.raises(Unavailable):
            await watcher.read()


async def test_nothing_is_told_before_anything_was_read() -> None:
    async with Watcher(Watching(Store())) as watcher:
        with pytest.raises(Unavailable):
            await watcher.read()


async def test_no_more_watch_than_may() -> None:
    _, watching = filled(limits=WatchLimits(watchers=1))
    async with Watcher(watching) as first:
        await first.read()
        async with aclosing(watching.watch(None)) as second:  # type: ignore[type-var]
            with pytest.raises(ResourceExhausted):
                await anext(second)
    async with Watcher(watching) as third:
        await third.read()
