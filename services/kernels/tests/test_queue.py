"""Waiting for a place: in every `KernelStore`, and over gRPC."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from perijove.kernels.v1 import kernels_pb2 as pb
from perijove.runners.v1 import runners_pb2, runners_pb2_grpc
from perijove_chassis import errors
from perijove_chassis.users import user
from perijove_kernels.backends.memory import MemoryKernelStore
from perijove_kernels.backends.metrics import WaitingMetrics
from perijove_kernels.backends.redis import RedisKernelStore
from perijove_kernels.placement import Queued, Quotas, Wish
from perijove_kernels.store import Place

from services.kernels.tests.registered import LONG, changes, hello, kernel, runner
from services.kernels.tests.replicas import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from perijove_kernels.store import KernelStore


@pytest.fixture(params=["memory", "redis"])
async def make(
    request: pytest.FixtureRequest, redis_url: str
) -> AsyncIterator[Callable[..., KernelStore]]:
    made: list[Any] = []

    def make_store(quotas: Quotas) -> KernelStore:
        if request.param == "memory":
            return MemoryKernelStore(LONG, quotas)
        made.append(RedisKernelStore(redis_url, LONG, quotas))
        return made[-1]

    yield make_store
    for store in made:
        await store.close()


async def wait(
    store: KernelStore, kernel_id: str, name: str = "", since: str = "", **labels: str
) -> Place | Queued:
    return await store.wait(kernel_id, "python3", f"op-{kernel_id}", Wish(name, labels), since)


async def queued(store: KernelStore, kernel_id: str, *rest: str, **labels: str) -> Queued:
    found = await wait(store, kernel_id, *rest, **labels)
    assert isinstance(found, Queued)
    return found


async def placed(store: KernelStore, kernel_id: str, *rest: str, **labels: str) -> None:
    assert isinstance(await wait(store, kernel_id, *rest, **labels), Place)


async def test_who_came_first_is_served_first(make: Callable[..., KernelStore]) -> None:
    store = make(Quotas())
    await store.register(hello(kernel("k0"), by=runner(capacity=1)), "s1")
    first = await queued(store, "k1")
    assert (first.reason, first.place, first.length) == ("NO_CAPACITY", 1, 1)
    second = await queued(store, "k2")
    assert (second.place, second.length) == (2, 2)
    assert (await queued(store, "k1")).since == first.since
    assert (await store.pool()).waiting == 2
    await store.apply(runner(), "s1", changes(gone=("k0",), revision=9))
    assert (await queued(store, "k2", "", second.since)).place == 2
    with pytest.raises(errors.ResourceExhausted) as caught:
        await store.reserve("k3", "python3", "op")  # who does not wait overtakes nobody
    assert caught.value.reason == "NO_CAPACITY"
    await placed(store, "k1", "", first.since)
    assert (await queued(store, "k2", "", second.since)).place == 1
    await store.release("k1", "op-k1")
    await placed(store, "k2", "", second.since)
    assert (await store.pool()).waiting == 0


async def test_who_could_not_be_served_holds_up_nobody(make: Callable[..., KernelStore]) -> None:
    store = make(Quotas(kernels_per_user=1))
    gpu = replace(runner("r2", capacity=1), labels={"gpu": "a100"})
    await store.register(hello(kernel("a0", owner="ada"), by=runner(capacity=2)), "s1")
    await store.register(hello(kernel("g0", runner_id="r2"), by=gpu), "s2")
    assert (await queued(store, "a1", "ada")).reason == "TOO_MANY_KERNELS_OF_USER"
    assert (await queued(store, "g1", "grace", "", gpu="a100")).reason == "NO_CAPACITY"
    await placed(store, "m1", "mary")
    assert (await queued(store, "e1", "emmy")).place == 3
    await store.apply(gpu, "s2", changes(gone=("g0",), revision=9))
    assert (await queued(store, "e1", "emmy")).place == 3  # that one is for grace
    await placed(store, "g1", "grace", "", gpu="a100")


async def test_who_leaves_the_queue_is_forgotten(make: Callable[..., KernelStore]) -> None:
    store = make(Quotas(kernels=1))
    await store.register(hello(kernel("k0")), "s1")
    assert (await queued(store, "k1")).reason == "TOO_MANY_KERNELS"
    assert (await queued(store, "k2")).place == 2
    await store.leave_queue("k1")
    assert (await queued(store, "k2")).place == 1


async def test_no_more_wait_than_may(make: Callable[..., KernelStore]) -> None:
    store = make(Quotas(kernels=1, waiting=2))
    await store.register(hello(kernel("k0")), "s1")
    await queued(store, "k1")
    await queued(store, "k2")
    with pytest.raises(errors.ResourceExhausted) as caught:
        await wait(store, "k3")
    assert caught.value.reason == "QUEUE_FULL"
    await queued(store, "k1")
    with pytest.raises(errors.NotFound):
        await store.wait("k4", "cobol", "op", Wish(), "")


async def test_an_early_one_keeps_its_place_though_the_store_is_lost(
    make: Callable[..., KernelStore],
) -> None:
    store = make(Quotas(kernels=1))
    await store.register(hello(kernel("k0")), "s1")
    first, second = await queued(store, "k1"), await queued(store, "k2")
    for kernel_id in ("k1", "k2"):
        await store.leave_queue(kernel_id)
    await queued(store, "k2", "", second.since)
    assert (await queued(store, "k1", "", first.since)).place == 1
    assert (await queued(store, "k2", "", second.since)).place == 2


async def start(replica: Any, kernel_id: str, wait_s: float, name: str = "") -> pb.Kernel:
    user.set(name)
    request = pb.StartKernelRequest(kernel_id=kernel_id)
    request.wait.FromMilliseconds(int(wait_s * 1000))
    return (await replica.kernels.StartKernel(request)).kernel


async def waiting(replica: Any) -> int:
    stub: Any = runners_pb2_grpc.RunnersServiceStub(replica.channel)
    return int((await stub.ListRunners(runners_pb2.ListRunnersRequest())).waiting_count)


async def wait_until_waiting(replica: Any, number: int) -> None:
    async def so() -> bool:
        return await waiting(replica) == number

    await until(so)


async def test_starts_that_wait_are_served_in_their_order(
    make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    replicas = [await make_replica() for _ in range(2)]
    held = await make_runner("r1", replicas[0].target, capacity=1)
    await start(replicas[0], "k0", 0)
    tasks = []
    for number in range(1, 4):
        replica = replicas[number % 2]
        tasks.append(asyncio.create_task(start(replica, f"k{number}", 60)))
        await wait_until_waiting(replica, number)
    for number in range(4):
        if number:
            assert (await tasks[number - 1]).kernel_id == f"k{number}"
            assert list(held.kernels) == [f"k{number}"]
        held.end(f"k{number}")
    await wait_until_waiting(replicas[0], 0)


async def test_whose_time_is_over_is_told_the_place(
    make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    replica = await make_replica(quotas=Quotas(kernels_per_user=1))
    await make_runner("r1", replica.target)
    await start(replica, "k0", 0, "ada")
    longer = asyncio.create_task(start(replica, "k1", 60, "ada"))
    await wait_until_waiting(replica, 1)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await start(replica, "k2", 0.3, "ada")
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert str(caught.value.details()).endswith("waited 0 s, and was number 2 of 2 in the queue")
    trailers = {entry[0]: entry[1] for entry in caught.value.trailing_metadata() or ()}
    details = status_pb2.Status.FromString(trailers["grpc-status-details-bin"]).details
    retry, failure = error_details_pb2.RetryInfo(), error_details_pb2.QuotaFailure()
    assert [d.Unpack(failure) for d in details] == [False, True, False]
    assert [d.Unpack(retry) for d in details] == [False, False, True]
    assert retry.retry_delay.ToSeconds() == 2
    await wait_until_waiting(replica, 1)
    longer.cancel()
    await wait_until_waiting(replica, 0)
    found = {metric.name: metric for metric in WaitingMetrics(replica.placing).collect()}
    outcomes = {s.labels["outcome"]: s.value for s in found["perijove_kernels_waited"].samples}
    assert outcomes == {"served": 0, "in_vain": 1, "gave_up": 1}
    assert found["perijove_kernels_waiting"].samples[0].value == 0
