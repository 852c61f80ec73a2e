"""A kernel's life, as its model shows it."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.client import TIME
from tests.conformance.differences import differs_in
from tests.conformance.kernels import TestKernel
from tests.conformance.test_rest_kernels import KERNEL_KEYS
from tests.kernel_sockets import all_within, printed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conformance.client import Server

DIE = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


@pytest.fixture
def kernel(server: Server, tree: Path) -> Iterator[TestKernel]:
    assert tree.exists()
    kernel = TestKernel(server, name="python3")
    yield kernel
    kernel.remove()


async def test_kernel_starts_is_busy_and_is_idle_again(server: Server, kernel: TestKernel) -> None:
    model = kernel.started.json
    assert model["execution_state"] == "starting"
    assert model["connections"] == 0
    if not differs_in(server, "the end of a start"):
        await kernel.until_state("idle")
    async with kernel.connected() as socket:
        await kernel.until(lambda answer: answer.json["connections"] == 1)
        idle = await kernel.until_state("idle")
        asked = await socket.execute("import time; time.sleep(3)")
        busy = await kernel.until_state("busy")
        assert busy["last_activity"] >= idle["last_activity"]
        await socket.until_done(asked)
        after = await kernel.until_state("idle")
        assert after["last_activity"] > busy["last_activity"]
        assert TIME.fullmatch(after["last_activity"])
    left = await kernel.until(lambda answer: answer.json["connections"] == 0)
    assert left.json["execution_state"] == "idle"
    assert left.json["last_activity"] == after["last_activity"]


async def test_every_socket_is_a_connection(kernel: TestKernel) -> None:
    async with kernel.connected(), kernel.connected(v1=False):
        await kernel.until(lambda answer: answer.json["connections"] == 2)


async def test_what_is_untracked_is_no_activity(kernel: TestKernel) -> None:
    async with kernel.connected() as socket:
        await socket.run("1")
        before = await kernel.until_state("idle")
        await socket.until_done(await socket.send("shell", "kernel_info_request", {}))
        await socket.until_done(
            await socket.send("shell", "comm_info_request", {"target_name": "x"})
        )
        assert kernel.ask().json["last_activity"] == before["last_activity"]


async def test_question_beside_a_cell_leaves_the_kernel_busy(kernel: TestKernel) -> None:
    async with kernel.connected() as socket:
        asked = await socket.execute("import time; time.sleep(4)")
        await kernel.until_state("busy")
        debug = {"type": "request", "command": "debugInfo", "seq": 1}
        answered = await socket.send("control", "debug_request", debug)
        while True:
            message = await socket.next()
            if message["header"]["msg_type"] == "debug_reply":
                break
        assert message["parent_header"]["msg_id"] == answered
        assert kernel.ask().json["execution_state"] == "busy"
        await socket.until_done(asked)


async def test_interrupt_ends_the_cell_and_nothing_else(kernel: TestKernel) -> None:
    async with kernel.connected() as socket:
        await socket.run("x = 41")
        asked = await socket.execute("while True: pass")
        await kernel.until_state("busy")
        assert kernel.ask("POST", "/interrupt").status == 204
        said = await socket.until_done(asked)
        errors = [m["content"] for m in said if m["header"]["msg_type"] == "error"]
        assert [error["ename"] for error in errors] == ["KeyboardInterrupt"]
        assert await socket.output("print(x + 1)") == "42\n"


async def test_restart_keeps_the_id_and_drops_the_variables(kernel: TestKernel) -> None:
    async with kernel.connected() as socket:
        await socket.run("x = 41")
        answer = await asyncio.to_thread(kernel.ask, "POST", "/restart")
        assert answer.status == 200
        assert set(answer.json) >= KERNEL_KEYS
        assert answer.json["id"] == kernel.kernel_id
        assert answer.json["execution_state"] in ("starting", "idle")
        asked = await socket.execute("print('x' in globals())")
        seen = await socket.until_done(asked)
        assert printed(seen, asked) == "False\n"
        # The server says nothing of its own: all that was restarted says so itself.
        states = [
            (m["content"]["execution_state"], bool(m["parent_header"]))
            for m in seen
            if m["header"]["msg_type"] == "status"
        ]
        assert ("restarting", False) not in states
        assert "shutdown_reply" in [m["header"]["msg_type"] for m in seen]


async def test_delete_answers_when_the_process_is_gone(kernel: TestKernel) -> None:
    async with kernel.connected() as socket:
        pid = int(await socket.output("import os; print(os.getpid())"))
        assert (await asyncio.to_thread(kernel.ask, "DELETE")).status == 204
        assert not _is_alive(pid)
        assert kernel.ask().status == 404
        assert kernel.ask("DELETE").status == 404
        # The socket stays: its client is told nothing but what the kernel said.
        await socket.execute("print(1)")
        heard = [message["header"]["msg_type"] for message in await all_within(socket, 2)]
        assert "execute_reply" not in heard
        assert not socket.websocket.closed


def test_kernel_is_deleted_while_it_starts(kernel: TestKernel) -> None:
    assert kernel.ask("DELETE").status == 204
    assert kernel.ask().status == 404


async def test_kernel_that_dies_is_started_again_under_its_id(
    server: Server, kernel: TestKernel
) -> None:
    async with kernel.connected() as socket:
        await socket.run("x = 41")
        asked = await socket.execute(
            f"print('before', flush=True)\nimport time\ntime.sleep(1)\n{DIE}"
        )
        seen = [await socket.next()]
        while not _is_status(seen[-1], "restarting"):
            seen.append(await socket.next())
        assert seen[-1]["parent_header"] == {}
        assert seen[-1]["channel"] == "iopub"
        assert printed(seen, asked) == "before\n"
        ends = [m for m in seen if m["parent_header"].get("msg_id") == asked][-3:]
        if not differs_in(server, "the end of a cell whose kernel died"):
            kinds = [m["header"]["msg_type"] for m in ends]
            assert kinds == ["error", "execute_reply", "status"]
            assert ends[0]["content"]["ename"] == "KernelDied"
            assert "signal 9 (SIGKILL)" in ends[0]["content"]["evalue"]
            assert ends[1]["content"]["status"] == "error"
    async with kernel.connected() as socket:
        assert await socket.output("print('x' in globals())") == "False\n"
    model = (await kernel.until(lambda answer: answer.status == 200)).json
    assert model["id"] == kernel.kernel_id
    if not differs_in(server, "how a process ended"):
        ended = model["last_exit"]
        assert (ended["cause"], ended["signal"], ended["exit_code"]) == ("signaled", 9, None)


async def test_kernel_that_keeps_dying_is_given_up(
    server: Server, tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # It dies at its start once this file is there.
    switch = tmp_path_factory.mktemp("switch") / "die"
    startup = f"import os, sys\nif os.path.exists({str(switch)!r}): os._exit(7)\n"
    (tree / "ipykernel_launcher.py").write_text(
        startup + "sys.path.remove('') if '' in sys.path else None\n"
        "sys.path[:] = [p for p in sys.path if p != os.getcwd()]\n"
        "from ipykernel import kernelapp as app\napp.launch_new_instance()\n"
    )
    kernel = TestKernel(server, path="")
    try:
        async with kernel.connected() as socket:
            await socket.run("1")
            switch.touch()
            await socket.execute(DIE)
            statuses: list[str] = []
            async with asyncio.timeout(100):
                while "dead" not in statuses:
                    message = await socket.next()
                    if message["parent_header"] == {} and "execution_state" in message["content"]:
                        statuses.append(message["content"]["execution_state"])
            assert statuses.count("restarting") == 5
        answer = await kernel.until(lambda a: a.json.get("execution_state") in ("dead", None))
        assert kernel.kernel_id not in {one["id"] for one in server.ask("GET", "api/kernels").json}
        if differs_in(server, "a kernel that is dead"):
            assert answer.status == 404
            return
        assert answer.status == 200
        assert answer.json["execution_state"] == "dead"
        assert answer.json["reason"] == "The kernel exited with code 7."
        assert answer.json["last_exit"]["exit_code"] == 7
        assert server.ask("DELETE", kernel.address).status == 404
    finally:
        kernel.remove()


def test_kernels_are_listed_in_the_order_of_their_start(server: Server, tree: Path) -> None:
    assert tree.exists()
    kernels = [TestKernel(server, kernel_id=str(uuid.uuid4())) for _ in range(3)]
    try:
        listed = [model["id"] for model in server.ask("GET", "api/kernels").json]
        assert listed[-3:] == [kernel.kernel_id for kernel in kernels]
        listed_first = server.ask("GET", "api/kernels").json[-3]
        assert set(listed_first) == KERNEL_KEYS
    finally:
        for kernel in kernels:
            kernel.remove()


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("d/e", "d/e"),
        ("/d/e/", "d/e"),
        ("d/e/nope/none", "d/e"),
        ("a.txt", ""),
        ("", ""),
        (None, ""),
    ],
)
async def test_kernel_is_started_in_a_directory_of_the_tree(
    path: str | None, where: str, server: Server, tree: Path
) -> None:
    kernel = TestKernel(server, path=path)
    try:
        async with kernel.connected() as socket:
            said = await socket.output("import os; print(os.getcwd())")
        if path is None and differs_in(server, "a kernel without a path"):
            return
        assert said == f"{(tree / where).resolve()}\n"
    finally:
        kernel.remove()


async def test_kernel_has_the_environment_of_the_server_and_of_its_spec(
    server: Server, tree: Path
) -> None:
    body = {"path": "d/n.ipynb", "type": "notebook", "name": "n.ipynb"}
    session = server.ask("POST", "api/sessions", json=body).json
    kernel = TestKernel(server, kernel_id=session["kernel"]["id"])
    code = (
        "import os, json; print(json.dumps({n: os.environ.get(n) for n in "
        "('HOME', 'PATH', 'JPY_SESSION_NAME', 'JPY_PARENT_PID', 'OTHER')}))"
    )
    try:
        async with kernel.connected() as socket:
            said: dict[str, Any] = json.loads(await socket.output(code))
    finally:
        server.ask("DELETE", f"api/sessions/{session['id']}")
    assert said["HOME"]
    assert said["PATH"]
    assert said["JPY_SESSION_NAME"].endswith("d/n.ipynb")
    assert said["OTHER"] is None
    if not differs_in(server, "the parent of a kernel"):
        assert said["JPY_PARENT_PID"] is None
    assert tree


def test_kernel_id_of_a_kernel_that_runs_returns_that_one(
    server: Server, kernel: TestKernel
) -> None:
    again = server.ask(
        "POST", "api/kernels", json={"kernel_id": kernel.kernel_id, "name": "no-such-kernel"}
    )
    assert (again.status, again.json["id"]) == (201, kernel.kernel_id)


def _is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def _is_status(message: dict[str, Any], state: str) -> bool:
    return (
        message["header"]["msg_type"] == "status" and message["content"]["execution_state"] == state
    )
