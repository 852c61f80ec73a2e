"""What every `KernelStore` keeps of what runners say: the one in memory and the one in Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from perijove_chassis import errors
from perijove_kernels.model import (
    Changes,
    ExecutionState,
)

if TYPE_CHECKING:
    from perijove_kernels.store import KernelStore


from services.kernels.tests.registered import (
    BIG,
    changes,
    hello,
    kernel,
    known,
    runner,
    spec,
)


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
