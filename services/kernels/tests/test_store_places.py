"""How every `KernelStore` keeps places for kernels."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from perijove_chassis import errors

from services.kernels.tests.replicas import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_kernels.store import KernelStore, Limits


from services.kernels.tests.registered import (
    LONG,
    hello,
    kernel,
    runner,
)


async def test_a_place_is_kept_for_a_kernel_until_it_is_recorded(store: KernelStore) -> None:
    for number in range(5):
        await store.register(hello(by=runner(f"r{number}", 1)), f"s{number}")
    place = await store.reserve("k1", "python3", "op1")
    again = [await store.reserve("k1", "python3", f"op{number}") for number in range(10)]
    assert {p.runner.runner_id for p in again} == {place.runner.runner_id}
    others = {(await store.reserve(f"x{n}", "python3", "op")).runner.runner_id for n in range(4)}
    assert len(others | {place.runner.runner_id}) == 5
    with pytest.raises(errors.ResourceExhausted) as caught:
        await store.reserve("k9", "python3", "op")
    assert caught.value.reason == "NO_CAPACITY"
    await store.release("k1", "another's")
    with pytest.raises(errors.ResourceExhausted):
        await store.reserve("k9", "python3", "op")
    await store.release("k1", "op1")
    assert (await store.reserve("k9", "python3", "op")).runner == place.runner
    recorded = kernel("k9", runner_id=place.runner.runner_id)
    await store.record(recorded)
    existing = (await store.reserve("k9", "python3", "op")).existing
    assert existing
    assert existing.kernel == recorded
    with pytest.raises(errors.ResourceExhausted):
        await store.reserve("k10", "python3", "op")


async def test_a_kept_place_ends_by_itself(make_store: Callable[[Limits], KernelStore]) -> None:
    store = make_store(replace(LONG, reserve_for_s=0.05))
    await store.sweep()
    await store.register(hello(by=runner(capacity=1)), "s1")
    await store.reserve("k1", "python3", "op1")

    async def free() -> bool:
        try:
            await store.reserve("k2", "python3", "op2")
        except errors.ResourceExhausted:
            return False
        return True

    assert await until(free)


async def test_many_starts_at_once_never_overfill_a_runner(store: KernelStore) -> None:
    for number in range(4):
        await store.register(hello(by=runner(f"r{number}", 5)), f"s{number}")
    outcomes = await asyncio.gather(
        *(store.reserve(f"k{n}", "python3", "op") for n in range(30)), return_exceptions=True
    )
    refused = [o for o in outcomes if isinstance(o, errors.ResourceExhausted)]
    placed = Counter(o.runner.runner_id for o in outcomes if not isinstance(o, BaseException))
    assert len(refused) == 10
    assert set(placed.values()) == {5}


async def test_kernels_are_spread_over_the_runners(store: KernelStore) -> None:
    for number in range(4):
        await store.register(hello(by=runner(f"r{number}", 100)), f"s{number}")
    places = [await store.reserve(f"k{n}", "python3", "op") for n in range(100)]
    counts = Counter(place.runner.runner_id for place in places)
    # The less loaded of two random ones: far more even than one random one.
    assert len(counts) == 4
    assert min(counts.values()) >= 17


async def test_of_two_runners_the_less_loaded_one_is_taken(store: KernelStore) -> None:
    full = [kernel(f"x{number}") for number in range(12)]
    await store.register(hello(*full, by=runner("r1", 100)), "s1")
    await store.register(hello(by=runner("r2", 100)), "s2")
    places = [await store.reserve(f"k{n}", "python3", "op") for n in range(12)]
    assert {place.runner.runner_id for place in places} == {"r2"}


async def test_where_nothing_can_be_placed_the_reason_is_said(store: KernelStore) -> None:
    with pytest.raises(errors.Unavailable) as unavailable:
        await store.reserve("k1", "python3", "op")
    assert unavailable.value.reason == "RUNNER_UNREACHABLE"
    await store.register(hello(by=runner(capacity=0)), "s1")
    with pytest.raises(errors.NotFound) as not_found:
        await store.reserve("k1", "cobol", "op")
    assert not_found.value.reason == "NO_SUCH_KERNELSPEC"
    with pytest.raises(errors.ResourceExhausted):
        await store.reserve("k1", "python3", "op")
