"""What every `KernelStore` makes of runners that fall silent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from perijove_chassis import errors
from perijove_kernels.store import Limits

from services.kernels.tests.replicas import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from perijove_kernels.store import KernelStore


from services.kernels.tests.registered import (
    SHORT,
    changes,
    hello,
    kernel,
    known,
    runner,
)


async def sweeping(store: KernelStore) -> None:
    while True:
        await store.sweep()
        await asyncio.sleep(0.05)


@pytest.fixture
async def watched(make_store: Callable[[Limits], KernelStore]) -> AsyncIterator[KernelStore]:
    store = make_store(SHORT)
    await store.sweep()
    watching = asyncio.create_task(sweeping(store))
    yield store
    watching.cancel()
    await asyncio.wait([watching])


async def test_a_silent_runner_is_lost_and_has_its_kernels_back_with_its_next_word(
    watched: KernelStore,
) -> None:
    await watched.register(hello(kernel("k1")), "s1")

    async def lost() -> bool:
        holding = await watched.get("k1")
        assert holding
        assert holding.kernel == kernel("k1")
        return holding.lost

    await until(lost)
    assert (await watched.registry()).holdings["k1"].lost
    assert await watched.offers() == ()
    with pytest.raises(errors.Unavailable):
        await watched.reserve("k2", "python3", "op")
    await watched.apply(runner(), "s1", changes())
    assert not await lost()
    assert await watched.offers()


async def test_a_place_at_a_runner_that_was_lost_is_not_given_elsewhere(
    watched: KernelStore,
) -> None:
    await watched.register(hello(), "s1")
    await watched.reserve("k1", "python3", "op")

    async def gone() -> bool:
        return not await watched.offers()

    await until(gone)
    other = runner("r2")
    await watched.register(hello(by=other), "s2")
    with pytest.raises(errors.Unavailable):
        await watched.reserve("k1", "python3", "op")
    await watched.apply(other, "s2", changes())
    assert (await watched.reserve("k2", "python3", "op")).runner == other


async def test_a_runner_that_stays_away_is_forgotten(
    make_store: Callable[[Limits], KernelStore],
) -> None:
    store = make_store(Limits(lost_after_s=0.2, forget_after_s=0.4))
    await store.sweep()
    await store.register(hello(kernel("k1")), "s1")

    async def forgotten() -> bool:
        await store.sweep()
        return not await known(store)

    await until(forgotten)
    assert await store.get("k1") is None
    with pytest.raises(errors.Aborted):
        await store.apply(runner(), "s1", changes())
    assert await store.register(hello(kernel("k1")), "s2") == ()
    assert (await known(store)).keys() == {"k1"}


async def test_nobody_is_lost_while_nobody_listened(
    make_store: Callable[[Limits], KernelStore],
) -> None:
    store = make_store(Limits(lost_after_s=0.1, forget_after_s=0.2))
    await store.sweep()
    await store.register(hello(kernel("k1")), "s1")
    await asyncio.sleep(0.3)  # the time in which no replica was there
    holding = await store.get("k1")
    assert holding
    assert not holding.lost
    await store.sweep()
    assert (await known(store)).keys() == {"k1"}


async def test_a_new_registry_says_that_it_is_settling(
    make_store: Callable[[Limits], KernelStore],
) -> None:
    store = make_store(SHORT)
    await store.sweep()
    assert (await store.registry()).settling

    async def settled() -> bool:
        return not (await store.registry()).settling

    await until(settled)


async def test_a_call_given_up_leaves_no_answer_for_the_next(store: KernelStore) -> None:
    await store.register(hello(*(kernel(f"k{n}") for n in range(50))), "s1")

    async def read(number: int) -> None:
        holding = await store.get(f"k{number}")
        assert holding
        assert holding.kernel.kernel_id == f"k{number}"

    answered = 0
    for round_ in range(20):
        tasks = [asyncio.create_task(read(number)) for number in range(50)]
        await asyncio.sleep(0)
        for task in tasks[round_ % 3 :: 3]:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        # On a machine with much to do, some wait for a connection in vain.
        expected = {type(None), asyncio.CancelledError, errors.Unavailable}
        assert {type(outcome) for outcome in outcomes} <= expected
        answered += outcomes.count(None)
    assert answered > 0
