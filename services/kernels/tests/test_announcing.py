"""Runners that announce themselves on real sockets, fall silent, return, or pretend."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from perijove.kernels.v1 import kernels_pb2 as pb
from perijove.runners.v1 import runners_pb2, runners_pb2_grpc
from perijove_chassis import credentials, errors
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.status import rpc_errors_as_domain

from services.kernels.tests.replicas import KEY, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.kernels.tests.own_redis import OwnRedis


async def start(replica: Any, **fields: Any) -> pb.StartKernelResponse:
    with rpc_errors_as_domain():
        return await replica.kernels.StartKernel(pb.StartKernelRequest(**fields))


async def get(replica: Any, kernel_id: str) -> pb.Kernel:
    with rpc_errors_as_domain():
        return (await replica.kernels.GetKernel(pb.GetKernelRequest(kernel_id=kernel_id))).kernel


async def listing(replica: Any) -> pb.ListKernelsResponse:
    with rpc_errors_as_domain():
        return await replica.kernels.ListKernels(pb.ListKernelsRequest())


async def in_state(replica: Any, kernel_id: str, state: int) -> bool:
    return bool((await get(replica, kernel_id)).execution_state == state)


async def settled(replica: Any) -> bool:
    return not (await listing(replica)).incomplete


async def test_a_runner_that_loses_its_replica_goes_to_another_and_nothing_is_lost(
    make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    first, second = await make_replica(), await make_replica()
    runner = await make_runner("r1", first.target, second.target)
    await start(first, kernel_id="k1")
    await first.close()
    async with asyncio.timeout(20):
        while not runner.registered.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    runner.say("k1", execution_state=pb.EXECUTION_STATE_BUSY)
    await until(lambda: in_state(second, "k1", pb.EXECUTION_STATE_BUSY))
    assert (await start(second, kernel_id="k2")).created


async def test_the_kernels_of_a_silent_runner_are_lost_until_it_returns(
    make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    replica = await make_replica()
    runner = await make_runner("r1", replica.target)
    await start(replica, kernel_id="k1")
    runner.say("k1", execution_state=pb.EXECUTION_STATE_IDLE)
    await until(lambda: in_state(replica, "k1", pb.EXECUTION_STATE_IDLE))
    await runner.fall_silent()
    await until(lambda: in_state(replica, "k1", pb.EXECUTION_STATE_DEAD))
    kernel = (await listing(replica)).kernels[0]
    assert kernel.last_exit.cause == pb.EXIT_CAUSE_RUNNER_LOST
    for method in ("Interrupt", "Restart"):
        request = getattr(pb, f"{method}KernelRequest")(kernel_id="k1")
        with pytest.raises(errors.Unavailable) as caught, rpc_errors_as_domain():
            await getattr(replica.kernels, f"{method}Kernel")(request)
        assert caught.value.reason == "RUNNER_UNREACHABLE"
    with pytest.raises(errors.Unavailable):
        await start(replica, kernel_id="k1")
    runner.announce_to(replica.target)
    await until(lambda: in_state(replica, "k1", pb.EXECUTION_STATE_IDLE))
    assert not (await get(replica, "k1")).HasField("last_exit")


async def test_a_lost_kernel_that_was_shut_down_ends_when_its_runner_returns(
    make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    replica = await make_replica()
    runner = await make_runner("r1", replica.target)
    await start(replica, kernel_id="k1")
    await start(replica, kernel_id="k2")
    await runner.fall_silent()
    await until(lambda: in_state(replica, "k1", pb.EXECUTION_STATE_DEAD))
    await replica.kernels.ShutdownKernel(pb.ShutdownKernelRequest(kernel_id="k1"))
    assert [kernel.kernel_id for kernel in (await listing(replica)).kernels] == ["k2"]
    runner.announce_to(replica.target)

    async def ended() -> bool:
        return list(runner.kernels) == ["k2"]

    await until(ended)
    assert [kernel.kernel_id for kernel in (await listing(replica)).kernels] == ["k2"]


async def test_a_second_runner_with_the_id_of_a_kernel_must_end_it(
    make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    replica = await make_replica()
    await make_runner("r1", replica.target)
    await start(replica, kernel_id="k1")
    twin = await make_runner("r2")
    twin.kernels["k1"] = pb.Kernel(kernel_id="k1", revision=1)
    twin.announce_to(replica.target)

    async def ended() -> bool:
        return not twin.kernels

    await until(ended)
    assert (await get(replica, "k1")).runner_id == "r1"


async def test_the_registry_is_rebuilt_when_redis_comes_back_empty(
    own_redis: OwnRedis, make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    replicas = [await make_replica(own_redis.url) for _ in range(2)]
    runners = [await make_runner(f"r{n}", replicas[n].target) for n in range(2)]
    made = {
        (await start(replicas[0], kernel_id=f"k{number}")).kernel.kernel_id for number in range(6)
    }
    await until(lambda: settled(replicas[0]))
    await until(lambda: settled(replicas[1]))
    own_redis.kill()
    for replica in replicas:
        found = await listing(replica)
        assert {kernel.kernel_id for kernel in found.kernels} == made
        assert found.incomplete
        assert (await get(replica, "k0")).kernel_id == "k0"
    with pytest.raises(errors.Unavailable) as caught:
        await start(replicas[0])
    assert caught.value.reason == "STATE_UNREACHABLE"
    await replicas[0].kernels.InterruptKernel(pb.InterruptKernelRequest(kernel_id="k0"))
    assert [*runners[0].interrupts, *runners[1].interrupts] == ["k0"]
    await own_redis.start()

    async def complete() -> bool:
        found = await listing(replicas[0])
        # At no time is a kernel missing: it is known from before, or announced again.
        assert {kernel.kernel_id for kernel in found.kernels} == made
        return not found.incomplete

    await until(complete)
    fresh = await make_replica(own_redis.url)
    assert {kernel.kernel_id for kernel in (await listing(fresh)).kernels} == made
    assert (await start(fresh, kernel_id="new")).created


async def test_without_redis_a_replica_that_knows_nothing_says_so(
    own_redis: OwnRedis, make_replica: Callable[..., Any]
) -> None:
    own_redis.kill()
    replica = await make_replica(own_redis.url)
    for call in (listing(replica), get(replica, "k1"), start(replica)):
        with pytest.raises(errors.Unavailable) as caught:
            await call
        assert caught.value.reason == "STATE_UNREACHABLE"


async def test_a_kernel_shut_down_while_redis_is_away_is_gone_when_it_is_back(
    own_redis: OwnRedis, make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    replica = await make_replica(own_redis.url)
    runner = await make_runner("r1", replica.target)
    await start(replica, kernel_id="k1")
    await until(lambda: settled(replica))
    own_redis.kill()
    await replica.kernels.ShutdownKernel(pb.ShutdownKernelRequest(kernel_id="k1"))
    assert not runner.kernels
    await own_redis.start()

    async def empty() -> bool:
        found = await listing(replica)
        return not found.incomplete and not found.kernels

    await until(empty)


def announcement(runner_id: str, **fields: Any) -> runners_pb2.AnnounceRequest:
    runner = runners_pb2.Runner(runner_id=runner_id, address="unix:/x", capacity=1)
    return runners_pb2.AnnounceRequest(hello=runners_pb2.Hello(runner=runner, **fields))


async def read_to_end(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


HEARTBEAT = runners_pb2.AnnounceRequest(heartbeat=runners_pb2.Heartbeat())


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ([announcement("r2")], grpc.StatusCode.PERMISSION_DENIED),
        ([], grpc.StatusCode.INVALID_ARGUMENT),
        ([HEARTBEAT], grpc.StatusCode.INVALID_ARGUMENT),
        ([announcement("")], grpc.StatusCode.INVALID_ARGUMENT),
        ([runners_pb2.AnnounceRequest()], grpc.StatusCode.INVALID_ARGUMENT),
        ([announcement("r1"), announcement("r1")], grpc.StatusCode.INVALID_ARGUMENT),
        ([announcement("r1"), runners_pb2.AnnounceRequest()], grpc.StatusCode.INVALID_ARGUMENT),
        (
            [announcement("r1", kernels=[pb.Kernel(kernel_id="../x")])],
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
        (
            [
                announcement("r1"),
                runners_pb2.AnnounceRequest(
                    kernels_changed=runners_pb2.KernelsChanged(gone_kernel_ids=[""])
                ),
            ],
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
    ],
)
async def test_a_bad_announcement_is_refused(
    make_replica: Callable[..., Any],
    said: list[runners_pb2.AnnounceRequest],
    code: grpc.StatusCode,
) -> None:
    replica = await make_replica()
    name = credentials.runner_name("r1")
    issuer = credentials.Issuer(credentials.derive_key(KEY, name), name, "kernels")
    channel = Channel(replica.target, issuer, Deadlines(20.0))
    stub: Any = runners_pb2_grpc.RunnersServiceStub(channel)  # type: ignore[call-overload]
    call = stub.Announce()
    for message in said:
        await call.write(message)
    await call.done_writing()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await read_to_end(call)
    assert caught.value.code() == code
    await channel.close()


async def test_a_runner_that_says_nothing_at_all_is_sent_away(
    make_replica: Callable[..., Any],
) -> None:
    replica = await make_replica()
    name = credentials.runner_name("r1")
    issuer = credentials.Issuer(credentials.derive_key(KEY, name), name, "kernels")
    channel = Channel(replica.target, issuer, Deadlines(20.0))
    stub: Any = runners_pb2_grpc.RunnersServiceStub(channel)  # type: ignore[call-overload]
    call = stub.Announce()
    await call.write(announcement("r1"))
    assert (await call.read()).registered.lost_after_s == 1.0
    assert await call.code() == grpc.StatusCode.ABORTED
    await channel.close()


@pytest.mark.parametrize("authorization", ["Bearer tok", "service"])
async def test_only_runners_announce(make_replica: Callable[..., Any], authorization: str) -> None:
    replica = await make_replica()
    if authorization == "service":
        key = credentials.derive_key(KEY, "kernels")
        authorization = credentials.Issuer(key, "gateway_http", "kernels").credential()
    async with grpc.aio.insecure_channel(replica.target) as channel:
        stub: Any = runners_pb2_grpc.RunnersServiceStub(channel)
        call = stub.Announce(metadata=[("authorization", authorization)])
        assert await call.code() == grpc.StatusCode.PERMISSION_DENIED
