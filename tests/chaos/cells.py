"""Cells that run while something is killed, and what must hold of them after that."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

from tests.running import GENEROUS_S

if TYPE_CHECKING:
    from tests.jupyter_ws import JupyterClient, KernelSocket

COUNT, PAUSE_S = 200, 0.05
COUNTING = f"""
import os, time
moon = "Callisto"
for number in range({COUNT}):
    print(number, flush=True)
    time.sleep({PAUSE_S})
"""


ANYWHERE = range(COUNT // 10, COUNT * 3 // 4)
FIRST_HALF, SECOND_HALF = range(COUNT // 10, COUNT * 2 // 5), range(COUNT // 2, COUNT * 3 // 4)
"""Numbers of a run; between the two there is time to come back."""


async def kernel_pid(kernel: KernelSocket) -> int:
    return int(await kernel.run("import os; print(os.getpid())"))


async def midway(kernel: KernelSocket, request: str, part: range = ANYWHERE) -> int:
    """Wait for a random number of the run, or of a part of it, and return it."""
    number = random.choice(part)  # noqa: S311 - no secret
    print(f"killed when {number} was seen")  # noqa: T201 - shown if the test fails
    await kernel.until(lambda: str(number) in kernel.printed(request).split())
    return number


async def between_two_numbers(kernel: KernelSocket, request: str, part: range = ANYWHERE) -> None:
    """Wait for a random moment of the run that is not that of a delivery."""
    await midway(kernel, request, part)
    await asyncio.sleep(random.uniform(0.2, 0.8) * PAUSE_S)  # noqa: S311 - no secret


def expect_all_of(kernel: KernelSocket, request: str) -> None:
    """Check that the client has got everything exactly once, and in order."""
    numbers = [int(word) for word in kernel.printed(request).split()]
    assert numbers == list(range(COUNT))
    assert len(kernel.replies(request)) == 1
    assert kernel.replies(request)[0].content["status"] == "ok"
    assert len(kernel.idles(request)) == 1


async def expect_rest_works(jupyter: JupyterClient, session: dict[str, Any]) -> None:
    """Check that documents, sessions and kernels are there as before."""
    body = {"type": "file", "format": "text", "content": "after"}
    await jupyter.call("PUT", "api/contents/after.txt", body, expect=201)
    await jupyter.call("DELETE", "api/contents/after.txt", expect=204)
    (found,) = await jupyter.call("GET", "api/sessions")
    assert found["id"] == session["id"]
    assert found["kernel"]["id"] == session["kernel"]["id"]
    # The runner announces itself anew after a while, and says then what it has seen.
    async with asyncio.timeout(GENEROUS_S):
        while await execution_state(jupyter, session) != "idle":  # noqa: ASYNC110
            await asyncio.sleep(PAUSE_S)


async def execution_state(jupyter: JupyterClient, session: dict[str, Any]) -> str:
    model = await jupyter.call("GET", f"api/kernels/{session['kernel']['id']}")
    return str(model["execution_state"])
