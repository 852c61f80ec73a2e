"""Any process may be killed: shells live on, and what they print is shown once.

The socket stays open unless the process that serves it is the one that is killed.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from tests.jupyter_ws import JupyterClient
from tests.terminal_ws import TerminalSocket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from tests.running import RunningPerijove

COUNT, PAUSE_S = 200, 0.02
COUNTING = f"for n in $(seq {COUNT}); do echo n=$n.; sleep {PAUSE_S}; done; echo o''ver"
NUMBERS = [str(number) for number in range(1, COUNT + 1)]
OTHERS = ("contents", "sessions", "kernels", "redis")


@pytest.fixture
async def http(perijove: RunningPerijove) -> AsyncIterator[aiohttp.ClientSession]:
    async with JupyterClient.http(perijove.token) as http:
        yield http


@pytest.fixture
async def name(jupyter: JupyterClient) -> AsyncIterator[str]:
    model = await jupyter.call("POST", "api/terminals")
    yield str(model["name"])
    await jupyter.call("DELETE", f"api/terminals/{model['name']}", expect=204)
    assert await jupyter.call("GET", "api/terminals") == []


def socket(perijove: RunningPerijove, http: aiohttp.ClientSession, name: str) -> TerminalSocket:
    return TerminalSocket(http, f"{perijove.url}terminals/websocket/{name}")


async def shell_pid(terminal: TerminalSocket) -> str:
    return (await terminal.run("echo pid=$$.", r"pid=(\d+)\."))[1]


def numbers(terminal: TerminalSocket) -> list[str]:
    parts = terminal.text.split("n=")[1:]
    return [part.partition(".")[0] for part in parts if part[0].isdigit()]


async def midway(terminal: TerminalSocket) -> None:
    number = random.randrange(COUNT // 10, COUNT * 3 // 4)  # noqa: S311 - no secret
    print(f"killed when {number} was seen")  # noqa: T201 - shown if the test fails
    await terminal.until(rf"n={number}\.")


async def kill(perijove: RunningPerijove, *names: str) -> None:
    old = {name: perijove.kill(name) for name in names}
    for name, pid in old.items():
        await perijove.wait_restarted(name, pid)


@pytest.mark.parametrize(
    "killed",
    [
        *((other,) for other in OTHERS),
        ("runner",),
        ("runner_supervisor",),
        (*OTHERS, "runner"),
    ],
    ids=" ".join,
)
async def test_the_shell_lives_on_and_its_socket_misses_nothing(
    perijove: RunningPerijove,
    jupyter: JupyterClient,
    http: aiohttp.ClientSession,
    name: str,
    killed: tuple[str, ...],
) -> None:
    async with socket(perijove, http, name) as terminal:
        pid = await shell_pid(terminal)
        await terminal.run("moon=Callisto", r"\n")
        await terminal.type(COUNTING + "\r")
        await midway(terminal)
        await kill(perijove, *killed)
        await terminal.until("over")
        assert numbers(terminal) == NUMBERS
        assert (await terminal.run("echo =$moon=$$.", r"=(Callisto=\d+)\."))[1] == f"Callisto={pid}"
        assert terminal.close_code is None
    (model,) = await jupyter.call("GET", "api/terminals")
    assert model["name"] == name


@pytest.mark.parametrize("killed", [("gateway_http",), ("gateway_http", "runner")], ids=" ".join)
async def test_who_comes_back_is_shown_all_of_it(
    perijove: RunningPerijove, http: aiohttp.ClientSession, name: str, killed: tuple[str, ...]
) -> None:
    async with socket(perijove, http, name) as terminal:
        await terminal.run("moon=Thebe", r"\n")
        await terminal.type(COUNTING + "\r")
        await midway(terminal)
        await kill(perijove, *killed)
        assert await terminal.closed() is not None
    async with socket(perijove, http, name) as terminal:
        await terminal.until("over")
        assert numbers(terminal) == NUMBERS
        await terminal.run("echo =$moon=", "=Thebe=")


async def test_what_is_typed_while_the_runner_is_away_is_typed_once(
    perijove: RunningPerijove, http: aiohttp.ClientSession, name: str
) -> None:
    async with socket(perijove, http, name) as terminal:
        await terminal.run("total=0; echo r''eady", "ready")
        for round_ in range(3):
            old = perijove.kill("runner") if round_ != 1 else 0
            for _ in range(20):
                await terminal.type("total=$((total + 1))\r")
                await asyncio.sleep(0)
            if old:
                await perijove.wait_restarted("runner", old)
        await terminal.run("echo total=$total.", r"total=60\.")


async def test_a_shell_that_exits_while_its_runner_is_away_lets_its_clients_go(
    perijove: RunningPerijove, jupyter: JupyterClient, http: aiohttp.ClientSession
) -> None:
    model = await jupyter.call("POST", "api/terminals")
    async with socket(perijove, http, model["name"]) as terminal:
        await terminal.run("echo r''eady", "ready")
        await terminal.type("sleep 0.3; echo la''st; exit\r")
        await terminal.until("sleep 0.3")
        await kill(perijove, "runner")
        await terminal.closed()
        assert "last" in terminal.text
        assert terminal.messages[-1] == ["disconnect", 1]
    assert await jupyter.call("GET", "api/terminals") == []


async def test_a_list_asked_for_while_the_runner_restarts_lacks_nothing(
    perijove: RunningPerijove, jupyter: JupyterClient, name: str
) -> None:
    old = perijove.kill("runner")
    (model,) = await jupyter.call("GET", "api/terminals")
    assert model["name"] == name
    await perijove.wait_restarted("runner", old)
