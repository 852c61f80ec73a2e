"""Runners as a pool: who is drained, who leaves, and what is said of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from perijove.kernels.v1 import kernels_pb2 as pb
from perijove.runners.v1 import runners_pb2, runners_pb2_grpc
from perijove_chassis import credentials, errors
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.status import rpc_errors_as_domain
from perijove_kernels.backends.memory import MemoryKernelStore
from perijove_kernels.backends.redis import RedisKernelStore
from perijove_kernels.model import Changes, Drain
from perijove_kernels.placement import Wish
from perijove_kernels.store import Limits

from services.kernels.tests.registered import LONG, changes, hello, kernel, known, runner
from services.kernels.tests.replicas import KEY, TOKEN, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from perijove_kernels.store import KernelStore, Member

DRAIN = Drain("a new disk", datetime(2026, 1, 2, tzinfo=UTC), None, "ada")


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[KernelStore]:
    if request.param == "memory":
        yield MemoryKernelStore(LONG)
        return
    store = RedisKernelStore(redis_url, LONG)
    yield store
    await store.close()


async def place(store: KernelStore, kernel_id: str, *avoid: str) -> str:
    wish = Wish(avoid=avoid)
    return (await store.reserve(kernel_id, "python3", "op", wish)).runner.runner_id


async def member(store: KernelStore, runner_id: str) -> Member:
    (found,) = [m for m in (await store.pool()).members if m.runner.runner_id == runner_id]
    return found


async def test_nothing_is_placed_on_a_runner_that_is_drained(store: KernelStore) -> None:
    await store.register(hello(), "s1")
    await store.register(hello(by=runner("r2")), "s2")
    assert await store.note_drain("r2", DRAIN)
    assert not await store.note_drain("r3", DRAIN)
    assert {await place(store, f"k{n}") for n in range(6)} == {"r1"}
    assert (await member(store, "r2")).drain == DRAIN
    await store.note_drain("r1", DRAIN)
    with pytest.raises(errors.ResourceExhausted) as caught:
        await place(store, "k9")
    assert caught.value.reason == "NO_CAPACITY"
    await store.note_drain("r2", None)
    assert await place(store, "k9") == "r2"


async def test_what_a_runner_announces_of_its_drain_counts(store: KernelStore) -> None:
    told = hello()
    drained = Changes(drain=DRAIN, drain_changed=True)
    await store.register(told, "s1")
    await store.apply(runner(), "s1", drained)
    assert (await member(store, "r1")).drain == DRAIN
    await store.apply(runner(), "s1", changes(kernel("k1")))
    assert (await member(store, "r1")).drain == DRAIN
    await store.apply(runner(), "s1", Changes(drain_changed=True))
    assert (await member(store, "r1")).drain is None
    await store.note_drain("r1", DRAIN)
    await store.register(told, "s2")
    assert (await member(store, "r1")).drain is None
    await store.register(hello(drain=DRAIN), "s3")
    assert (await member(store, "r1")).drain == DRAIN


async def test_a_runner_that_has_just_refused_is_not_chosen_again(store: KernelStore) -> None:
    await store.register(hello(), "s1")
    await store.register(hello(by=runner("r2")), "s2")
    assert {await place(store, f"k{n}", "r1") for n in range(6)} == {"r2"}
    with pytest.raises(errors.ResourceExhausted):
        await place(store, "k9", "r1", "r2")


async def test_the_pool_says_how_full_a_runner_is(store: KernelStore) -> None:
    await store.register(hello(kernel("k1"), kernel("k2"), specs=("python3", "ir")), "s1")
    await store.register(hello(by=runner("r0")), "s2")
    await place(store, "k3", "r0")
    first, second = (await store.pool()).members
    assert (first.runner, first.kernels, first.reserved) == (runner("r0"), 0, 0)
    assert (second.runner, second.kernels, second.reserved) == (runner(), 2, 1)
    assert second.kernelspec_names == ("ir", "python3")
    assert not second.lost
    assert 0 <= second.silent_s < 60


async def test_a_runner_that_leaves_is_forgotten_at_once(store: KernelStore) -> None:
    await store.register(hello(kernel("k1")), "s1")
    await store.register(hello(kernel("x", runner_id="r2"), by=runner("r2")), "s2")
    await store.leave("r1", "another stream")
    assert len((await store.pool()).members) == 2
    await store.leave("r1", "s1")
    assert [m.runner.runner_id for m in (await store.pool()).members] == ["r2"]
    assert (await known(store)).keys() == {"x"}


def pool_of(replica: Any, channel: Any = None) -> Any:
    return runners_pb2_grpc.RunnersServiceStub(channel or replica.channel)


async def statuses(replica: Any) -> dict[str, runners_pb2.RunnerStatus]:
    reply = await pool_of(replica).ListRunners(runners_pb2.ListRunnersRequest())
    return {status.runner.runner_id: status for status in reply.runners}


def drain_request(runner_id: str, within_s: float | None = None) -> Any:
    request = runners_pb2.DrainRunnerRequest(runner_id=runner_id, reason="a new disk")
    if within_s is not None:
        request.within.FromTimedelta(timedelta(seconds=within_s))
    return request


async def test_a_drained_runner_gets_no_kernel_whoever_asks(
    make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    replicas = [await make_replica() for _ in range(2)]
    first = await make_runner("r1", replicas[0].target, labels={"zone": "a"})
    await make_runner("r2", replicas[1].target)
    reply = await pool_of(replicas[1]).DrainRunner(drain_request("r1", 60))
    drain = reply.runner.drain
    assert drain.deadline.ToSeconds() - drain.begin_time.ToSeconds() == 60
    for number in range(6):
        request = pb.StartKernelRequest()
        reply = await replicas[number % 2].kernels.StartKernel(request)
        assert reply.kernel.runner_id == "r2"
    found = await statuses(replicas[0])
    assert found["r1"].state == runners_pb2.RUNNER_STATE_DRAINING
    assert found["r1"].runner.drain == drain
    assert found["r1"].runner.labels == {"zone": "a"}
    assert (found["r2"].state, found["r2"].kernel_count) == (runners_pb2.RUNNER_STATE_LIVE, 6)
    await first.fall_silent()
    first.announce_to(replicas[1].target)  # it remembers, whoever else may have forgotten
    await first.registered.wait()
    assert (await statuses(replicas[0]))["r1"].state == runners_pb2.RUNNER_STATE_DRAINING
    request = runners_pb2.UndrainRunnerRequest(runner_id="r1")
    await pool_of(replicas[0]).UndrainRunner(request)
    assert (await statuses(replicas[1]))["r1"].state == runners_pb2.RUNNER_STATE_LIVE


async def test_a_start_that_meets_a_drain_goes_elsewhere(
    make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    replica = await make_replica()
    runners = [await make_runner(f"r{n}", replica.target) for n in range(3)]
    for one in runners[:2]:  # they refuse, and nobody else knows yet
        one.drain = runners_pb2.Drain(reason="x")
    for _ in range(5):
        reply = await replica.kernels.StartKernel(pb.StartKernelRequest())
        assert reply.kernel.runner_id == "r2"
    runners[2].drain = runners_pb2.Drain(reason="x")
    with pytest.raises(errors.ResourceExhausted) as caught, rpc_errors_as_domain():
        await replica.kernels.StartKernel(pb.StartKernelRequest())
    assert caught.value.reason == "NO_CAPACITY"
    assert {status.reserved_count for status in (await statuses(replica)).values()} == {0}


async def test_who_is_lost_or_unknown_is_not_drained(
    make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    replica = await make_replica(limits=Limits(lost_after_s=0.5, forget_after_s=600))
    silent = await make_runner("r1", replica.target)
    await silent.fall_silent()

    async def is_lost() -> bool:
        return (await statuses(replica))["r1"].state == runners_pb2.RUNNER_STATE_LOST

    await until(is_lost)
    with pytest.raises(errors.Unavailable) as lost, rpc_errors_as_domain():
        await pool_of(replica).DrainRunner(drain_request("r1"))
    assert lost.value.reason == "RUNNER_UNREACHABLE"
    with pytest.raises(errors.NotFound) as caught, rpc_errors_as_domain():
        await pool_of(replica).UndrainRunner(runners_pb2.UndrainRunnerRequest(runner_id="r9"))
    assert caught.value.reason == "NO_SUCH_RUNNER"


async def test_a_goodbye_ends_the_announcement_well(
    make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    replica = await make_replica()
    leaving = await make_runner("r1", replica.target)
    leaving.say_goodbye()

    async def is_gone() -> bool:
        return not leaving.registered.is_set() or "r1" not in await statuses(replica)

    await until(is_gone)
    assert leaving.last_refusal is None


async def test_users_drain_and_runners_do_not(
    make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    replica = await make_replica()
    told = await make_runner("r1", replica.target)
    key = credentials.derive_key(KEY, "runner/r2")
    channel = Channel(
        replica.target, credentials.Issuer(key, "runner/r2", "kernels"), Deadlines(20.0)
    )
    with pytest.raises(errors.PermissionDenied), rpc_errors_as_domain():
        await pool_of(replica, channel).DrainRunner(drain_request("r1"))
    await channel.close()
    metadata = (("authorization", f"Bearer {TOKEN}"),)
    async with grpc.aio.insecure_channel(replica.target) as plain:
        stub: Any = runners_pb2_grpc.RunnersServiceStub(plain)
        async with asyncio.timeout(20):
            await stub.DrainRunner(drain_request("r1"), metadata=metadata)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Announce(metadata=metadata).read()
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert told.drain
    assert told.drain.requested_by == "token"
