"""A run happens once, whatever is killed or dropped between its acceptance and its end."""

from __future__ import annotations

import asyncio
import random
import uuid
from typing import TYPE_CHECKING

import grpc
from perijove.kernels.v1 import execution_pb2 as pb

from tests.executions import Call, Program, program_at
from tests.running import GENEROUS_S

if TYPE_CHECKING:
    from tests.running import RunningPerijove

TIMES = 100
KERNELS_KILLED_EVERY = 20
RUNNER_KILLED_EVERY = 4
COUNTING = "counter += 1\nprint('in', counter)\ntime.sleep({pause_s})\nprint('out', counter)"
_LOST = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


async def finished(
    program: Program, kernel_id: str, code: str, request_id: str
) -> tuple[Call, pb.Finished]:
    """Run code to its end, and call again as long as the connection is lost."""
    async with asyncio.timeout(GENEROUS_S):
        while True:
            try:
                return await program.run(kernel_id, code, request_id=request_id)
            except grpc.aio.AioRpcError as error:
                assert error.code() in _LOST, error.details()  # noqa: PT017


async def counter(program: Program, kernel_id: str) -> int:
    """Return what the counter in the kernel reads."""
    call, _ = await finished(program, kernel_id, "print(counter)", uuid.uuid4().hex)
    return int(call.printed)


async def test_a_hundred_runs_whose_connections_drop_before_the_reply_count_to_a_hundred(
    perijove: RunningPerijove, program: Program, kernel_id: str
) -> None:
    await program.run(kernel_id, "import time\ncounter = 0")
    code = COUNTING.format(pause_s=0.02)
    target, token = perijove.target("kernels"), perijove.token
    for number in range(1, TIMES + 1):
        request_id = f"run-{number}"
        # The connection is closed, with all that is on it, as soon as the run is accepted.
        async with program_at(target, token) as dropping:
            call = await dropping.execute(kernel_id, code, request_id=request_id)
            await call.until("accepted")
        if number % KERNELS_KILLED_EVERY == 0:
            perijove.kill("kernels")
        again, ended = await finished(program, kernel_id, code, request_id)
        assert ended.outcome == pb.OUTCOME_OK
        assert again.printed == f"in {number}\nout {number}\n"
        assert not again.accepted.created
    assert await counter(program, kernel_id) == TIMES


async def test_runs_are_not_run_again_by_the_next_runner(
    perijove: RunningPerijove, program: Program, kernel_id: str
) -> None:
    await program.run(kernel_id, "import time\ncounter = 0")
    code = COUNTING.format(pause_s=0.1)
    ended = {}
    for number in range(1, 4 * RUNNER_KILLED_EVERY + 1):
        request_id = f"run-{number}"
        call = await program.execute(kernel_id, code, request_id=request_id)
        await call.until("accepted")
        if number % RUNNER_KILLED_EVERY == 0:
            await asyncio.sleep(random.uniform(0, 0.15))  # noqa: S311 - no secret
            old = perijove.kill("runner")
            await perijove.wait_restarted("runner", old)
        _, ended[number] = await finished(program, kernel_id, code, request_id)
        assert ended[number].outcome in (pb.OUTCOME_OK, pb.OUTCOME_REPLY_LOST)
    assert await counter(program, kernel_id) == len(ended)
    # What an earlier runner has seen the end of is known to the later ones, too.
    call, again = await finished(program, kernel_id, code, "run-1")
    assert (again.outcome, again.execution_count) == (pb.OUTCOME_OK, ended[1].execution_count)
    assert not call.accepted.created
    assert call.printed == "in 1\nout 1\n" or "gap" in call.kinds()
    assert await counter(program, kernel_id) == len(ended)


async def test_a_time_limit_outlives_the_runner(
    perijove: RunningPerijove, program: Program, kernel_id: str
) -> None:
    code = "import time\nwhile True: time.sleep(0.01)"
    call = await program.execute(kernel_id, code, request_id="r", timeout_s=4)
    await call.until("started")
    old = perijove.kill("runner")
    await perijove.wait_restarted("runner", old)
    _, ended = await finished(program, kernel_id, code, "r")
    assert (ended.outcome, ended.timed_out) == (pb.OUTCOME_ERROR, True)
    assert ended.error.name == "KeyboardInterrupt"


async def test_a_question_outlives_the_runner(
    perijove: RunningPerijove, program: Program, kernel_id: str
) -> None:
    code = "print(input('? '))"
    call = await program.execute(kernel_id, code, request_id="r", allow_stdin=True)
    await call.until("input_request")
    old = perijove.kill("runner")
    await perijove.wait_restarted("runner", old)
    async with asyncio.timeout(GENEROUS_S):
        while True:
            try:
                again = await program.execute(kernel_id, code, request_id="r", allow_stdin=True)
                asked = (await again.until("input_request")).input_request
                break
            except grpc.aio.AioRpcError as error:
                assert error.code() in _LOST, error.details()  # noqa: PT017
    assert asked.prompt == "? "
    await again.answer(asked.input_id, "still here")
    assert (await again.finished()).outcome == pb.OUTCOME_OK
    assert again.printed == "still here\n"
