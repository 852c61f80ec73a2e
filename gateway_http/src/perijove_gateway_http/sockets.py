"""The open WebSockets of this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import WSCloseCode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from aiohttp import web

    from perijove_gateway_http.keys import AnyWebSocket

GOODBYE_S = 2.0
"""How long a client is given to answer that it is closed."""


class Sockets:
    """Knows whose each WebSocket is, and closes them."""

    def __init__(self) -> None:
        self._open: dict[AnyWebSocket, web.Request] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[AnyWebSocket]:
        return iter(tuple(self._open))

    def add(self, websocket: AnyWebSocket, request: web.Request) -> None:
        """Take note of one that is open. Its handler discards it in the end."""
        self._open[websocket] = request

    def discard(self, websocket: AnyWebSocket) -> None:
        """Forget one."""
        self._open.pop(websocket, None)

    async def close_all(self) -> None:
        """Tell clients to come back: front ends take 1000 and 1001 as final."""
        await self._close(self._open.items(), WSCloseCode.SERVICE_RESTART, b"restarting")

    async def close_unless(self, holds: Callable[[web.Request], Awaitable[bool]]) -> int:
        """Close those whose users would not be let in now; return how many these are.

        Args:
            holds: Whether a request would be let in as before.
        """
        found = [pair for pair in tuple(self._open.items()) if not await holds(pair[1])]
        await self._close(found, WSCloseCode.POLICY_VIOLATION, b"log in again")
        return len(found)

    async def _close(
        self, pairs: Iterable[tuple[AnyWebSocket, web.Request]], code: int, message: bytes
    ) -> None:
        closing = (_close(*pair, code, message) for pair in tuple(pairs))
        await asyncio.gather(*closing, return_exceptions=True)


async def _close(websocket: AnyWebSocket, request: web.Request, code: int, message: bytes) -> None:
    try:
        async with asyncio.timeout(GOODBYE_S):
            await websocket.close(code=code, message=message)
    except TimeoutError:
        # It need not agree.
        if request.transport:
            request.transport.abort()
