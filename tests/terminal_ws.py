"""A plain client of terminals: the WebSocket as front ends use it.

It knows nothing of Perijove, and no more of the server than its address.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any, Self

import aiohttp

if TYPE_CHECKING:
    from yarl import URL

GENEROUS_S = 60.0


class TerminalSocket:
    """One WebSocket of one terminal, and all it was sent."""

    def __init__(self, http: aiohttp.ClientSession, url: str | URL) -> None:
        self.messages: list[list[Any]] = []
        self.close_code: int | None = None
        self._http = http
        self._url = url
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._socket = await self._http.ws_connect(self._url, max_msg_size=0)
        self._task = asyncio.create_task(self._collect())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task and self._socket:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._socket.close()

    @property
    def text(self) -> str:
        """All that was shown."""
        return "".join(message[1] for message in self.messages if message[0] == "stdout")

    async def send(self, *command: object) -> None:
        """Send a JSON array."""
        await self.send_raw(json.dumps(command))

    async def send_raw(self, text: str) -> None:
        """Send any text."""
        assert self._socket
        await self._socket.send_str(text)

    async def type(self, text: str) -> None:
        """Type."""
        await self.send("stdin", text)

    async def run(self, command: str, pattern: str) -> re.Match[str]:
        """Type a line and wait for what it prints."""
        await self.type(command + "\r")
        return await self.until(pattern)

    async def until(self, pattern: str) -> re.Match[str]:
        """Wait until something is shown and return what was found."""
        await self._until(lambda: re.search(pattern, self.text))
        found = re.search(pattern, self.text)
        assert found
        return found

    async def closed(self) -> int | None:
        """Wait until the server has closed the socket and return its code."""
        await self._until(lambda: self.close_code is not None)
        return self.close_code

    async def received(self, count: int = 1) -> None:
        """Wait until there are so many messages."""
        await self._until(lambda: len(self.messages) >= count)

    async def _until(self, condition: Any) -> None:
        try:
            async with asyncio.timeout(GENEROUS_S), self._changed:
                await self._changed.wait_for(condition)
        except TimeoutError:
            raise AssertionError(f"it was not shown: {self.text[-2000:]!r}") from None

    async def _collect(self) -> None:
        assert self._socket
        async for message in self._socket:
            assert message.type is aiohttp.WSMsgType.TEXT
            async with self._changed:
                self.messages.append(json.loads(message.data))
                self._changed.notify_all()
        async with self._changed:
            self.close_code = self._socket.close_code or 0
            self._changed.notify_all()
