"""Kernels that others start, and servers find by their connection files."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.client import GENEROUS_S
from tests.conformance.differences import differs_in
from tests.conformance.kernels import TestKernel
from tests.conformance.test_rest_kernels import KERNEL_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conformance.client import Server
    from tests.conformance.conftest import StartServer


class External:
    """A kernel of the test's own, in a directory that the server looks at."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "kernel-mine.json"
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", str(self.file)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
        )

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.file.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("external")
    (directory / "no-json.json").write_text("{")
    (directory / "no-connection.json").write_text('{"shell_port": "x"}')
    (directory / "a-directory.json").mkdir()
    return directory


@pytest.fixture(scope="module")
def server(start_server: StartServer, directory: Path) -> Server:
    return start_server(external_kernels=str(directory))


@pytest.fixture
def external(directory: Path) -> Iterator[External]:
    external = External(directory)
    yield external
    external.end()


@pytest.fixture
def kernel(server: Server, external: External) -> Iterator[TestKernel]:
    (model,) = until_listed(server, bool)
    yield TestKernel(server, kernel_id=model["id"])
    external.end()
    until_listed(server, lambda models: not models)


def until_listed(server: Server, holds: Callable[[list[Any]], bool]) -> list[Any]:
    deadline = time.monotonic() + GENEROUS_S
    while True:
        models: list[Any] = server.ask("GET", "api/kernels").json
        if holds(models):
            return models
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_kernel_is_listed_while_its_file_is_there(server: Server, external: External) -> None:
    (model,) = until_listed(server, bool)
    assert set(model) == KERNEL_KEYS
    assert model["name"] == ""
    assert model["connections"] == 0
    assert server.ask("GET", f"api/kernels/{model['id']}").json["id"] == model["id"]
    assert server.ask("GET", "api/status").json["kernels"] == 1
    external.file.unlink()
    until_listed(server, lambda models: not models)
    left = server.ask("GET", f"api/kernels/{model['id']}")
    if not differs_in(server, "a kernel that is dead"):
        assert left.json["execution_state"] == "dead"
        assert "cannot be reached" in left.json["reason"]
    assert external.process.poll() is None


async def test_clients_talk_to_it(server: Server, kernel: TestKernel) -> None:
    async with kernel.connected() as one, kernel.connected(v1=False) as other:
        assert await one.output("x = 41; print(x)") == "41\n"
        assert await other.output("print(x + 1)") == "42\n"
        if differs_in(server, "the state of an external kernel"):
            return
        await kernel.until(lambda answer: answer.json["connections"] == 2)
        asked = await one.execute("import time; time.sleep(2)")
        await kernel.until_state("busy")
        await one.until_done(asked)
        await kernel.until_state("idle")


async def test_it_is_interrupted_by_message(server: Server, kernel: TestKernel) -> None:
    if differs_in(server, "an interrupt of an external kernel"):
        assert kernel.ask("POST", "/interrupt").status == 500
        return
    async with kernel.connected() as socket:
        asked = await socket.execute("import time; time.sleep(1000)")
        await kernel.until_state("busy")
        answer = await asyncio.to_thread(kernel.ask, "POST", "/interrupt")
        assert answer.status == 204
        said = await socket.until_done(asked)
        errors = [m["content"]["ename"] for m in said if m["header"]["msg_type"] == "error"]
        assert errors == ["KeyboardInterrupt"]


async def test_it_is_not_restarted(kernel: TestKernel, external: External) -> None:
    answer = kernel.ask("POST", "/restart")
    assert (answer.status, answer.json["message"]) == (500, "Exception restarting kernel")
    assert external.process.poll() is None
    async with kernel.connected() as socket:
        assert await socket.output("print(1)") == "1\n"


def test_deleted_it_is_let_go_and_runs_on(
    server: Server, kernel: TestKernel, external: External
) -> None:
    assert kernel.ask("DELETE").status == 204
    assert kernel.ask().status == 404
    time.sleep(2.5)  # to see that it is not found again
    assert server.ask("GET", "api/kernels").json == []
    assert external.process.poll() is None
    assert external.file.exists()


def test_it_may_have_a_session(server: Server, kernel: TestKernel, external: External) -> None:
    body = {"path": "n.ipynb", "type": "notebook", "name": "n", "kernel": {"id": kernel.kernel_id}}
    created = server.ask("POST", "api/sessions", json=body)
    assert (created.status, created.json["kernel"]["id"]) == (201, kernel.kernel_id)
    deleted = server.ask("DELETE", f"api/sessions/{created.json['id']}")
    if not differs_in(server, "the session of an external kernel"):
        assert deleted.status == 204
    assert kernel.ask().status == 404
    assert external.process.poll() is None


async def test_its_end_is_told(server: Server, kernel: TestKernel, external: External) -> None:
    if differs_in(server, "the end of an external kernel"):
        return
    async with kernel.connected() as socket:
        asked = await socket.execute("import time; time.sleep(1000)")
        await kernel.until_state("busy")
        external.process.kill()
        seen = [await socket.next()]
        while seen[-1]["content"].get("execution_state") != "dead":
            seen.append(await socket.next())
        (error,) = (m for m in seen if m["header"]["msg_type"] == "error")
        assert error["parent_header"]["msg_id"] == asked
        assert error["content"]["ename"] == "KernelDied"
        assert "cannot be reached" in error["content"]["evalue"]
    assert until_listed(server, lambda models: not models) == []
