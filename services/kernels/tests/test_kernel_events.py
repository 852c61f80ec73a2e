"""What is told of what is done with kernels, by clients and by runners."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from perijove.kernels.v1 import kernels_pb2 as pb
from perijove_kernels.backends.events import SCHEMA_ID
from perijove_sessions.events.backends.schemas import LoadedSchemas, all_documents

from services.kernels.tests.replicas import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from services.kernels.tests.fake_runner import FakeRunner
    from services.kernels.tests.replicas import Replica


@pytest.fixture
async def replica(make_replica: Callable[..., Any]) -> Replica:
    replica: Replica = await make_replica()
    return replica


@pytest.fixture
async def runner(replica: Replica, make_runner: Callable[..., Any]) -> AsyncIterator[FakeRunner]:
    yield await make_runner("r1", replica.target)
    # Whatever was told is an event of its schema.
    schemas = LoadedSchemas(all_documents(""))
    for happening in replica.told:
        data = json.loads(json.dumps(happening.data))
        assert schemas.objection(SCHEMA_ID, data) is None


def told(replica: Replica) -> list[tuple[str, str]]:
    return [(one.data["action"], one.data["status"]) for one in replica.told]


async def until_told(replica: Replica, count: int) -> list[tuple[str, str]]:
    async def enough() -> bool:
        return len(replica.told) >= count

    await until(enough)
    return told(replica)


async def start(replica: Replica, **fields: Any) -> str:
    kernel_id = str(uuid.uuid4())
    await replica.kernels.StartKernel(pb.StartKernelRequest(kernel_id=kernel_id, **fields))
    return kernel_id


async def test_what_clients_do_is_told_once(replica: Replica, runner: FakeRunner) -> None:
    kernel_id = await start(replica)
    again = pb.StartKernelRequest(kernel_id=kernel_id)
    assert not (await replica.kernels.StartKernel(again)).created
    await replica.kernels.InterruptKernel(pb.InterruptKernelRequest(kernel_id=kernel_id))
    await replica.kernels.RestartKernel(pb.RestartKernelRequest(kernel_id=kernel_id))
    await replica.kernels.ShutdownKernel(pb.ShutdownKernelRequest(kernel_id=kernel_id))
    assert runner.kernels == {}
    actions = ("start", "interrupt", "restart", "shutdown")
    assert told(replica) == [(action, "success") for action in actions]
    assert {one.data["kernel_name"] for one in replica.told} == {"python3"}
    assert {one.data["kernel_id"] for one in replica.told} == {kernel_id}


@pytest.mark.usefixtures("runner")
async def test_a_start_that_fails_is_told_with_its_reason(replica: Replica) -> None:
    for fields in ({"kernelspec_name": "nobody's"}, {"environment": {"FAIL": "1"}}):
        with pytest.raises(grpc.aio.AioRpcError):
            await start(replica, **fields)
    assert told(replica) == [("start", "error")] * 2
    assert "nobody's" in replica.told[0].data["msg"]
    assert replica.told[1].data["msg"] == "it does not start"


async def test_what_fails_is_told_and_what_is_not_there_is_not(
    replica: Replica, runner: FakeRunner
) -> None:
    kernel_id = await start(replica)
    with pytest.raises(grpc.aio.AioRpcError):
        await replica.kernels.InterruptKernel(
            pb.InterruptKernelRequest(kernel_id=str(uuid.uuid4()))
        )
    assert told(replica) == [("start", "success")]
    await runner.close()

    async def lost() -> bool:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await replica.kernels.InterruptKernel(pb.InterruptKernelRequest(kernel_id=kernel_id))
        return caught.value.code() is grpc.StatusCode.UNAVAILABLE

    await until(lost)
    assert told(replica)[-1] == ("interrupt", "error")
    assert replica.told[-1].data["kernel_name"] == "python3"


async def test_what_runners_do_unasked_is_told(replica: Replica, runner: FakeRunner) -> None:
    kernel_id = await start(replica)
    runner.say(kernel_id, execution_state=pb.EXECUTION_STATE_IDLE)
    died = pb.KernelExit(cause=pb.EXIT_CAUSE_SIGNALED, signal=9)
    runner.say(kernel_id, last_exit=died)
    runner.say(kernel_id, epoch=2, last_exit=died)
    runner.say(kernel_id, epoch=2, execution_state=pb.EXECUTION_STATE_IDLE)
    restarted = pb.KernelExit(cause=pb.EXIT_CAUSE_RESTARTED)
    runner.say(kernel_id, epoch=3, last_exit=restarted)
    culled = pb.KernelExit(cause=pb.EXIT_CAUSE_CULLED)
    runner.say(kernel_id, execution_state=pb.EXECUTION_STATE_DEAD, last_exit=culled)
    runner.say(kernel_id, execution_state=pb.EXECUTION_STATE_DEAD, last_exit=culled)
    runner.end(kernel_id)
    second = await start(replica)
    runner.say(second, execution_state=pb.EXECUTION_STATE_IDLE)
    asked = pb.KernelExit(cause=pb.EXIT_CAUSE_SHUTDOWN)
    runner.say(second, execution_state=pb.EXECUTION_STATE_DEAD, last_exit=asked)
    runner.end(second)
    last = await start(replica)
    runner.say(last, execution_state=pb.EXECUTION_STATE_IDLE)
    stopped = pb.KernelExit(cause=pb.EXIT_CAUSE_RUNNER_STOPPED)
    runner.say(last, execution_state=pb.EXECUTION_STATE_DEAD, last_exit=stopped)
    actions = await until_told(replica, 6)
    assert [action for action, _ in actions if action != "start"] == [
        *("restart", "shutdown", "shutdown"),
    ]
