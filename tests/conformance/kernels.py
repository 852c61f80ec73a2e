"""Kernels for tests: started over REST, talked to over their WebSocket."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.conformance.client import GENEROUS_S
from tests.jupyter_ws import PROTOCOL
from tests.kernel_sockets import Socket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.conformance.client import Answer, Server

_POLL_S = 0.05


class TestKernel:
    """One kernel of the server."""

    __test__ = False

    def __init__(self, server: Server, **body: Any) -> None:
        """Start it; `body` is that of the request."""
        self._server = server
        self.started = server.ask("POST", "api/kernels", json=body)
        assert self.started.status == 201, self.started.body
        self.kernel_id: str = self.started.json["id"]
        self.address = f"api/kernels/{self.kernel_id}"

    def ask(self, method: str = "GET", action: str = "") -> Answer:
        """Send a request for the kernel itself, or for one of its actions."""
        return self._server.ask(method, self.address + action)

    async def until(self, holds: Callable[[Answer], bool]) -> Answer:
        """Ask for its model until something holds of the answer, and return that."""
        async with asyncio.timeout(GENEROUS_S):
            while True:
                answer = await asyncio.to_thread(self.ask)
                if holds(answer):
                    return answer
                await asyncio.sleep(_POLL_S)

    async def until_state(self, *states: str) -> Any:
        """Return its model once it shows one of some states."""
        return (await self.until(lambda a: a.json.get("execution_state") in states)).json

    @asynccontextmanager
    async def connected(
        self, session_id: str | None = "", *, v1: bool = True, **options: Any
    ) -> AsyncIterator[Socket]:
        """Open a WebSocket; under a session id of its own, or under none if that is None."""
        base = self._server.url.rstrip("/") + "/"
        query = {} if session_id is None else {"session_id": session_id or uuid.uuid4().hex}
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"token {self._server.token}"}) as http,
            http.ws_connect(
                base + self.address + "/channels",
                params=query,
                protocols=(PROTOCOL,) if v1 else (),
                max_msg_size=0,
                **options,
            ) as websocket,
        ):
            yield Socket(websocket)

    def remove(self) -> None:
        """Shut it down, if it is still there."""
        assert self.ask("DELETE").status in (204, 404)
