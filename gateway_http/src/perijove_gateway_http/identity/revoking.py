"""Logins that end while sockets are open: those are closed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from perijove_gateway_http.auth import Authenticator
    from perijove_gateway_http.sockets import Sockets

log = structlog.get_logger()

LOOK_INTERVAL_S = 0.5
"""How often the shared files are looked at, by a thread that reads nothing unless they changed."""

_CHECK_EVERY = 60
"""Every how many looks all sockets are checked: logins also end by themselves."""


class Revoking:
    """Looks at what logins depend on, and closes the sockets of those that have ended."""

    def __init__(self, auth: Authenticator, sockets: Sockets) -> None:
        self._auth = auth
        self._sockets = sockets
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.ensure_future(self._run())

    async def close(self) -> None:
        """Look no longer."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        looks, seen = 0, self._auth.generation
        while True:
            await asyncio.sleep(LOOK_INTERVAL_S)
            await self._auth.refresh()
            looks += 1
            generation = self._auth.generation
            if generation != seen or looks % _CHECK_EVERY == 0:
                seen = generation
                await self._check()

    async def _check(self) -> None:
        closed = await self._sockets.close_unless(
            lambda _, caller: caller is not None and self._auth.still_holds(caller)
        )
        if closed:
            log.info("sockets of ended logins were closed", number=closed)
