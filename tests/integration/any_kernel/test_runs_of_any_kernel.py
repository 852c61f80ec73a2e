"""What a program has of every kernel through the typed API."""

from __future__ import annotations

import signal
import uuid
from typing import TYPE_CHECKING

import grpc
import psutil
import pytest
from google.protobuf.duration_pb2 import Duration
from perijove.kernels.v1 import execution_pb2 as pb
from perijove.kernels.v1 import kernels_pb2

from tests.running import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.executions import Program
    from tests.integration.any_kernel.implementations import Implementation
    from tests.running import RunningPerijove

LINES = 5000


async def test_text_and_a_result_come_in_order(program: Program, kernel_id: str) -> None:
    call, finished = await program.run(
        kernel_id, "import sys\nprint('a')\nprint('b', file=sys.stderr)\n6 * 7"
    )
    assert call.kinds() == ["started", "stream", "stream", "result", "finished"]
    _, out, err, result = (response for response in call.seen[1:-1])
    assert (out.stream.name, out.stream.text) == (pb.STREAM_NAME_STDOUT, "a\n")
    assert (err.stream.name, err.stream.text) == (pb.STREAM_NAME_STDERR, "b\n")
    (data,) = result.result.bundle.data
    assert (data.mime_type, data.text) == ("text/plain", "42")
    assert (finished.outcome, finished.execution_count) == (pb.OUTCOME_OK, 1)
    assert not finished.incomplete


async def test_of_a_flood_nothing_is_lost(program: Program, kernel_id: str) -> None:
    call, finished = await program.run(kernel_id, f"for n in range({LINES}): print(n, flush=True)")
    assert finished.outcome == pb.OUTCOME_OK
    assert call.printed.split() == [str(n) for n in range(LINES)]


async def test_an_error_is_typed_and_has_its_traceback(program: Program, kernel_id: str) -> None:
    call, finished = await program.run(kernel_id, "def fall():\n    1 / 0\nfall()")
    error = call.seen[-2].error
    assert (error.name, error.value) == ("ZeroDivisionError", "division by zero")
    assert "fall" in "".join(error.traceback)
    assert finished.outcome == pb.OUTCOME_ERROR
    assert (finished.error.name, finished.error.value) == (error.name, error.value)


async def test_a_question_is_answered_on_the_stream(program: Program, kernel_id: str) -> None:
    code = "import getpass\nprint(input('who? ') + getpass.getpass('pw'))"
    call = await program.execute(kernel_id, code, allow_stdin=True)
    asked = (await call.until("input_request")).input_request
    assert (asked.prompt, asked.password) == ("who? ", False)
    await call.answer(asked.input_id, "me")
    again = (await call.until("input_request")).input_request
    assert (again.prompt, again.password) == ("pw", True)
    await call.answer(again.input_id, "secret")
    assert (await call.finished()).outcome == pb.OUTCOME_OK
    assert call.printed.endswith("mesecret\n")


async def test_a_run_is_interrupted(
    program: Program, kernel_id: str, implementation: Implementation
) -> None:
    call = await program.execute(kernel_id, "print('on', flush=True)\nimport time; time.sleep(600)")
    await call.until("stream")
    await call.interrupt()
    finished = await call.finished()
    assert (finished.outcome, finished.error.name) == (
        pb.OUTCOME_ERROR,
        implementation.interrupted,
    )
    assert not finished.timed_out
    call, _ = await program.run(kernel_id, "print(1)")
    assert call.printed == "1\n"


async def test_a_time_limit_interrupts_a_run(program: Program, kernel_id: str) -> None:
    _, finished = await program.run(kernel_id, "while True: pass", time_limit=Duration(seconds=2))
    assert finished.timed_out
    assert (await program.run(kernel_id, "1"))[1].outcome == pb.OUTCOME_OK


async def test_code_is_run_once_however_often_it_is_sent(program: Program, kernel_id: str) -> None:
    await program.run(kernel_id, "count = 0")
    request_id = uuid.uuid4().hex
    for _ in range(5):
        call = await program.execute(kernel_id, "count += 1\ncount", request_id=request_id)
        await call.next()
        call.drop()
    call, finished = await program.run(kernel_id, "count += 1\ncount", request_id=request_id)
    assert (call.accepted.created, finished.outcome) == (False, pb.OUTCOME_OK)
    assert call.seen[-2].result.bundle.data[0].text == "1"


async def test_it_tells_about_code(program: Program, kernel_id: str) -> None:
    await program.run(kernel_id, "hello = 'wörld'")
    completed = await program.ask(
        "Complete", pb.CompleteRequest(kernel_id=kernel_id, code="x = hell; y", cursor_pos=8)
    )
    assert "hello" in completed.matches
    assert (completed.cursor_start, completed.cursor_end) == (4, 8)
    inspected = await program.ask("Inspect", pb.InspectRequest(kernel_id=kernel_id, code="hello"))
    assert inspected.found
    assert "wörld" in {data.mime_type: data for data in inspected.bundle.data}["text/plain"].text
    nothing = await program.ask("Inspect", pb.InspectRequest(kernel_id=kernel_id, code="nope"))
    assert not nothing.found
    for code, completeness in (
        ("1 + 1", pb.COMPLETENESS_COMPLETE),
        ("if x:", pb.COMPLETENESS_INCOMPLETE),
        ("if )", pb.COMPLETENESS_INVALID),
    ):
        said = await program.ask("IsComplete", pb.IsCompleteRequest(kernel_id=kernel_id, code=code))
        assert said.completeness == completeness


async def test_it_tells_what_it_ran(program: Program, kernel_id: str) -> None:
    await program.run(kernel_id, "6 * 7")
    request = pb.HistoryRequest(kernel_id=kernel_id, range=pb.HistoryRange(start=1), output=True)
    (entry,) = (await program.ask("History", request)).entries
    assert (entry.line_number, entry.input, entry.output) == (1, "6 * 7", "42")
    for asked in (
        pb.HistoryRequest(kernel_id=kernel_id, tail=pb.HistoryTail(count=1)),
        pb.HistoryRequest(kernel_id=kernel_id, search=pb.HistorySearch(pattern="6 *", count=1)),
    ):
        found = await program.ask("History", asked)
        assert [entry.input for entry in found.entries] == ["6 * 7"]


async def test_subshells_run_beside_the_main_one(program: Program, kernel_id: str) -> None:
    made = await program.ask("CreateSubshell", pb.CreateSubshellRequest(kernel_id=kernel_id))
    listed = await program.ask("ListSubshells", pb.ListSubshellsRequest(kernel_id=kernel_id))
    assert list(listed.subshell_ids) == [made.subshell_id]
    # Not all kernels have a thread for each: this one waits without holding any.
    main = await program.execute(
        kernel_id, "import asyncio, sys\nwhile not hasattr(sys, 'flag'): await asyncio.sleep(0.01)"
    )
    await main.until("started")
    # Not by a variable: in some kernels each subshell has its own.
    _, finished = await program.run(
        kernel_id, "import sys; sys.flag = 1", subshell_id=made.subshell_id
    )
    assert finished.outcome == pb.OUTCOME_OK
    assert (await main.finished()).outcome == pb.OUTCOME_OK
    gone = pb.DeleteSubshellRequest(kernel_id=kernel_id, subshell_id=made.subshell_id)
    await program.ask("DeleteSubshell", gone)
    listed = await program.ask("ListSubshells", pb.ListSubshellsRequest(kernel_id=kernel_id))
    assert list(listed.subshell_ids) == []


async def test_a_run_outlives_the_runner(
    perijove: RunningPerijove, program: Program, kernel_id: str
) -> None:
    code = "import time\nfor n in range(30): print(n, flush=True); time.sleep(0.1)\n'end'"
    request_id = uuid.uuid4().hex
    call = await program.execute(kernel_id, code, request_id=request_id)
    await call.until("stream")
    old = perijove.kill("runner")
    with pytest.raises(grpc.aio.AioRpcError):
        await call.finished()
    await perijove.wait_restarted("runner", old)
    again, finished = await program.run(kernel_id, code, request_id=request_id)
    assert not again.accepted.created
    assert (finished.outcome, finished.execution_count) == (pb.OUTCOME_OK, 1)
    numbers = [int(word) for word in again.printed.split()]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 29


async def test_a_run_that_ends_while_there_is_no_runner_is_told_so(
    perijove: RunningPerijove, program: Program, kernel_id: str, tmp_path: Path
) -> None:
    gone, done = tmp_path / "gone", tmp_path / "done"
    code = f"""
import pathlib, time
print("begun", flush=True)
while not pathlib.Path({str(gone)!r}).exists():
    time.sleep(0.05)
pathlib.Path({str(done)!r}).touch()"""
    request_id = uuid.uuid4().hex
    call = await program.execute(kernel_id, code, request_id=request_id)
    await call.until("stream")
    supervisor = psutil.Process(perijove.pid("runner_supervisor"))
    supervisor.suspend()
    try:
        old = perijove.kill("runner")
        gone.touch()
        await until(done.exists)
    finally:
        supervisor.resume()
    await perijove.wait_restarted("runner", old)
    again, finished = await program.run(kernel_id, code, request_id=request_id)
    assert not again.accepted.created
    assert finished.outcome == pb.OUTCOME_REPLY_LOST
    _, finished = await program.run(kernel_id, "1")
    assert finished.outcome == pb.OUTCOME_OK


async def test_when_it_dies_the_run_says_of_what(program: Program, kernel_id: str) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    _, finished = await program.run(kernel_id, code)
    assert finished.outcome == pb.OUTCOME_KERNEL_ENDED
    assert finished.kernel_exit.cause == kernels_pb2.EXIT_CAUSE_SIGNALED
    assert finished.kernel_exit.signal == signal.SIGKILL
    _, finished = await program.run(kernel_id, "import os; os._exit(7)")
    assert finished.kernel_exit.cause == kernels_pb2.EXIT_CAUSE_EXITED
    assert finished.kernel_exit.exit_code == 7
    assert (await program.run(kernel_id, "1"))[1].outcome == pb.OUTCOME_OK
