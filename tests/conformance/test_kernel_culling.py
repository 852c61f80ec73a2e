"""Kernels that are ended because nobody uses them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.differences import differs_in
from tests.conformance.kernels import TestKernel
from tests.kernel_sockets import all_within, answers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conformance.client import Server
    from tests.conformance.conftest import StartServer

PYTHON = ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
IDLE = {"cull_idle_s": 2, "cull_interval_s": 1}


def spec(**metadata: Any) -> dict[str, Any]:
    return {"argv": PYTHON, "display_name": "x", "language": "python", "metadata": metadata}


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> Server:
    specs = {"kept": spec(cull_idle_timeout=3600), "zero": spec(cull_idle_timeout=0)}
    return start_server(specs, **IDLE)


@pytest.fixture(scope="module")
def strict(start_server: StartServer) -> Server:
    return start_server(**IDLE, cull_connected=True, cull_busy=True)


@pytest.fixture
def kernels() -> Iterator[list[TestKernel]]:
    """Yield a list whose kernels are removed in the end."""
    started: list[TestKernel] = []
    yield started
    for kernel in started:
        kernel.remove()


async def until_culled(kernel: TestKernel) -> None:
    await kernel.until(lambda answer: answer.status == 404)


async def test_a_kernel_that_nobody_uses_goes_and_its_session_with_it(server: Server) -> None:
    body = {"path": "n.ipynb", "type": "notebook", "name": "n", "kernel": {"name": "python3"}}
    session = server.ask("POST", "api/sessions", json=body).json
    kernel = TestKernel(server, kernel_id=session["kernel"]["id"])
    await until_culled(kernel)
    gone = kernel.ask()
    assert gone.json["message"].startswith(f"Kernel does not exist: {kernel.kernel_id}")
    assert server.ask("GET", f"api/sessions/{session['id']}").status == 404
    assert server.ask("GET", "api/sessions").json == []
    assert kernel.ask("DELETE").status == 404


async def test_a_kernel_with_a_client_stays_until_that_leaves(
    server: Server, kernels: list[TestKernel]
) -> None:
    used = TestKernel(server)
    kernels.append(used)
    async with used.connected() as socket:
        assert await socket.output("print(1)") == "1\n"
        # It is idle for longer than one that is started now and goes.
        await until_culled(TestKernel(server))
        assert used.ask().json["connections"] == 1
        assert await socket.output("print(2)") == "2\n"
    await until_culled(used)


async def test_a_kernel_that_runs_a_cell_stays_until_that_has_ended(
    server: Server, kernels: list[TestKernel], tmp_path: Path
) -> None:
    busy = TestKernel(server)
    kernels.append(busy)
    switch = tmp_path / "switch"
    wait = f"import os, time\nwhile not os.path.exists({str(switch)!r}): time.sleep(0.05)"
    async with busy.connected() as socket:
        await socket.execute(wait)
        await busy.until_state("busy")
    await busy.until(lambda answer: answer.json["connections"] == 0)
    await until_culled(TestKernel(server))
    assert busy.ask().json["execution_state"] == "busy"
    switch.touch()
    await until_culled(busy)


async def test_a_kernelspec_may_have_a_time_of_its_own(
    server: Server, kernels: list[TestKernel]
) -> None:
    kept = TestKernel(server, name="kept")
    kernels.append(kept)
    zero = TestKernel(server, name="zero")
    kernels.append(zero)
    await until_culled(TestKernel(server))
    assert kept.ask().status == 200
    if not differs_in(server, "a kernelspec whose time is zero"):
        assert zero.ask().status == 200


async def test_clients_and_cells_do_not_keep_a_kernel_if_that_is_said(strict: Server) -> None:
    kernel = TestKernel(strict)
    async with kernel.connected(uuid.uuid4().hex) as socket:
        asked = await socket.execute("import time; time.sleep(1000)")
        await kernel.until_state("busy")
        await until_culled(kernel)
        # As after a DELETE: the kernel's last words, and then nothing.
        heard = await all_within(socket, 2)
        assert not socket.websocket.closed
        errors = [m for m in answers(heard, asked) if m["header"]["msg_type"] == "error"]
        if not differs_in(strict, "the end of a cell whose kernel died"):
            # It was interrupted first, to hear that it is to end.
            assert errors[-1]["content"]["ename"] == "KernelCulled"
