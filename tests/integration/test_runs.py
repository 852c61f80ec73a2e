"""A run happens once, has its time, and has one end, whoever reads along."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from google.protobuf.duration_pb2 import Duration
from perijove.kernels.v1 import execution_pb2 as pb
from perijove.kernels.v1 import kernels_pb2
from perijove_chassis import errors

if TYPE_CHECKING:
    from tests.executions import Program


async def test_the_deadline_of_the_call_interrupts_the_cell(
    program: Program, kernel_id: str
) -> None:
    code = "import time\ntime.sleep(600)"
    call = await program.execute(kernel_id, code, request_id="slow", timeout_s=3)
    assert isinstance(await call.failure(), errors.DeadlineExceeded)
    again, finished = await program.run(kernel_id, code, request_id="slow")
    assert not again.accepted.created
    assert finished.outcome == pb.OUTCOME_ERROR
    assert finished.error.name == "KeyboardInterrupt"
    assert finished.timed_out


async def test_the_deadline_of_a_later_call_is_its_own(program: Program, kernel_id: str) -> None:
    code = "import time\ntime.sleep(4)\nprint('whole')"
    call = await program.execute(kernel_id, code, request_id="r", timeout_s=None)
    await call.until("started")
    again = await program.execute(kernel_id, code, request_id="r", timeout_s=1)
    assert isinstance(await again.failure(), errors.DeadlineExceeded)
    finished = await call.finished()
    assert (finished.outcome, finished.timed_out) == (pb.OUTCOME_OK, False)


async def test_a_time_limit_interrupts_and_shows_how_it_ended(
    program: Program, kernel_id: str
) -> None:
    call, finished = await program.run(
        kernel_id,
        "print('begun', flush=True)\nwhile True: pass",
        time_limit=Duration(seconds=1),
    )
    assert call.printed == "begun\n"
    assert call.seen[-2].error.name == "KeyboardInterrupt"
    assert finished.timed_out


async def test_a_run_whose_time_is_over_before_it_begins_leaves_the_one_before_it_alone(
    program: Program, kernel_id: str
) -> None:
    first = await program.execute(kernel_id, "import time\ntime.sleep(3)\nprint('whole')")
    await first.until("started")
    second = await program.execute(
        kernel_id, "time.sleep(600)", time_limit=Duration(nanos=300_000_000)
    )
    assert (await first.finished()).outcome == pb.OUTCOME_OK
    assert first.printed == "whole\n"
    finished = await second.finished()
    assert (finished.error.name, finished.timed_out) == ("KeyboardInterrupt", True)


async def test_a_client_interrupts_its_run(program: Program, kernel_id: str) -> None:
    call = await program.execute(kernel_id, "import time\ntime.sleep(600)")
    await call.until("started")
    await call.interrupt()
    finished = await call.finished()
    assert finished.error.name == "KeyboardInterrupt"
    assert not finished.timed_out


async def test_a_cancelled_call_leaves_the_run_to_go_on(program: Program, kernel_id: str) -> None:
    code = "import time\nfor n in range(20):\n    print(n, flush=True)\n    time.sleep(0.1)"
    call = await program.execute(kernel_id, code, request_id="r")
    await call.until("stream")
    call.drop()
    again, finished = await program.run(kernel_id, code, request_id="r")
    assert finished.outcome == pb.OUTCOME_OK
    assert again.printed.split() == [str(n) for n in range(20)]


async def test_a_retry_reads_on_after_a_position(program: Program, kernel_id: str) -> None:
    code = "print('a', flush=True)\nprint('b', flush=True)\nprint('c')"
    call, _ = await program.run(kernel_id, code, request_id="r")
    whole = call.printed
    positions = [found.position for found in call.seen if found.HasField("stream")]
    again, finished = await program.run(
        kernel_id, code, request_id="r", after_position=positions[0]
    )
    assert not again.accepted.created
    assert whole.startswith("a\n")
    assert again.printed == "".join(
        found.stream.text for found in call.seen if found.position > positions[0]
    )
    assert finished.output_bytes == 6


async def test_calls_at_the_same_time_run_the_code_once(program: Program, kernel_id: str) -> None:
    await program.run(kernel_id, "n = 0")
    calls = await asyncio.gather(
        *(program.run(kernel_id, "n += 1\nprint(n)", request_id="once") for _ in range(10))
    )
    assert {call.printed for call, _ in calls} == {"1\n"}
    assert sum(call.accepted.created for call, _ in calls) == 1


async def test_an_id_stands_for_one_execution(program: Program, kernel_id: str) -> None:
    await program.run(kernel_id, "1", request_id="r")
    call = await program.execute(kernel_id, "2", request_id="r")
    failure = await call.failure()
    assert isinstance(failure, errors.AlreadyExists)
    assert failure.reason == "ID_IN_USE"


async def test_a_run_without_an_id_gets_one(program: Program, kernel_id: str) -> None:
    call, _ = await program.run(kernel_id, "print(1)", request_id="")
    again, _ = await program.run(kernel_id, "print(1)", request_id=call.accepted.request_id)
    assert (again.accepted.created, again.printed) == (False, "1\n")


async def test_the_end_of_the_kernel_is_typed(program: Program, kernel_id: str) -> None:
    _, finished = await program.run(kernel_id, "import os\nos._exit(7)", request_id="exits")
    assert finished.outcome == pb.OUTCOME_KERNEL_ENDED
    assert finished.kernel_exit.cause == kernels_pb2.EXIT_CAUSE_EXITED
    assert finished.kernel_exit.exit_code == 7
    # It is not run again, in the next process either.
    again, same = await program.run(kernel_id, "import os\nos._exit(7)", request_id="exits")
    assert not again.accepted.created
    assert same.kernel_exit == finished.kernel_exit
    _, after = await program.run(kernel_id, "1")
    assert after.outcome == pb.OUTCOME_OK


async def test_a_restart_ends_runs_and_begins_none(program: Program, kernel_id: str) -> None:
    call = await program.execute(kernel_id, "import time\ntime.sleep(600)", request_id="r")
    waiting = await program.execute(kernel_id, "ran = 1", request_id="w")
    await call.until("started")
    await waiting.until("accepted")
    await program.restart(kernel_id)
    finished = await call.finished()
    assert finished.outcome in (pb.OUTCOME_KERNEL_ENDED, pb.OUTCOME_ERROR)
    # The end of the first one may have let it run in the process that was about to end.
    ended = await waiting.finished()
    again, same = await program.run(kernel_id, "ran = 1", request_id="w")
    assert (again.accepted.created, same.outcome) == (False, ended.outcome)
    after, _ = await program.run(kernel_id, "print('ran' in globals())")
    assert after.printed == "False\n"


async def test_a_shutdown_ends_runs(program: Program, kernel_id: str) -> None:
    code = "import time\nwhile True:\n  try:\n    time.sleep(600)\n  except BaseException: pass"
    call = await program.execute(kernel_id, code)
    await call.until("started")
    await program.shutdown(kernel_id)
    finished = await call.finished()
    assert finished.outcome == pb.OUTCOME_KERNEL_ENDED
    assert finished.kernel_exit.cause == kernels_pb2.EXIT_CAUSE_SHUTDOWN
    failure = await (await program.execute(kernel_id, code)).failure()
    assert failure.reason == "NO_SUCH_KERNEL"


async def test_what_waits_behind_a_failure_is_aborted_if_asked_for(
    program: Program, kernel_id: str
) -> None:
    first = await program.execute(kernel_id, "import time\ntime.sleep(1)\n1 / 0")
    await first.until("started")
    second = await program.execute(kernel_id, "print('no')")
    assert (await first.finished()).outcome == pb.OUTCOME_ERROR
    assert (await second.finished()).outcome == pb.OUTCOME_ABORTED
    first = await program.execute(
        kernel_id, "import time\ntime.sleep(1)\n1 / 0", stop_on_error=False
    )
    await first.until("started")
    second = await program.execute(kernel_id, "print('yes')")
    assert (await second.finished()).outcome == pb.OUTCOME_OK
