"""What a Jupyter client has of every kernel: its messages, whole and in order."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.integration.any_kernel.implementations import Implementation
    from tests.jupyter_ws import JupyterClient, KernelSocket, Message

LINES = 5000
BUFFERS = (bytes(range(256)) * 40_000, b"", b"\x00\xff")

ECHO = """
import comm
def opened(channel, message):
    channel.send({"seen": message["content"]["data"]}, buffers=message["buffers"])
    @channel.on_msg
    def _(message):
        channel.send({"again": len(message["buffers"])}, buffers=message["buffers"][::-1])
    @channel.on_close
    def _(message):
        print("closed", message["content"]["data"], flush=True)
comm.get_comm_manager().register_target("echo", opened)
"""


async def ask(
    kernel: KernelSocket, kind: str, content: dict[str, Any], channel: str = "shell"
) -> dict[str, Any]:
    """Return the content of the reply to a request."""
    request = await kernel.send(f"{kind}_request", content, channel)
    await kernel.until(lambda: replies(kernel, request, kind) and kernel.idles(request))
    (reply,) = replies(kernel, request, kind)
    assert reply.channel == channel
    assert reply.content["status"] != "error"
    return reply.content


def replies(kernel: KernelSocket, request: str, kind: str) -> list[Message]:
    return [found for found in kernel.of(request) if found.kind == f"{kind}_reply"]


def published(kernel: KernelSocket, request: str) -> list[Message]:
    return [found for found in kernel.of(request) if found.channel == "iopub"]


def heard(kernel: KernelSocket, kind: str, comm_id: str) -> list[Message]:
    return [
        found
        for found in kernel.messages
        if found.kind == kind and found.content["comm_id"] == comm_id
    ]


async def test_it_says_what_it_is_and_which_protocol_it_speaks(
    kernel: KernelSocket, implementation: Implementation
) -> None:
    info = await ask(kernel, "kernel_info", {})
    assert info["implementation"] == implementation.name
    assert info["language_info"]["name"] == "python"
    major, minor = (int(part) for part in info["protocol_version"].split("."))
    assert major == 5
    assert minor >= 3
    asked = await ask(kernel, "kernel_info", {}, "control")
    # IPython has another tip for each who asks.
    assert asked | {"banner": info["banner"]} == info


async def test_it_runs_code_in_the_order_of_the_protocol(kernel: KernelSocket) -> None:
    request = await kernel.start("print('Io'); 6 * 7")
    reply = await kernel.finished(request)
    assert (reply.channel, reply.content["status"]) == ("shell", "ok")
    messages = published(kernel, request)
    kinds = ["status", "execute_input", "stream", "execute_result", "status"]
    assert [found.kind for found in messages] == kinds
    assert [messages[0].content, messages[-1].content] == [
        {"execution_state": "busy"},
        {"execution_state": "idle"},
    ]
    assert messages[2].content == {"name": "stdout", "text": "Io\n"}
    assert messages[3].content["data"]["text/plain"] == "42"
    assert reply.content["execution_count"] == messages[1].content["execution_count"] == 1


async def test_of_a_flood_nothing_is_lost_and_its_streams_are_told_apart(
    kernel: KernelSocket,
) -> None:
    code = (
        "import sys\n"
        f"for n in range({LINES}):\n"
        "    print(n)\n"
        "    if n % 100 == 0: print(n, file=sys.stderr)"
    )
    request = await kernel.start(code)
    await kernel.finished(request)
    assert kernel.printed(request).split() == [str(n) for n in range(LINES)]
    assert kernel.printed(request, "stderr").split() == [str(n) for n in range(0, LINES, 100)]


async def test_of_a_flood_of_messages_nothing_is_lost(kernel: KernelSocket) -> None:
    # Kernels drop what they show while a thousand messages of theirs are not sent yet. Their
    # threads that send are given time, as others may have the processor.
    code = (
        "import time\n"
        f"for n in range({LINES}):\n"
        "    display({'text/plain': str(n)}, raw=True)\n"
        "    if n % 500 == 499: time.sleep(0.1)"
    )
    request = await kernel.start(code)
    await kernel.finished(request)
    shown = [
        m.content["data"]["text/plain"] for m in kernel.of(request) if m.kind == "display_data"
    ]
    assert shown == [str(n) for n in range(LINES)]


async def test_large_messages_pass_in_both_directions(kernel: KernelSocket) -> None:
    request = await kernel.start("given = '" + "x" * 8_000_000 + "'\nprint(given)")
    await kernel.finished(request)
    assert len(kernel.printed(request)) == 8_000_001
    (told,) = [found for found in kernel.of(request) if found.kind == "execute_input"]
    assert len(told.content["code"]) > 8_000_000


async def test_what_it_shows_is_changed_later(kernel: KernelSocket) -> None:
    request = await kernel.start(
        "shown = display({'text/plain': 'a', 'application/json': {'b': [1]}}, raw=True,"
        " metadata={'c': 1}, display_id='d')\n"
        "shown.update({'text/plain': 'later'}, raw=True)"
    )
    await kernel.finished(request)
    first, second = (found for found in published(kernel, request) if "display" in found.kind)
    assert first.content["data"] == {"text/plain": "a", "application/json": {"b": [1]}}
    assert first.content["metadata"] == {"c": 1}
    assert (second.kind, second.content["data"]) == ("update_display_data", {"text/plain": "later"})
    assert first.content["transient"] == second.content["transient"] == {"display_id": "d"}


async def test_its_errors_are_told_with_a_traceback_and_it_goes_on(kernel: KernelSocket) -> None:
    request = await kernel.start("def fall():\n    1 / 0\nfall()")
    reply = await kernel.finished(request)
    assert (reply.content["status"], reply.content["ename"]) == ("error", "ZeroDivisionError")
    (error,) = [found for found in kernel.of(request) if found.kind == "error"]
    assert (error.content["ename"], error.content["evalue"]) == (
        "ZeroDivisionError",
        "division by zero",
    )
    assert "fall" in "".join(error.content["traceback"])
    assert await kernel.run("print(1)") == "1\n"


async def test_it_completes_inspects_and_judges(kernel: KernelSocket) -> None:
    await kernel.run("import math")
    found = await ask(kernel, "complete", {"code": "math.sq", "cursor_pos": 7})
    assert any(match.endswith("sqrt") for match in found["matches"])
    assert found["cursor_end"] == 7
    found = await ask(kernel, "inspect", {"code": "math.sqrt", "cursor_pos": 9, "detail_level": 0})
    assert found["found"]
    assert "square root" in found["data"]["text/plain"]
    for code, status in (("1 + 1", "complete"), ("for x in y:", "incomplete"), ("x )", "invalid")):
        assert (await ask(kernel, "is_complete", {"code": code}))["status"] == status


async def test_it_remembers_what_it_ran(kernel: KernelSocket) -> None:
    await kernel.run("6 * 7")
    await kernel.run("moon = 'Himalia'")
    asked: dict[str, Any] = {"output": True, "raw": True, "hist_access_type": "range", "session": 0}
    found = await ask(kernel, "history", asked | {"start": 1, "stop": 3})
    assert [entry[1:] for entry in found["history"]] == [
        [1, ["6 * 7", "42"]],
        [2, ["moon = 'Himalia'", None]],
    ]


async def test_its_questions_are_answered(kernel: KernelSocket) -> None:
    code = "import getpass\nprint('hello', input('who? '), getpass.getpass('word? '))"
    content = {"code": code, "silent": False, "allow_stdin": True}
    request = await kernel.send("execute_request", content)
    for prompt, hidden, answer in (("who? ", False, "Io"), ("word? ", True, "sésame")):
        await kernel.until(lambda prompt=prompt: questions(kernel, request, prompt))
        (question,) = questions(kernel, request, prompt)
        assert (question.channel, question.content["password"]) == ("stdin", hidden)
        content = {"value": answer, "status": "ok"}
        # Some kernels take an answer only if it says to what.
        await kernel.send("input_reply", content, "stdin", parent=question.header)
    await kernel.finished(request)
    assert kernel.printed(request).endswith("hello Io sésame\n")


def questions(kernel: KernelSocket, request: str, prompt: str) -> list[Message]:
    return [
        found
        for found in kernel.of(request)
        if found.kind == "input_request" and found.content["prompt"] == prompt
    ]


async def test_questions_without_anybody_to_ask_fail(kernel: KernelSocket) -> None:
    request = await kernel.start("input('who? ')")
    assert (await kernel.finished(request)).content["status"] == "error"
    assert questions(kernel, request, "who? ") == []


async def test_buffers_of_its_own_comm_arrive(kernel: KernelSocket) -> None:
    await kernel.run(
        "import comm\n"
        "buffers = [bytes(range(256)) * 40_000, b'', bytes([0, 255])]\n"
        "opened = comm.create_comm(target_name='t', data={'moon': 'Thebe'}, buffers=buffers)"
    )
    # Not each kernel says in which cell.
    await kernel.until(lambda: [m for m in kernel.messages if m.kind == "comm_open"])
    (opened,) = [found for found in kernel.messages if found.kind == "comm_open"]
    assert (opened.content["target_name"], opened.content["data"]) == ("t", {"moon": "Thebe"})
    assert opened.buffers == BUFFERS
    comm_id = opened.content["comm_id"]
    known = await ask(kernel, "comm_info", {"target_name": "t"})
    assert known["comms"] == {comm_id: {"target_name": "t"}}
    await kernel.run("opened.close({'why': 'done'}, buffers=[b'end'])")
    await kernel.until(lambda: heard(kernel, "comm_close", comm_id))
    (closed,) = heard(kernel, "comm_close", comm_id)
    assert (closed.content["data"], closed.buffers) == ({"why": "done"}, (b"end",))


async def test_buffers_pass_to_it_and_back(kernel: KernelSocket) -> None:
    await kernel.run(ECHO)
    comm_id = uuid.uuid4().hex
    content = {"comm_id": comm_id, "target_name": "echo", "data": {"moon": "Thebe"}}
    await kernel.send("comm_open", content, buffers=BUFFERS)
    await kernel.until(lambda: heard(kernel, "comm_msg", comm_id))
    (seen,) = heard(kernel, "comm_msg", comm_id)
    assert (seen.content["data"], seen.buffers) == ({"seen": {"moon": "Thebe"}}, BUFFERS)
    await kernel.send("comm_msg", {"comm_id": comm_id, "data": {}}, buffers=BUFFERS)
    await kernel.until(lambda: len(heard(kernel, "comm_msg", comm_id)) > 1)
    _, again = heard(kernel, "comm_msg", comm_id)
    assert (again.content["data"], again.buffers) == ({"again": 3}, BUFFERS[::-1])
    request = await kernel.send("comm_close", {"comm_id": comm_id, "data": {"moon": "Io"}})
    await kernel.until(lambda: kernel.idles(request) and kernel.printed(request))
    assert kernel.printed(request) == "closed {'moon': 'Io'}\n"
    assert (await ask(kernel, "comm_info", {"target_name": "echo"}))["comms"] == {}


async def test_several_clients_see_its_output_and_each_only_its_own_replies(
    jupyter: JupyterClient, kernel: KernelSocket, kernel_id: str
) -> None:
    async with jupyter.kernel(kernel_id) as other:
        request = await kernel.start("print('both')")
        await kernel.finished(request)
        await other.until(lambda: other.idles(request))
        assert other.printed(request) == "both\n"
        assert other.replies(request) == []
        assert await other.run("print('again')") == "again\n"
