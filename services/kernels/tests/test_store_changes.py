"""What every `KernelStore` says of what has changed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from perijove_chassis.watching import Position
from perijove_kernels.backends.redis import RedisKernelStore
from perijove_kernels.model import (
    ExecutionState,
    ExitCause,
    KernelExit,
)
from perijove_kernels.store import Limits

from services.kernels.tests.replicas import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_kernels.store import KernelStore


from services.kernels.tests.registered import (
    BIG,
    LONG,
    changes,
    hello,
    kernel,
    known,
    runner,
)


async def test_what_has_changed_since_a_reading_is_known(store: KernelStore) -> None:
    await store.register(hello(kernel("k1"), kernel("k2"), kernel("k3")), "s1")
    before = await store.registry()
    assert before.position
    busy = kernel("k1", 2, execution_state=ExecutionState.BUSY)
    await store.apply(runner(), "s1", changes(busy, kernel("k4", 3), gone=("k2",), revision=4))
    await store.record(kernel("k5", 5))
    await store.remove(kernel("k3", 3), BIG + 6)
    delta = await store.changes(before.position)
    after = await store.registry()
    assert delta
    assert delta.position == after.position
    assert delta.position.reaches(before.position)
    assert not before.position.reaches(delta.position)
    assert delta.gone == {"k2", "k3"}
    kept = {id_: held for id_, held in before.holdings.items() if id_ not in delta.gone}
    assert {**kept, **delta.items} == after.holdings
    assert delta.items["k1"].kernel == busy
    nothing = await store.changes(delta.position)
    assert nothing
    assert (nothing.items, nothing.gone, nothing.position) == ({}, frozenset(), delta.position)


async def test_a_word_that_changes_nothing_moves_nobody(store: KernelStore) -> None:
    await store.register(hello(kernel("k1")), "s1")
    before = (await store.registry()).position
    await store.apply(runner(), "s1", changes())
    await store.apply(runner(), "s1", changes(kernel("k1", 0)))
    await store.reserve("k2", "python3", "x")
    await store.sweep()
    assert (await store.registry()).position == before


async def test_a_runner_that_moved_has_changed_all_its_kernels(store: KernelStore) -> None:
    await store.register(hello(kernel("k1")), "s1")
    before = (await store.registry()).position
    assert before
    moved = replace(runner(), address="unix:/elsewhere")
    await store.register(hello(kernel("k1"), by=moved), "s2")
    delta = await store.changes(before)
    assert delta
    assert delta.items["k1"].kernel.runner_address == "unix:/elsewhere"


async def test_the_kernels_of_a_forgotten_runner_have_changed(
    make_store: Callable[[Limits], KernelStore],
) -> None:
    store = make_store(Limits(lost_after_s=0.2, forget_after_s=0.4))
    await store.sweep()
    await store.register(hello(kernel("k1")), "s1")
    before = (await store.registry()).position
    assert before

    async def forgotten() -> bool:
        await store.sweep()
        return not await known(store)

    await until(forgotten)
    delta = await store.changes(before)
    assert delta
    assert delta.gone == {"k1"}


@pytest.mark.parametrize(("feed_id", "ahead"), [("another", 0), ("", 0), (None, 5)])
async def test_what_has_changed_in_another_feed_is_not_known(
    store: KernelStore, feed_id: str | None, ahead: int
) -> None:
    await store.register(hello(kernel("k1")), "s1")
    here = (await store.registry()).position
    assert here
    given = here.feed_id if feed_id is None else feed_id
    assert await store.changes(Position(given, here.number + ahead)) is None


async def test_an_arrival_is_noticed_and_its_absence_too(store: KernelStore) -> None:
    await store.register(hello(kernel("k1")), "s1")
    here = (await store.registry()).position
    assert here
    await store.arrival(here, 0.01)
    waiting = asyncio.create_task(store.arrival(here, 1.0))
    await asyncio.sleep(0)
    await store.apply(runner(), "s1", changes(kernel("k1", 2)))
    async with asyncio.timeout(20):
        await waiting
    delta = await store.changes(here)
    assert delta
    assert delta.items.keys() == {"k1"}


async def test_redis_forgets_the_oldest_changes_and_says_so(redis_url: str) -> None:
    store = RedisKernelStore(redis_url, LONG)
    await store.sweep()
    await store.register(hello(kernel("k1")), "s1")
    old = (await store.registry()).position
    assert old
    await store.apply(runner(), "s1", changes(kernel("k1", 2)))
    await store.apply(runner(), "s1", changes(kernel("k1", 3)))
    assert await store.changes(old)
    await store._commands._connections.client.xtrim("{k}:feed", maxlen=1, approximate=False)
    assert await store.changes(old) is None
    await store._commands._connections.client.flushall()
    assert (await store.registry()).position is None
    await store.sweep()
    new = (await store.registry()).position
    assert new
    assert new.feed_id != old.feed_id
    await store.close()


async def test_a_kernel_that_is_gone_is_remembered_as_it_was_last(store: KernelStore) -> None:
    dead = {"execution_state": ExecutionState.DEAD, "last_exit": KernelExit(ExitCause.EXITED, "x")}
    await store.register(hello(kernel("k1"), kernel("k2"), kernel("k3")), "s1")
    told = kernel("k1", 2, **dead)
    await store.apply(runner(), "s1", changes(told, gone=("k1",), revision=3))
    await store.remove(kernel("k2", 4, **dead), BIG + 5)
    await store.remove(kernel("k3", 4), BIG + 5)
    found = [await store.ended(name) for name in ("k1", "k2", "k3", "k4")]
    assert [one and one.execution_state for one in found] == [
        *(ExecutionState.DEAD, ExecutionState.DEAD, ExecutionState.STARTING, None)
    ]
    await store.record(kernel("k1", 7))
    assert await store.ended("k1") is None


async def test_the_end_of_a_kernel_is_forgotten_after_a_while(
    make_store: Callable[[Limits], KernelStore],
) -> None:
    store = make_store(Limits(lost_after_s=60.0, forget_after_s=0.2))
    await store.register(hello(kernel("k1")), "s1")
    await store.apply(runner(), "s1", changes(gone=("k1",), revision=3))
    async with asyncio.timeout(60):
        while await store.ended("k1"):
            await store.sweep()
