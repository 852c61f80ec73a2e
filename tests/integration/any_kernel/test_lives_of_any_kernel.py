"""Every kernel is interrupted, restarted, killed and left alone as one of ipykernel is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.running import GENEROUS_S, until

if TYPE_CHECKING:
    from tests.executions import Program
    from tests.integration.any_kernel.implementations import Implementation
    from tests.jupyter_ws import JupyterClient, KernelSocket
    from tests.running import RunningPerijove

LINES = 40


@pytest.mark.parametrize("waiting", ["import time; time.sleep(600)", "while True: pass"])
async def test_a_cell_of_it_is_interrupted(
    jupyter: JupyterClient,
    kernel: KernelSocket,
    kernel_id: str,
    implementation: Implementation,
    waiting: str,
) -> None:
    spec = await jupyter.call("GET", f"api/kernelspecs/{implementation.kernelspec}")
    assert spec["spec"]["interrupt_mode"] == implementation.interrupt_mode
    await kernel.run("moon = 'Metis'")
    request = await kernel.start(f"print('on', flush=True)\n{waiting}")
    await kernel.until(lambda: kernel.printed(request) == "on\n")
    await jupyter.call("POST", f"api/kernels/{kernel_id}/interrupt", expect=204)
    reply = await kernel.finished(request)
    assert (reply.content["status"], reply.content["ename"]) == (
        "error",
        implementation.interrupted,
    )
    assert await kernel.run("print(moon)") == "Metis\n"


async def test_it_answers_on_the_control_channel_while_a_cell_runs(
    jupyter: JupyterClient, kernel: KernelSocket, kernel_id: str
) -> None:
    request = await kernel.start("print('on', flush=True)\nimport time; time.sleep(600)")
    await kernel.until(lambda: kernel.printed(request) == "on\n")
    asked = await kernel.send("kernel_info_request", {}, "control")
    await kernel.until(lambda: [m for m in kernel.of(asked) if m.kind == "kernel_info_reply"])
    assert kernel.replies(request) == []
    await jupyter.call("POST", f"api/kernels/{kernel_id}/interrupt", expect=204)
    await kernel.finished(request)


async def test_its_state_is_shown(
    jupyter: JupyterClient, kernel: KernelSocket, kernel_id: str, implementation: Implementation
) -> None:
    request = await kernel.start("import time; time.sleep(600)")
    model = await shown(jupyter, kernel_id, "busy")
    assert (model["name"], model["connections"]) == (implementation.kernelspec, 1)
    await jupyter.call("POST", f"api/kernels/{kernel_id}/interrupt", expect=204)
    await kernel.finished(request)
    await shown(jupyter, kernel_id, "idle")


async def shown(jupyter: JupyterClient, kernel_id: str, state: str) -> dict[str, Any]:
    """Return the model of a kernel once it is in a state."""
    async with asyncio.timeout(GENEROUS_S):
        while True:
            model: dict[str, Any] = await jupyter.call("GET", f"api/kernels/{kernel_id}")
            if model["execution_state"] == state:
                return model
            await asyncio.sleep(0.05)


async def test_restarted_it_has_forgotten_its_variables(
    jupyter: JupyterClient, kernel: KernelSocket, kernel_id: str
) -> None:
    pid = int(await kernel.run("moon = 'Leda'; import os; print(os.getpid())"))
    model = await jupyter.call("POST", f"api/kernels/{kernel_id}/restart")
    assert model["id"] == kernel_id
    assert await kernel.run("print('moon' in globals())") == "False\n"
    assert int(await kernel.run("import os; print(os.getpid())")) != pid
    assert not psutil.pid_exists(pid)
    assert kernel.connections == 1


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "The kernel was ended by signal 9 (SIGKILL)"),
        ("os._exit(7)", "The kernel exited with code 7."),
    ],
)
async def test_when_it_dies_the_cell_says_why_and_it_is_restarted(
    kernel: KernelSocket, code: str, cause: str
) -> None:
    await kernel.run("moon = 'Leda'")
    request = await kernel.start(f"import os, signal; {code}")
    reply = await kernel.finished(request)
    assert reply.content["ename"] == "KernelDied"
    (error,) = [found for found in kernel.of(request) if found.kind == "error"]
    assert cause in error.content["evalue"]
    await kernel.until(
        lambda: [m for m in kernel.messages if m.content.get("execution_state") == "restarting"]
    )
    assert await kernel.run("print('moon' in globals())") == "False\n"


async def test_what_it_printed_while_nobody_was_there_is_delivered(kernel: KernelSocket) -> None:
    request = await kernel.start(
        f"import time\nfor n in range({LINES}): print(n, flush=True); time.sleep(0.02)"
    )
    await kernel.until(lambda: "5\n" in kernel.printed(request))
    await kernel.drop()
    await kernel.finished(request)
    assert kernel.printed(request).split() == [str(number) for number in range(LINES)]
    assert len(kernel.replies(request)) == 1


async def test_it_outlives_its_runner(perijove: RunningPerijove, kernel: KernelSocket) -> None:
    pid = int(await kernel.run("moon = 'Adrastea'; import os; print(os.getpid())"))
    old = perijove.kill("runner")
    await perijove.wait_restarted("runner", old)
    assert await kernel.run("print(moon, os.getpid())") == f"Adrastea {pid}\n"
    assert kernel.connections == 1


async def test_shut_down_it_leaves_no_process(
    jupyter: JupyterClient, program: Program, implementation: Implementation
) -> None:
    kernel_id = await program.start_kernel(implementation.kernelspec)
    async with jupyter.kernel(kernel_id) as kernel:
        pid = int(await kernel.run("import os; print(os.getpid())"))
        await jupyter.call("DELETE", f"api/kernels/{kernel_id}", expect=204)
        await until(lambda: not psutil.pid_exists(pid))
    await jupyter.call("GET", f"api/kernels/{kernel_id}", expect=404)
