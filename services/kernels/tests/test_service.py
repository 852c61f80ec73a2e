"""The kernels service on real sockets, over real Redis, with runners that announce to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from perijove.kernels.v1 import kernels_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable

Make = "Callable[..., Any]"


@pytest.fixture
async def replica(make_replica: Callable[..., Any]) -> Any:
    return await make_replica()


@pytest.fixture
async def runner(make_runner: Callable[..., Any], replica: Any) -> Any:
    return await make_runner("r1", replica.target)


async def start(replica: Any, **fields: Any) -> pb.StartKernelResponse:
    return await replica.kernels.StartKernel(pb.StartKernelRequest(**fields))


async def get(replica: Any, kernel_id: str) -> pb.Kernel:
    return (await replica.kernels.GetKernel(pb.GetKernelRequest(kernel_id=kernel_id))).kernel


async def listed(replica: Any) -> list[str]:
    reply = await replica.kernels.ListKernels(pb.ListKernelsRequest())
    return [kernel.kernel_id for kernel in reply.kernels]


async def test_a_started_kernel_is_found_at_once_by_any_replica(
    replica: Any, runner: Any, make_replica: Callable[..., Any]
) -> None:
    other = await make_replica()
    reply = await start(replica, labels={"a": "b"}, environment={"X": "1"}, working_directory="/x")
    assert reply.created
    kernel = await get(other, reply.kernel.kernel_id)
    assert kernel == reply.kernel
    assert kernel.runner_id == "r1"
    assert kernel.runner_address == runner.address
    assert kernel.execution_state == pb.EXECUTION_STATE_STARTING
    assert await listed(other) == [kernel.kernel_id]
    launch = runner.launches[0]
    assert (launch.kernelspec_name, launch.working_directory) == ("python3", "/x")
    assert (dict(launch.environment), dict(launch.labels)) == ({"X": "1"}, {"a": "b"})
