"""What every `KernelStore` does: the one in memory and the one in Redis."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from perijove_chassis import errors
from perijove_chassis.watching import Position
from perijove_kernels.backends.memory import MemoryKernelStore
from perijove_kernels.backends.redis import RedisKernelStore
from perijove_kernels.model import (
    Changes,
    Drain,
    ExecutionState,
    ExitCause,
    Hello,
    Kernel,
    KernelExit,
    Kernelspec,
    Runner,
)
from perijove_kernels.store import Limits

from services.chassis.tests.redis_kinds import KINDS, redis_url_of
from services.kernels.tests.replicas import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from perijove_kernels.store import KernelStore

LONG = Limits(lost_after_s=60.0, forget_after_s=600.0)
SHORT = Limits(lost_after_s=0.3, forget_after_s=600.0)
NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
BIG = 1_800_000_000_000_000
"""A revision as runners give them: microseconds of the clock."""


@pytest.fixture(params=["memory", *KINDS])
async def make_store(
    request: pytest.FixtureRequest,
) -> AsyncIterator[Callable[[Limits], KernelStore]]:
    if request.param == "memory":
        yield MemoryKernelStore
        return
    made: list[RedisKernelStore] = []
    async with redis_url_of(request.param, request, "kernels") as url:

        def make(limits: Limits) -> KernelStore:
            made.append(RedisKernelStore(url, limits))
            return made[-1]

        yield make
        for store in made:
            await store.close()


@pytest.fixture
async def store(make_store: Callable[[Limits], KernelStore]) -> KernelStore:
    store = make_store(LONG)
    await store.sweep()
    return store


def spec(name: str) -> Kernelspec:
    return Kernelspec(name, name.title(), "x", ("x",), {"A": "b"}, "signal", b"{}", ("l.png",), "5")


def runner(runner_id: str = "r1", capacity: int = 10) -> Runner:
    return Runner(runner_id, f"unix:/{runner_id}", capacity, {"zone": "a"})


def kernel(kernel_id: str, revision: int = 1, runner_id: str = "r1", **fields: Any) -> Kernel:
    made = Kernel(
        kernel_id=kernel_id,
        kernelspec_name="python3",
        execution_state=ExecutionState.STARTING,
        last_activity_time=NOW,
        connection_count=0,
        epoch=1,
        create_time=NOW,
        labels={"a": "ü"},
        runner_id=runner_id,
        revision=BIG + revision,
        runner_address=f"unix:/{runner_id}",
    )
    return replace(made, **fields)


def hello(
    *kernels: Kernel,
    revision: int = 0,
    by: Runner | None = None,
    specs: tuple[str, ...] = (),
    drain: Drain | None = None,
) -> Hello:
    names = specs or ("python3",)
    return Hello(by or runner(), tuple(map(spec, names)), kernels, BIG + revision, drain)


def changes(*kernels: Kernel, gone: tuple[str, ...] = (), revision: int = 0) -> Changes:
    return Changes(kernels, gone, BIG + revision)


async def known(store: KernelStore) -> dict[str, Kernel]:
    return {id_: holding.kernel for id_, holding in (await store.registry()).holdings.items()}


async def test_what_a_runner_announces_is_read_back_whole(store: KernelStore) -> None:
    first = kernel("k1")
    await store.register(hello(first), "s1")
    holding = await store.get("k1")
    assert holding
    assert (holding.kernel, holding.lost) == (first, False)
    assert await known(store) == {"k1": first}
    assert await store.get("k2") is None
    (offer,) = await store.offers()
    assert offer.kernelspec == spec("python3")
    assert offer.runners == (runner(),)


async def test_hello_replaces_all_that_was_known_of_the_runner(store: KernelStore) -> None:
    await store.register(hello(kernel("k1"), kernel("k2")), "s1")
    await store.register(hello(kernel("x", runner_id="r2"), by=runner("r2")), "s2")
    await store.register(hello(kernel("k2", 5), kernel("k3", 6), revision=9), "s3")
    assert (await known(store)).keys() == {"k2", "k3", "x"}


async def test_hello_does_not_end_a_kernel_launched_after_it_was_composed(
    store: KernelStore,
) -> None:
    await store.register(hello(), "s1")
    await store.record(kernel("k1", 8))
    await store.register(hello(revision=7), "s2")
    assert (await known(store)).keys() == {"k1"}
    await store.register(hello(revision=8), "s3")
    assert not await known(store)


async def test_a_runner_whose_numbers_fell_is_believed(store: KernelStore) -> None:
    await store.register(hello(kernel("k1", 50), kernel("k2", 50), revision=50), "s1")
    await store.register(hello(kernel("k1", 2, epoch=3), revision=2), "s2")
    assert {id_: k.epoch for id_, k in (await known(store)).items()} == {"k1": 3}


async def test_changes_are_applied(store: KernelStore) -> None:
    await store.register(hello(kernel("k1"), kernel("k2")), "s1")
    busy = kernel("k1", 2, execution_state=ExecutionState.BUSY)
    await store.apply(runner(), "s1", changes(busy, kernel("k3", 3), gone=("k2",), revision=4))
    assert await known(store) == {"k1": busy, "k3": kernel("k3", 3)}


async def test_an_older_word_does_not_overwrite_a_newer_one(store: KernelStore) -> None:
    await store.register(hello(), "s1")
    newer = kernel("k1", 5, epoch=2)
    await store.apply(runner(), "s1", changes(newer))
    assert await store.record(kernel("k1", 4)) == newer
    await store.apply(runner(), "s1", changes(kernel("k1", 3)))
    assert await known(store) == {"k1": newer}
    newest = kernel("k1", 6, epoch=3)
    assert await store.record(newest) == newest
    assert await known(store) == {"k1": newest}


async def test_a_late_word_does_not_bring_back_what_is_gone(store: KernelStore) -> None:
    await store.register(hello(kernel("k1"), kernel("k2")), "s1")
    await store.apply(runner(), "s1", changes(gone=("k1",), revision=5))
    await store.remove(kernel("k2", 2), BIG + 6)
    assert await store.record(kernel("k1", 4)) == kernel("k1", 4)
    strays = await store.apply(runner(), "s1", changes(kernel("k2", 3)))
    assert strays == ()
    assert not await known(store)
    await store.record(kernel("k1", 7))
    assert (await known(store)).keys() == {"k1"}


async def test_a_late_end_does_not_end_a_newer_kernel_of_the_id(store: KernelStore) -> None:
    await store.register(hello(kernel("k1", 9)), "s1")
    await store.apply(runner(), "s1", changes(gone=("k1",), revision=8))
    assert (await known(store)).keys() == {"k1"}


async def test_an_older_stream_of_a_runner_is_refused(store: KernelStore) -> None:
    await store.register(hello(), "s1")
    await store.register(hello(), "s2")
    with pytest.raises(errors.Aborted):
        await store.apply(runner(), "s1", changes(kernel("k1")))
    await store.apply(runner(), "s2", changes())
    assert not await known(store)


async def test_an_unknown_runner_must_register(store: KernelStore) -> None:
    with pytest.raises(errors.Aborted):
        await store.apply(runner(), "s1", changes())


async def test_a_kernel_belongs_to_the_runner_that_was_first(store: KernelStore) -> None:
    await store.register(hello(kernel("k1")), "s1")
    other = runner("r2")
    twin = kernel("k1", 99, runner_id="r2")
    assert await store.register(hello(twin, by=other), "s2") == ("k1",)
    assert await store.apply(other, "s2", changes(twin)) == ("k1",)
    await store.apply(other, "s2", changes(gone=("k1",), revision=999))
    await store.remove(kernel("k1", 1, runner_id="r2"), BIG + 999)
    with pytest.raises(errors.Aborted) as caught:
        await store.record(twin)
    assert caught.value.reason == "ID_IN_USE"
    assert await known(store) == {"k1": kernel("k1")}


async def test_a_kernel_given_up_is_to_be_shut_down_when_it_returns(store: KernelStore) -> None:
    await store.register(hello(kernel("k1")), "s1")
    await store.remove(kernel("k1", 1), BIG + 1, doomed=True)
    assert await store.register(hello(kernel("k1", 50)), "s2") == ("k1",)
    assert not await known(store)


async def test_kernelspecs_are_the_union_of_what_runners_offer(store: KernelStore) -> None:
    await store.register(hello(specs=("python3", "ir")), "s1")
    await store.register(hello(by=runner("r2"), specs=("python3", "julia")), "s2")
    offers = {o.kernelspec.name: [r.runner_id for r in o.runners] for o in await store.offers()}
    assert {name: sorted(ids) for name, ids in offers.items()} == {
        "ir": ["r1"],
        "julia": ["r2"],
        "python3": ["r1", "r2"],
    }
    await store.apply(runner(), "s1", Changes(kernelspecs=(spec("ir"),)))
    offers = {o.kernelspec.name: [r.runner_id for r in o.runners] for o in await store.offers()}
    assert offers == {"ir": ["r1"], "julia": ["r2"], "python3": ["r2"]}
    place = await store.reserve("k1", "PYTHON3", "op")
    assert (place.runner.runner_id, place.kernelspec_name) == ("r2", "python3")


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

    for round_ in range(20):
        tasks = [asyncio.create_task(read(number)) for number in range(50)]
        await asyncio.sleep(0)
        for task in tasks[round_ % 3 :: 3]:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(o) for o in outcomes} <= {type(None), asyncio.CancelledError}


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
