"""What users may start and send where that is limited, and what they are shown."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.client import GENEROUS_S
from tests.conformance.differences import differs_in
from tests.conformance.kernels import TestKernel
from tests.conformance.servers import install_kernelspec
from tests.kernel_sockets import all_within, answers, printed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conformance.client import Server
    from tests.conformance.conftest import StartServer

PYTHON = ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
SPEC = {"argv": PYTHON, "display_name": "x", "language": "python"}
BY_MESSAGE = {
    **SPEC,
    "interrupt_mode": "message",
    "env": {"OF_THE_SPEC": "1", "OTHER": "${HOME}/x"},
}
BROKEN = {
    "broken-no-json": "{",
    "broken-list": "[]",
    "broken-text": '"x"',
    "broken-argv": {**SPEC, "argv": 5},
    "broken-env": {**SPEC, "env": ["x"]},
    "broken-nothing": "",
}
NO_COMMAND = {**SPEC, "argv": ["/no/such/command", "{connection_file}"]}
MAY_START = ["python3", "by-message", "no-command", "new", *BROKEN]
MAY_SEND = [
    *("execute_request", "kernel_info_request", "interrupt_request"),
    *("comm_info_request", "shutdown_request"),
]
INSTEAD = "Ask your administrator."
NOTE = """
kernel = get_ipython().kernel
async def noted(stream, ident, parent):
    open({path!r}, "w").close()
    kernel.session.send(stream, "interrupt_reply", {{"status": "ok"}}, parent, ident=ident)
kernel.control_handlers["interrupt_request"] = noted
"""
WAIT = """
import os, time
while not os.path.exists({path!r}): time.sleep(0.05)
print("interrupted by message")
"""


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> Server:
    return start_server(
        {"by-message": BY_MESSAGE, "no-command": NO_COMMAND, "forbidden": SPEC, **BROKEN},
        allowed_kernelspecs=MAY_START,
        allowed_message_types=MAY_SEND,
        allow_tracebacks=False,
        traceback_replacement=INSTEAD,
        default_kernelspec="by-message",
    )


@pytest.fixture(scope="module")
def kernel(server: Server) -> Iterator[TestKernel]:
    kernel = TestKernel(server)
    yield kernel
    kernel.remove()


def until_specs(server: Server, holds: Callable[[dict[str, Any]], bool]) -> None:
    deadline = time.monotonic() + GENEROUS_S
    while not holds(server.ask("GET", "api/kernelspecs").json["kernelspecs"]):
        assert time.monotonic() < deadline
        time.sleep(0.1)


# Kernelspecs.


def test_only_kernelspecs_that_are_whole_and_allowed_are_listed(server: Server) -> None:
    model = server.ask("GET", "api/kernelspecs").json
    assert set(model["kernelspecs"]) == {"python3", "by-message", "no-command"}
    assert model["default"] == "by-message"
    spec = model["kernelspecs"]["by-message"]["spec"]
    assert spec["interrupt_mode"] == "message"
    assert spec["env"] == BY_MESSAGE["env"]
    assert server.ask("GET", "api/kernelspecs/by-message").json["spec"] == spec


def test_a_kernelspec_that_is_not_allowed_is_none(server: Server) -> None:
    if differs_in(server, "a kernelspec that is not allowed"):
        return
    assert server.ask("GET", "api/kernelspecs/forbidden").status == 404
    assert server.ask("POST", "api/kernels", json={"name": "forbidden"}).status == 400
    body = {"path": "x.ipynb", "type": "notebook", "kernel": {"name": "forbidden"}}
    assert server.ask("POST", "api/sessions", json=body).status == 501
    assert server.ask("GET", "api/kernels").json == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_kernelspec_is_none(server: Server, name: str) -> None:
    found = server.ask("GET", f"api/kernelspecs/{name}")
    if not differs_in(server, "a broken kernelspec"):
        assert found.status == 404
        assert found.json["message"] == f"Kernel spec {name} not found"
    assert server.ask("POST", "api/kernels", json={"name": name}).status in (400, 500)


def test_a_kernel_that_cannot_be_started_says_why(server: Server) -> None:
    answer = server.ask("POST", "api/kernels", json={"name": "no-command"})
    assert answer.status == 500
    if not differs_in(server, "why a kernel cannot be started"):
        assert "/no/such/command" in answer.json["message"]
    assert "no-command" not in {one["name"] for one in server.ask("GET", "api/kernels").json}


def test_kernelspecs_come_and_go_while_the_server_runs(server: Server) -> None:
    directory = install_kernelspec(server, "new", SPEC)
    (directory / "kernel.js").write_text("define({});")
    (directory / "logo-svg.svg").write_text("<svg/>")
    until_specs(server, lambda specs: len(specs.get("new", {}).get("resources", {})) > 1)
    resources = server.ask("GET", "api/kernelspecs/new").json["resources"]
    assert resources == {
        "kernel.js": f"{server.base}kernelspecs/new/kernel.js",
        "logo-svg": f"{server.base}kernelspecs/new/logo-svg.svg",
    }
    script = server.ask("GET", resources["kernel.js"])
    assert script.body == b"define({});"
    assert "javascript" in script.headers["Content-Type"]
    image = server.ask("HEAD", resources["logo-svg"])
    assert (image.status, image.headers["Content-Type"]) == (200, "image/svg+xml")
    described = server.ask("GET", "kernelspecs/new/kernel.json")
    assert (described.status, json.loads(described.body)) == (200, SPEC)
    shutil.rmtree(directory)
    until_specs(server, lambda specs: "new" not in specs)


# Messages.


async def test_messages_that_are_not_allowed_do_not_reach_the_kernel(
    server: Server, kernel: TestKernel
) -> None:
    async with kernel.connected() as socket:
        asked = await socket.send("shell", "complete_request", {"code": "1", "cursor_pos": 1})
        heard = answers(await socket.run("1") + await all_within(socket, 1), asked)
        if not differs_in(server, "a message that is not allowed"):
            (reply,) = (m for m in heard if m["channel"] == "shell")
            assert reply["content"]["ename"] == "MessageNotAllowed"


async def test_errors_of_cells_are_not_shown(server: Server, kernel: TestKernel) -> None:
    if differs_in(server, "errors that are not shown"):
        return
    async with kernel.connected() as socket:
        asked = await socket.execute("secret = 1 / 0")
        seen = answers(await socket.until_done(asked), asked)
    (error,) = (m["content"] for m in seen if m["header"]["msg_type"] == "error")
    hidden = {"ename": "ExecutionError", "evalue": "Execution error", "traceback": [INSTEAD]}
    assert error.items() >= hidden.items()
    (reply,) = (m["content"] for m in seen if m["header"]["msg_type"] == "execute_reply")
    assert reply["status"] == "error"
    assert reply.items() >= hidden.items()


# What a kernelspec asks for.


async def test_a_kernel_is_interrupted_by_message_if_its_spec_asks_for_it(
    kernel: TestKernel, tmp_path: Path
) -> None:
    path = str(tmp_path / "asked")
    async with kernel.connected() as socket:
        await socket.run(NOTE.format(path=path))
        asked = await socket.execute(WAIT.format(path=path))
        await kernel.until_state("busy")
        answer = await asyncio.to_thread(kernel.ask, "POST", "/interrupt")
        assert (answer.status, answer.body) == (204, b"")
        assert printed(await socket.until_done(asked), asked) == "interrupted by message\n"


async def test_a_kernel_has_the_environment_of_its_spec(kernel: TestKernel) -> None:
    async with kernel.connected() as socket:
        code = "import os; e = os.environ; print(e['OF_THE_SPEC'], e['OTHER'] == e['HOME'] + '/x')"
        assert await socket.output(code) == "1 True\n"
