"""What a program is sent of the code it runs, through the kernels service."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from perijove.kernels.v1 import execution_pb2 as pb
from perijove_chassis import errors
from perijove_chassis.status import error_of

if TYPE_CHECKING:
    from tests.executions import Program


async def test_text_and_a_result_come_in_order(program: Program, kernel_id: str) -> None:
    call, finished = await program.run(
        kernel_id, "import sys\nprint('a')\nprint('b', file=sys.stderr)\n6 * 7"
    )
    assert call.accepted.created
    assert call.kinds() == ["started", "stream", "stream", "result", "finished"]
    started, out, err, result = (response for response in call.seen[1:-1])
    assert started.started.execution_count == result.result.execution_count == 1
    assert (out.stream.name, out.stream.text) == (pb.STREAM_NAME_STDOUT, "a\n")
    assert (err.stream.name, err.stream.text) == (pb.STREAM_NAME_STDERR, "b\n")
    (data,) = result.result.bundle.data
    assert (data.mime_type, data.text) == ("text/plain", "42")
    assert finished.outcome == pb.OUTCOME_OK
    assert (finished.execution_count, finished.output_bytes) == (1, 6)
    assert not (finished.timed_out)
    assert not (finished.incomplete)
    positions = [response.position for response in call.seen[1:-1]]
    assert positions == sorted(set(positions))


async def test_displays_have_bytes_for_images_and_json_for_objects(
    program: Program, kernel_id: str
) -> None:
    code = """
from IPython.display import clear_output, display
import base64
png = base64.encodebytes(b"\\x89PNG" * 100).decode()
data = {"image/png": png, "image/svg+xml": "<svg/>", "application/json": {"a": [1]},
        "application/vnd.x+json": "text", "text/html": "<b>", "application/vnd.y": {"b": 2}}
handle = display(data, metadata={"image/png": {"width": 3}}, raw=True, display_id="d")
handle.update({"text/plain": "later"}, raw=True)
clear_output(wait=True)
"""
    call, _ = await program.run(kernel_id, code)
    assert call.kinds()[1:] == ["display_data", "update_display_data", "clear_output", "finished"]
    shown = call.seen[2].display_data
    data = {found.mime_type: found for found in shown.bundle.data}
    assert data["image/png"].binary == b"\x89PNG" * 100
    assert data["image/svg+xml"].text == "<svg/>"
    assert json.loads(data["application/json"].json) == {"a": [1]}
    assert json.loads(data["application/vnd.x+json"].json) == "text"
    assert data["text/html"].text == "<b>"
    assert json.loads(data["application/vnd.y"].json) == {"b": 2}
    assert json.loads(shown.bundle.metadata_json) == {"image/png": {"width": 3}}
    updated = call.seen[3].update_display_data
    assert (updated.display_id, updated.bundle.data[0].text) == ("d", "later")
    assert call.seen[4].clear_output.wait


async def test_an_error_is_typed_and_has_its_traceback(program: Program, kernel_id: str) -> None:
    call, finished = await program.run(kernel_id, "def f():\n    1 / 0\nf()")
    error = call.seen[-2].error
    assert (error.name, error.value) == ("ZeroDivisionError", "division by zero")
    assert any("1 / 0" in line or "/" in line for line in error.traceback)
    assert finished.outcome == pb.OUTCOME_ERROR
    assert finished.error == error


async def test_expressions_are_evaluated_after_the_code(program: Program, kernel_id: str) -> None:
    _, finished = await program.run(
        kernel_id, "x = 2", user_expressions={"good": "x * 3", "bad": "y"}
    )
    assert finished.user_expressions["good"].bundle.data[0].text == "6"
    assert finished.user_expressions["bad"].error.name == "NameError"


async def test_a_silent_run_shows_no_start_and_is_not_counted(
    program: Program, kernel_id: str
) -> None:
    call, finished = await program.run(kernel_id, "print('x'); 5", silent=True)
    assert call.kinds() == ["stream", "finished"]
    assert finished.outcome == pb.OUTCOME_OK
    _, after = await program.run(kernel_id, "1")
    assert after.execution_count == 1


async def test_a_question_is_answered_on_the_stream(program: Program, kernel_id: str) -> None:
    call = await program.execute(
        kernel_id, "import getpass\nprint(input('who? ') + getpass.getpass('pw'))", allow_stdin=True
    )
    asked = (await call.until("input_request")).input_request
    assert (asked.prompt, asked.password) == ("who? ", False)
    await call.answer(asked.input_id, "me")
    again = (await call.until("input_request")).input_request
    assert (again.prompt, again.password) == ("pw", True)
    # An answer to the first one does not become one to the second.
    await call.answer(asked.input_id, "not this")
    await call.answer(again.input_id, "secret")
    assert (await call.finished()).outcome == pb.OUTCOME_OK
    assert call.printed == "mesecret\n"


async def test_a_question_that_waits_is_asked_again_on_a_new_call(
    program: Program, kernel_id: str
) -> None:
    code = "print(1)\nprint(input('? '))\nprint(input('! '))"
    call = await program.execute(kernel_id, code, request_id="r", allow_stdin=True)
    asked = (await call.until("input_request")).input_request
    call.drop()
    again = await program.execute(kernel_id, code, request_id="r", allow_stdin=True)
    assert (await again.until("input_request")).input_request == asked
    await again.answer(asked.input_id, "a")
    second = (await again.until("input_request")).input_request
    assert second.prompt == "! "
    third = await program.execute(kernel_id, code, request_id="r", allow_stdin=True)
    assert (await third.until("input_request")).input_request == second
    assert third.kinds().count("input_request") == 1
    await third.answer(second.input_id, "b")
    await third.finished()
    await again.finished()
    assert again.printed == third.printed == "1\na\nb\n"


async def test_code_that_may_not_ask_fails(program: Program, kernel_id: str) -> None:
    _, finished = await program.run(kernel_id, "input()")
    assert finished.error.name == "StdinNotImplementedError"


async def test_output_is_capped_and_the_code_runs_on(program: Program, kernel_id: str) -> None:
    code = "print('é' * 600)\nprint('more' * 1000)\ndone = 1\n'x' * 3000"
    call, finished = await program.run(kernel_id, code, max_output_bytes=1001)
    assert call.printed == "é" * 500
    assert call.kinds() == ["started", "stream", "truncated", "finished"]
    assert call.seen[-2].truncated.max_output_bytes == 1001
    assert (finished.outcome, finished.incomplete) == (pb.OUTCOME_OK, True)
    assert finished.output_bytes == 1201 + 4001 + 3002
    more, _ = await program.run(kernel_id, "print(done)")
    assert more.printed == "1\n"


async def test_nonsense_is_refused(program: Program, kernel_id: str) -> None:
    for fields in (
        {"request_id": "a b"},
        {"request_id": "x" * 129},
        {"after_position": -1},
        {"max_output_bytes": -1},
        {"time_limit": Duration()},
        {"subshell_id": "\n"},
    ):
        call = await program.execute(kernel_id, "1", **fields)
        assert isinstance(await call.failure(), errors.InvalidArgument), fields
    call = await program.execute(kernel_id, "1")
    await call.raw.write(pb.ExecuteRequest())
    assert isinstance(await call.failure(), errors.InvalidArgument)
    for request in (
        pb.HistoryRequest(kernel_id=kernel_id),
        pb.HistoryRequest(kernel_id=kernel_id, tail=pb.HistoryTail(count=-1)),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await program.ask("History", request)
        assert isinstance(error_of(caught.value), errors.InvalidArgument)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await program.ask("IsComplete", pb.IsCompleteRequest(kernel_id="nope", code="1"))
    assert error_of(caught.value).reason == "NO_SUCH_KERNEL"
