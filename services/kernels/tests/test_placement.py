"""Where kernels may go and how many there may be, in every `KernelStore`."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from perijove_chassis import errors
from perijove_kernels.backends.memory import MemoryKernelStore
from perijove_kernels.backends.redis import RedisKernelStore
from perijove_kernels.placement import Quotas, Wish
from perijove_kernels.store import Limits

from services.kernels.tests.registered import BIG, LONG, changes, hello, kernel, runner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from perijove_kernels.store import KernelStore


@pytest.fixture(params=["memory", "redis"])
async def make(
    request: pytest.FixtureRequest, redis_url: str
) -> AsyncIterator[Callable[..., KernelStore]]:
    made: list[Any] = []

    def make_store(quotas: Quotas, limits: Limits = LONG) -> KernelStore:
        if request.param == "memory":
            return MemoryKernelStore(limits, quotas)
        made.append(RedisKernelStore(redis_url, limits, quotas))
        return made[-1]

    yield make_store
    for store in made:
        await store.close()


async def take(store: KernelStore, kernel_id: str, user: str = "", **labels: str) -> str:
    """Reserve a place and return the id of its runner."""
    place = await store.reserve(kernel_id, "python3", f"op-{kernel_id}", Wish(user, labels))
    return place.runner.runner_id


async def refused(store: KernelStore, kernel_id: str, user: str = "") -> errors.DomainError:
    with pytest.raises(errors.DomainError) as caught:
        await take(store, kernel_id, user)
    return caught.value


async def test_a_kernel_goes_where_the_labels_are(make: Callable[..., KernelStore]) -> None:
    store = make(Quotas())
    gpu = replace(runner("r2"), labels={"gpu": "a100", "zone": "b"})
    await store.register(hello(), "s1")
    await store.register(hello(by=gpu), "s2")
    assert {await take(store, f"k{n}", gpu="a100") for n in range(5)} == {"r2"}
    assert {await take(store, f"l{n}", gpu="a100", zone="b") for n in range(3)} == {"r2"}
    assert {await take(store, f"m{n}", zone="a") for n in range(5)} == {"r1"}


async def test_labels_that_no_runner_has_are_said(make: Callable[..., KernelStore]) -> None:
    store = make(Quotas())
    await store.register(hello(), "s1")
    with pytest.raises(errors.FailedPrecondition) as caught:
        await take(store, "k1", zone="a", gpu="a100")
    assert caught.value.reason == "NO_MATCHING_RUNNER"
    assert str(caught.value) == "no runner has the labels gpu=a100, zone=a"


async def test_reserved_and_held_kernels_count_in_all(make: Callable[..., KernelStore]) -> None:
    store = make(Quotas(kernels=3))
    await store.register(hello(kernel("k1")), "s1")
    await take(store, "k2", "ada")
    await take(store, "k3")
    error = await refused(store, "k4", "ada")
    assert (type(error), error.reason) == (errors.ResourceExhausted, "TOO_MANY_KERNELS")
    assert isinstance(error, errors.ResourceExhausted)
    assert error.violation
    assert error.violation.subject == "all"
    assert await take(store, "k3") == "r1"  # it has its place
    await store.record(kernel("k3", 2))
    assert (await refused(store, "k4")).reason == "TOO_MANY_KERNELS"
    await store.release("k2", "op-k2")
    assert await take(store, "k4") == "r1"


async def test_each_user_has_a_limit_of_their_own(make: Callable[..., KernelStore]) -> None:
    store = make(Quotas(kernels_per_user=2))
    await store.register(hello(kernel("a1", owner="ada")), "s1")
    await take(store, "a2", "ada")
    error = await refused(store, "a3", "ada")
    assert error.reason == "TOO_MANY_KERNELS_OF_USER"
    assert isinstance(error, errors.ResourceExhausted)
    assert error.violation
    assert error.violation.subject == "user:ada"
    assert "2" in error.violation.description
    await take(store, "g1", "grace hopper")
    await take(store, "g2", "grace hopper")
    assert (await refused(store, "g3", "grace hopper")).reason == "TOO_MANY_KERNELS_OF_USER"
    for number in range(4):
        await take(store, f"n{number}")  # nobody's in particular
    await store.apply(runner(), "s1", changes(gone=("a1",), revision=9))
    await take(store, "a3", "ada")


async def test_who_is_lost_still_counts_until_it_is_forgotten(
    make: Callable[..., KernelStore],
) -> None:
    limits = Limits(lost_after_s=0.2, forget_after_s=0.6)
    store = make(Quotas(kernels=2), limits)
    other = runner("r2")
    await store.sweep()
    await store.register(hello(kernel("k1"), kernel("k2")), "s1")
    await store.register(hello(by=other), "s2")
    seen = set()
    async with asyncio.timeout(20):
        while not seen >= {"lost", "gone"}:
            await store.sweep()
            await store.apply(other, "s2", changes())
            held = await store.get("k1")
            if held and held.lost:
                seen.add("lost")
                assert (await refused(store, "k3")).reason == "TOO_MANY_KERNELS"
            elif not held:
                seen.add("gone")
            await asyncio.sleep(0.02)
    assert await take(store, "k3") == "r2"


async def test_what_returns_after_the_store_was_lost_counts_again(
    make: Callable[..., KernelStore],
) -> None:
    store = make(Quotas(kernels_per_user=1))
    await store.register(hello(), "s1")
    await take(store, "k1", "ada")
    await store.release("k1", "op-k1")
    await store.register(hello(kernel("k9", owner="ada")), "s2")
    assert (await refused(store, "k1", "ada")).reason == "TOO_MANY_KERNELS_OF_USER"
    assert (await store.remove(kernel("k9"), BIG + 5)) is None
    await take(store, "k1", "ada")


async def test_a_storm_takes_just_what_there_may_be(make: Callable[..., KernelStore]) -> None:
    store = make(Quotas(kernels=50, kernels_per_user=20))
    for number in range(3):
        await store.register(hello(by=runner(f"r{number}", capacity=100)), f"s{number}")
    users = ["ada", "grace", "mary"]
    outcomes = await asyncio.gather(
        *(take(store, f"{users[n % 3]}-{n}", users[n % 3]) for n in range(120)),
        return_exceptions=True,
    )
    given = Counter(users[n % 3] for n, o in enumerate(outcomes) if isinstance(o, str))
    assert given.total() == 50
    assert max(given.values()) <= 20
    assert all(isinstance(o, errors.ResourceExhausted) for o in outcomes if not isinstance(o, str))
