"""How long a server waits for a kernel, and what it does with one that does not answer."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import aiohttp
import psutil
import pytest
from aiohttp import WSMsgType

from tests.conformance.differences import differs_in
from tests.conformance.kernels import TestKernel
from tests.jupyter_ws import PROTOCOL
from tests.running import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conformance.client import Server
    from tests.conformance.conftest import StartServer

SILENT = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
with open({path!r}, "a") as file: file.write(str(os.getpid()) + "\\n")
time.sleep(600)
"""
MAYFLY = """
import os, sys
if os.path.exists({path!r}): os._exit(7)
from ipykernel import kernelapp
kernelapp.launch_new_instance()
"""
RESTARTS = 2


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kernels")


@pytest.fixture(scope="module")
def server(start_server: StartServer, directory: Path) -> Server:
    return start_server(
        {
            "silent": _spec(SILENT, directory / "pids"),
            "mayfly": _spec(MAYFLY, directory / "die"),
        },
        kernel_info_timeout_s=1.0,
        shutdown_wait_s=1.0,
        restart_limit=RESTARTS,
        stable_start_s=600.0,
    )


def _spec(program: str, path: Path) -> dict[str, object]:
    code = program.format(path=str(path))
    argv = [sys.executable, "-c", code, "-f", "{connection_file}"]
    return {"argv": argv, "display_name": "x", "language": "python"}


@pytest.fixture
def pids(directory: Path) -> Path:
    """Where silent kernels write their process ids."""
    path = directory / "pids"
    path.unlink(missing_ok=True)
    return path


@pytest.fixture
def silent(server: Server, pids: Path) -> Iterator[TestKernel]:
    """A kernel that listens to nobody, and cannot be asked to end."""
    assert not pids.exists()
    kernel = TestKernel(server, name="silent")
    yield kernel
    kernel.remove()


async def _processes(pids: Path, count: int) -> list[int]:
    def found() -> list[int]:
        numbers = [int(line) for line in pids.read_text().split()] if pids.exists() else []
        return numbers if len(numbers) >= count else []

    return list(await until(found))


async def test_what_does_not_end_when_asked_is_killed(silent: TestKernel, pids: Path) -> None:
    [pid] = await _processes(pids, 1)
    assert (await asyncio.to_thread(silent.ask, "DELETE")).status == 204
    assert not psutil.pid_exists(pid)


async def test_socket_opens_though_the_kernel_does_not_answer(
    silent: TestKernel, pids: Path
) -> None:
    await _processes(pids, 1)
    async with silent.connected() as socket:
        await socket.execute("1")
        assert not socket.websocket.closed
    assert silent.ask().json["execution_state"] == "starting"


async def test_restart_of_what_does_not_answer_fails(
    server: Server, silent: TestKernel, pids: Path
) -> None:
    await _processes(pids, 1)
    answer = await asyncio.to_thread(silent.ask, "POST", "/restart")
    if differs_in(server, "a restart without an answer"):
        assert answer.status == 200
    else:
        assert answer.status == 500
        assert answer.json["message"] == "Exception restarting kernel"
    # It is there, with another process, and may be restarted again.
    await _processes(pids, 2)
    assert silent.ask().status == 200


async def test_kernel_is_given_up_after_as_many_restarts_as_are_allowed(
    server: Server, directory: Path
) -> None:
    kernel = TestKernel(server, name="mayfly")
    try:
        async with kernel.connected() as socket:
            await socket.run("1")
            (directory / "die").touch()
            await socket.execute("import os; os._exit(7)")
            told: list[str] = []
            while "dead" not in told:
                message = await socket.next()
                if message["parent_header"] == {} and "execution_state" in message["content"]:
                    told.append(message["content"]["execution_state"])
        told = [state for state in told if state != "starting"]
        assert told == [*["restarting"] * RESTARTS, "dead"]
        # Who is connected hears of it a moment before it is in the registry.
        await kernel.until(lambda answer: answer.json.get("execution_state") in ("dead", None))
        assert kernel.kernel_id not in {one["id"] for one in server.ask("GET", "api/kernels").json}
    finally:
        kernel.remove()


async def test_client_that_is_silent_is_asked_whether_it_is_there(server: Server) -> None:
    kernel = TestKernel(server)
    url = f"{server.url}{kernel.address}/channels"
    headers = {"Authorization": f"token {server.token}"}
    try:
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.ws_connect(url, protocols=(PROTOCOL,), autoping=False) as websocket,
        ):
            # After all that is said on connecting: every 30 seconds.
            quiet = False
            async with asyncio.timeout(120):
                while True:
                    try:
                        message = await websocket.receive(timeout=None if quiet else 5)
                    except TimeoutError:
                        quiet = True
                        continue
                    if message.type is WSMsgType.PING:
                        await websocket.pong(message.data)
                        if quiet:
                            break
    finally:
        kernel.remove()
