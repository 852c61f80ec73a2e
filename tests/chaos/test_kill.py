"""The main promise: any process may be killed, and nobody's output is lost.

A cell prints numbers while a process is killed at a random moment. The client
is a plain Jupyter one: all it does is to come back when its socket drops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.chaos.cells import (
    COUNTING,
    FIRST_HALF,
    SECOND_HALF,
    between_two_numbers,
    expect_all_of,
    expect_rest_works,
    kernel_pid,
    midway,
)

if TYPE_CHECKING:
    from tests.jupyter_ws import JupyterClient
    from tests.running import RunningPerijove

PROCESSES = ("gateway_http", "contents", "sessions", "kernels", "redis")


@pytest.mark.parametrize("name", PROCESSES)
async def test_a_cell_does_not_notice_that_a_process_was_killed(
    perijove: RunningPerijove,
    jupyter: JupyterClient,
    session: dict[str, Any],
    name: str,
) -> None:
    """It is killed twice while the cell runs."""
    async with jupyter.kernel(session["kernel"]["id"]) as kernel:
        pid = await kernel_pid(kernel)
        request = await kernel.start(COUNTING)
        for part in (FIRST_HALF, SECOND_HALF):
            await between_two_numbers(kernel, request, part)
            old = perijove.kill(name)
            await perijove.wait_restarted(name, old)
        await kernel.finished(request)
        assert await kernel.run("print(moon)") == "Callisto\n"
        assert await kernel_pid(kernel) == pid
        # Only now, so that a message that came twice has had its time to come.
        expect_all_of(kernel, request)
        assert (kernel.connections > 1) == (name == "gateway_http")
    await expect_rest_works(jupyter, session)


async def test_a_gateway_killed_in_the_moment_of_a_delivery_loses_nothing(
    perijove: RunningPerijove, jupyter: JupyterClient, session: dict[str, Any]
) -> None:
    """What was written and not yet acknowledged comes again, as the same message."""
    async with jupyter.kernel(session["kernel"]["id"]) as kernel:
        request = await kernel.start(COUNTING)
        await midway(kernel, request)
        old = perijove.kill("gateway_http")
        await perijove.wait_restarted("gateway_http", old)
        await kernel.finished(request)
        assert await kernel.run("print(moon)") == "Callisto\n"
        once = {message.header["msg_id"]: message for message in kernel.messages}
        kernel.messages[:] = once.values()
        expect_all_of(kernel, request)
    await expect_rest_works(jupyter, session)


async def test_everything_but_the_runner_may_be_killed_at_once(
    perijove: RunningPerijove, jupyter: JupyterClient, session: dict[str, Any]
) -> None:
    async with jupyter.kernel(session["kernel"]["id"]) as kernel:
        request = await kernel.start(COUNTING)
        await between_two_numbers(kernel, request)
        old = {name: perijove.kill(name) for name in PROCESSES}
        for name, pid in old.items():
            await perijove.wait_restarted(name, pid)
        await kernel.finished(request)
        assert await kernel.run("print(moon)") == "Callisto\n"
        expect_all_of(kernel, request)
    await expect_rest_works(jupyter, session)
