"""A runner may be killed, and what it takes along is said, once.

Its clients' sockets stay open. What they asked is answered exactly once: by the
kernel, or by an error if the answer is lost.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.chaos.cells import (
    COUNTING,
    expect_rest_works,
    kernel_pid,
    midway,
)

if TYPE_CHECKING:
    from tests.jupyter_ws import JupyterClient, KernelSocket
    from tests.running import RunningPerijove


ROUNDS = 3
ASKED = 60


def told(kernel: KernelSocket) -> list[str]:
    """Return what the client was told of lost output."""
    return [
        found.content["text"]
        for found in kernel.messages
        if found.kind == "stream"
        and found.content["name"] == "stderr"
        and "Output was lost" in found.content["text"]
    ]


def expect_one_end(kernel: KernelSocket, request: str) -> None:
    """Check that a request was answered once and ended once."""
    assert len(kernel.replies(request)) == 1
    assert len(kernel.idles(request)) == 1


async def test_a_killed_runner_keeps_its_kernels_and_says_what_is_missing(
    perijove: RunningPerijove, jupyter: JupyterClient, session: dict[str, Any]
) -> None:
    async with jupyter.kernel(session["kernel"]["id"]) as kernel:
        pid = await kernel_pid(kernel)
        request = await kernel.start(COUNTING)
        await midway(kernel, request)
        old = perijove.kill("runner")
        await perijove.wait_restarted("runner", old)
        await kernel.finished(request)
        assert len(told(kernel)) == 1
        numbers = [int(word) for word in kernel.printed(request).split()]
        assert numbers == sorted(set(numbers)), "what did arrive is in order and not repeated"
        assert await kernel_pid(kernel) == pid
        assert psutil.pid_exists(pid)
        assert await kernel.run("print(moon)") == "Callisto\n"
        assert len(kernel.replies(request)) == 1
        assert len(kernel.idles(request)) == 1
        assert kernel.connections == 1
    await expect_rest_works(jupyter, session)


async def test_a_runner_killed_while_its_kernel_idles_loses_nothing(
    perijove: RunningPerijove, jupyter: JupyterClient, session: dict[str, Any]
) -> None:
    """Nobody can know that nothing was said, so a gap is told of here, too."""
    async with jupyter.kernel(session["kernel"]["id"]) as kernel:
        await kernel.run("moon = 'Amalthea'")
        pid = await kernel_pid(kernel)
        old = perijove.kill("runner")
        await perijove.wait_restarted("runner", old)
        assert await kernel.run("print(moon)") == "Amalthea\n"
        assert await kernel_pid(kernel) == pid
        assert len(told(kernel)) == 1
        assert kernel.connections == 1
    await expect_rest_works(jupyter, session)


@pytest.mark.parametrize("round_", range(ROUNDS))
@pytest.mark.parametrize("others", [(), ("gateway_http",)])
async def test_a_killed_supervisor_takes_no_kernel_along(
    perijove: RunningPerijove,
    jupyter: JupyterClient,
    session: dict[str, Any],
    round_: int,
    others: tuple[str, ...],
) -> None:
    del round_
    async with jupyter.kernel(session["kernel"]["id"]) as kernel:
        await kernel.run("moon = 'Thebe'")
        pid = await kernel_pid(kernel)
        old = {name: perijove.kill(name) for name in ("runner_supervisor", *others)}
        for name, killed in old.items():
            await perijove.wait_restarted(name, killed)
        assert await kernel.run("print(moon)") == "Thebe\n"
        assert await kernel_pid(kernel) == pid
        assert len(told(kernel)) == 1
    await expect_rest_works(jupyter, session)


async def test_a_request_sent_in_the_moment_its_runner_dies_is_answered(
    perijove: RunningPerijove, jupyter: JupyterClient, session: dict[str, Any]
) -> None:
    async with jupyter.kernel(session["kernel"]["id"]) as kernel:
        await kernel.run("moon = 'Metis'")
        perijove.kill("runner")
        request = await kernel.start("print(moon)")
        await kernel.finished(request)
        assert await kernel.run("print(moon)") == "Metis\n"
        expect_one_end(kernel, request)


async def test_a_request_that_was_finished_when_its_runner_died_is_not_answered_again(
    perijove: RunningPerijove, jupyter: JupyterClient, session: dict[str, Any]
) -> None:
    async with jupyter.kernel(session["kernel"]["id"]) as kernel:
        request = await kernel.start("moon = 'Adrastea'")
        await kernel.finished(request)
        perijove.kill("runner")
        assert await kernel.run("print(moon)") == "Adrastea\n"
        expect_one_end(kernel, request)


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_each_of_many_requests_is_answered_once_when_a_runner_dies_among_them(
    perijove: RunningPerijove, jupyter: JupyterClient, session: dict[str, Any], round_: int
) -> None:
    del round_
    async with jupyter.kernel(session["kernel"]["id"]) as kernel:
        await kernel.run("said = []")
        fatal = random.randrange(5, ASKED - 5)  # noqa: S311 - no secret
        requests = []
        for number in range(ASKED):
            requests.append(await kernel.start(f"said.append({number})"))
            if number == fatal:
                perijove.kill("runner")
            await asyncio.sleep(0.005)
        for request in requests:
            await kernel.finished(request)
        said = [int(word) for word in (await kernel.run("print(*said)")).split()]
        assert said == sorted(set(said)), "none ran twice, and they ran in order"
        for number, request in enumerate(requests):
            expect_one_end(kernel, request)
            if kernel.replies(request)[0].content["status"] == "ok":
                assert number in said
        assert len(told(kernel)) == 1
        assert kernel.connections == 1


async def test_an_edge_and_a_runner_may_be_killed_at_once(
    perijove: RunningPerijove, jupyter: JupyterClient, session: dict[str, Any]
) -> None:
    async with jupyter.kernel(session["kernel"]["id"]) as kernel:
        request = await kernel.start(COUNTING)
        await midway(kernel, request)
        old = {name: perijove.kill(name) for name in ("runner", "gateway_http")}
        for name, pid in old.items():
            await perijove.wait_restarted(name, pid)
        await kernel.finished(request)
        assert await kernel.run("print(moon)") == "Callisto\n"
        assert len(told(kernel)) == 1
        expect_one_end(kernel, request)
    await expect_rest_works(jupyter, session)
