"""What clients of the kernel WebSocket talk to, and one that reads without a pause."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

from aiohttp import WSMsgType

from tests.integration.edges import runner_of
from tests.kernel_sockets import Socket, text
from tests.relays import DEADLINE_S

if TYPE_CHECKING:
    from perijove_runner.relay import KernelRelay

V1 = "v1.kernel.websocket.jupyter.org"
KERNEL_ID = "0-0-0-0-1"


class Stack:
    """An edge, and a runner that can be taken away and brought back."""

    def __init__(self, url: str, address: str, relays: dict[str, KernelRelay]) -> None:
        self.url = url
        self.relays = relays
        self._address = address
        self._runner = AsyncExitStack()

    async def start_runner(self) -> None:
        await self._runner.enter_async_context(runner_of(self.relays, self._address))

    async def stop_runner(self) -> None:
        await self._runner.aclose()


class Reader:
    """Reads without a pause, as browsers do: a ping is answered as soon as it is there."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.words: list[str] = []
        self._changed = asyncio.Event()
        self._task = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        with suppress(EOFError, ConnectionError):
            while True:
                self.words += text([await self.socket.next()]).split()
                self._changed.set()

    async def until(self, count: int) -> None:
        """Return when so many words were read, or the last one."""
        async with asyncio.timeout(DEADLINE_S):
            while len(self.words) < count and "end" not in self.words:
                self._changed.clear()
                await self._changed.wait()

    async def leave(self, how: str) -> list[str]:
        """Break the connection and return what was read until then."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if how == "abort":
            self.socket.websocket._response.connection.transport.abort()
        await self.socket.websocket.close()
        return self.words


async def quiet(socket: Socket) -> None:
    """Take what is still under way, until nothing comes any more."""
    with suppress(TimeoutError):
        while (await socket.websocket.receive(timeout=1)).type is WSMsgType.BINARY:
            pass
