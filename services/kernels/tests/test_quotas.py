"""Whose kernels are whose, and how many there may be, over gRPC."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from perijove.kernels.v1 import kernels_pb2 as pb
from perijove.kernels.v1 import kernels_pb2_grpc
from perijove_chassis import errors
from perijove_chassis.status import rpc_errors_as_domain
from perijove_chassis.users import user
from perijove_kernels.placement import Quotas

from services.kernels.tests.replicas import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable


async def start(replica: Any, name: str = "", **fields: Any) -> pb.Kernel:
    """Start a kernel as a service does that was asked by a user."""
    user.set(name)
    return (await replica.kernels.StartKernel(pb.StartKernelRequest(**fields))).kernel


async def test_a_kernel_is_its_users_wherever_it_is_shown(
    make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    replica, other = await make_replica(), await make_replica()
    runner = await make_runner("r1", replica.target)
    name = "Zoë O'Brien/ß"
    assert (await start(replica, name, kernel_id="k1")).owner == name
    assert runner.launches[0].owner == name
    reply = await other.kernels.GetKernel(pb.GetKernelRequest(kernel_id="k1"))
    assert reply.kernel.owner == name
    (listed,) = (await other.kernels.ListKernels(pb.ListKernelsRequest())).kernels
    assert listed.owner == name


async def test_who_has_the_token_cannot_ask_for_others(
    make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    replica = await make_replica()
    await make_runner("r1", replica.target)
    metadata = (("authorization", f"Bearer {TOKEN}"), ("perijove-user", "ada"))
    async with grpc.aio.insecure_channel(replica.target) as channel:
        stub: Any = kernels_pb2_grpc.KernelsServiceStub(channel)
        reply = await stub.StartKernel(pb.StartKernelRequest(), metadata=metadata)
    assert reply.kernel.owner == "token"


async def test_a_quota_that_is_reached_is_told_in_the_status(
    make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    replica = await make_replica(quotas=Quotas(kernels_per_user=1))
    runner = await make_runner("r1", replica.target)
    first = await start(replica, "ada")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await start(replica, "ada")
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    trailers = {entry[0]: entry[1] for entry in caught.value.trailing_metadata() or ()}
    details = status_pb2.Status.FromString(trailers["grpc-status-details-bin"]).details
    info, failure = error_details_pb2.ErrorInfo(), error_details_pb2.QuotaFailure()
    assert details[0].Unpack(info)
    assert info.reason == "TOO_MANY_KERNELS_OF_USER"
    assert details[1].Unpack(failure)
    assert [violation.subject for violation in failure.violations] == ["user:ada"]
    with pytest.raises(errors.ResourceExhausted) as passed_on, rpc_errors_as_domain():
        await start(replica, "ada")
    assert passed_on.value.violation
    assert passed_on.value.violation.subject == "user:ada"
    assert await start(replica, "grace")
    runner.end(first.kernel_id)
    async with asyncio.timeout(20):
        while True:
            try:
                await start(replica, "ada")
            except grpc.aio.AioRpcError:
                continue
            break


async def test_labels_choose_the_runner(
    make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    replica = await make_replica()
    await make_runner("r1", replica.target)
    await make_runner("r2", replica.target, labels={"gpu": "a100"})
    for _ in range(4):
        assert (await start(replica, runner_labels={"gpu": "a100"})).runner_id == "r2"
    with pytest.raises(errors.FailedPrecondition) as caught, rpc_errors_as_domain():
        await start(replica, runner_labels={"gpu": "h100"})
    assert caught.value.reason == "NO_MATCHING_RUNNER"


async def test_a_storm_at_three_replicas_starts_just_as_many_as_there_may_be(
    make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    quotas = Quotas(kernels=100, kernels_per_user=40)
    replicas = [await make_replica(quotas=quotas) for _ in range(3)]
    for number in range(4):
        await make_runner(f"r{number}", replicas[number % 3].target, capacity=60)
    names = ["ada", "grace", "mary", "emmy"]
    outcomes = await asyncio.gather(
        *(start(replicas[n % 3], names[n % 4]) for n in range(200)), return_exceptions=True
    )
    owners = Counter(o.owner for o in outcomes if isinstance(o, pb.Kernel))
    assert owners.total() == 100
    assert max(owners.values()) <= 40
