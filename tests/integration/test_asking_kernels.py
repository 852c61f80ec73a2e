"""Programs ask kernels about code, and use their subshells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest
from perijove.kernels.v1 import execution_pb2 as pb

if TYPE_CHECKING:
    from tests.executions import Program


async def test_subshells_run_beside_the_main_one(program: Program, kernel_id: str) -> None:
    made = await program.ask("CreateSubshell", pb.CreateSubshellRequest(kernel_id=kernel_id))
    listed = await program.ask("ListSubshells", pb.ListSubshellsRequest(kernel_id=kernel_id))
    assert list(listed.subshell_ids) == [made.subshell_id]
    main = await program.execute(
        kernel_id, "import time\nflag = 0\nwhile not flag: time.sleep(0.01)"
    )
    await main.until("started")
    _, finished = await program.run(kernel_id, "flag = 1", subshell_id=made.subshell_id)
    assert finished.outcome == pb.OUTCOME_OK
    assert (await main.finished()).outcome == pb.OUTCOME_OK
    completed = await program.ask(
        "Complete",
        pb.CompleteRequest(kernel_id=kernel_id, code="fla", subshell_id=made.subshell_id),
    )
    assert "flag" in completed.matches
    gone = pb.DeleteSubshellRequest(kernel_id=kernel_id, subshell_id=made.subshell_id)
    await program.ask("DeleteSubshell", gone)
    _, unknown = await program.run(kernel_id, "1", subshell_id=made.subshell_id)
    assert unknown.outcome == pb.OUTCOME_ERROR


async def test_a_kernel_tells_about_code(program: Program, kernel_id: str) -> None:
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
    tail = pb.HistoryRequest(kernel_id=kernel_id, tail=pb.HistoryTail(count=1))
    history = await program.ask("History", tail)
    assert history.entries[-1].input == "hello = 'wörld'"
    search = pb.HistorySearch(pattern="hello*", count=1)
    found = await program.ask("History", pb.HistoryRequest(kernel_id=kernel_id, search=search))
    assert found.entries[0].input == "hello = 'wörld'"
    for code, completeness in (
        ("1 + 1", pb.COMPLETENESS_COMPLETE),
        ("if x:", pb.COMPLETENESS_INCOMPLETE),
        ("if )", pb.COMPLETENESS_INVALID),
    ):
        said = await program.ask("IsComplete", pb.IsCompleteRequest(kernel_id=kernel_id, code=code))
        assert said.completeness == completeness
    assert (
        await program.ask("IsComplete", pb.IsCompleteRequest(kernel_id=kernel_id, code="if x:"))
    ).indent == "    "


async def test_history_has_results_if_asked_for(program: Program, kernel_id: str) -> None:
    await program.run(kernel_id, "6 * 7")
    request = pb.HistoryRequest(kernel_id=kernel_id, range=pb.HistoryRange(start=1), output=True)
    (entry,) = (await program.ask("History", request)).entries
    assert (entry.line_number, entry.input, entry.output) == (1, "6 * 7", "42")


async def test_a_question_to_a_busy_kernel_gives_up_at_its_deadline(
    program: Program, kernel_id: str
) -> None:
    call = await program.execute(kernel_id, "import time\ntime.sleep(600)")
    await call.until("started")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await program.ask("Complete", pb.CompleteRequest(kernel_id=kernel_id, code="x"), 1.0)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await call.interrupt()
    await call.finished()
