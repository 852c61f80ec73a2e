"""A client that reads next to nothing while its kernel prints: it gets all, later."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import psutil
import pytest

from tests.jupyter_ws import GENEROUS_S, PROTOCOL, JupyterClient, unpack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.jupyter_ws import Message
    from tests.running import RunningPerijove

MIB = 1024 * 1024
PRINTING = """
import time
for number in range({0}):
    print(f"{{number:06}}" + "x" * {1}, flush=True)
    if number % (1_000_000 // {1}) == 0:
        time.sleep(0.01)  # or the kernel itself drops output when it gets more of the processor
"""
MOST_GROWTH_MIB = 64


class Memory:
    """Watches by how much the runner and the edge grow."""

    def __init__(self, running: RunningPerijove) -> None:
        self._processes = {
            name: psutil.Process(running.pid(name)) for name in ("runner", "gateway_http")
        }
        self._before = self._now()
        self.most = dict.fromkeys(self._processes, 0.0)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._look()

    async def _watch(self) -> None:
        while True:
            self._look()
            await asyncio.sleep(0.05)

    def _look(self) -> None:
        for name, now in self._now().items():
            self.most[name] = max(self.most[name], now - self._before[name])

    def _now(self) -> dict[str, float]:
        return {name: process.memory_info().rss / MIB for name, process in self._processes.items()}


class SlowSocket:
    """A client that reads only when it is told to."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.messages: list[Message] = []

    async def until_idle(self, request: str) -> None:
        """Read on to the end of a request."""
        async with asyncio.timeout(GENEROUS_S):
            while not (self.messages and _ends(self.messages[-1], request)):
                frame = await self._socket.receive()
                assert frame.type is aiohttp.WSMsgType.BINARY, frame
                self.messages.append(unpack(frame.data))

    def numbers(self) -> list[int]:
        """Return the numbers of the lines it has got."""
        return _numbers(self.messages)


@pytest.fixture
async def kernel_id(jupyter: JupyterClient) -> AsyncIterator[str]:
    session: dict[str, Any] = await jupyter.new_session("slow.ipynb")
    yield str(session["kernel"]["id"])
    await jupyter.call("DELETE", f"api/sessions/{session['id']}", expect=204)


@pytest.mark.parametrize(("lines", "line_bytes"), [(6_000, 10_000), (100, 1_000_000)])
async def test_a_reader_that_does_not_read_costs_no_memory_and_gets_all(
    perijove: RunningPerijove, jupyter: JupyterClient, kernel_id: str, lines: int, line_bytes: int
) -> None:
    async with jupyter.kernel(kernel_id) as quick, JupyterClient.http(perijove.token) as http:
        await quick.run("pass")
        url = f"{perijove.url}api/kernels/{kernel_id}/channels?session_id=slow"
        # It stops reading by itself when it holds some hundred KiB.
        async with http.ws_connect(url, protocols=(PROTOCOL,), max_msg_size=0) as socket:
            slow = SlowSocket(socket)
            async with Memory(perijove) as memory:
                request = await quick.start(PRINTING.format(lines, line_bytes))
                await quick.finished(request, 2 * GENEROUS_S)
                assert _numbers(quick.of(request)) == list(range(lines))
                await slow.until_idle(request)
            assert slow.numbers() == list(range(lines))
    print(memory.most)  # noqa: T201 - shown if the test fails
    for name, most in memory.most.items():
        assert most <= MOST_GROWTH_MIB, name


def _numbers(messages: list[Message]) -> list[int]:
    text = "".join(found.content["text"] for found in messages if found.kind == "stream")
    return [int(line[:6]) for line in text.splitlines()]


def _ends(message: Message, request: str) -> bool:
    return (
        message.kind == "status"
        and message.content["execution_state"] == "idle"
        and message.parent_id == request
    )
