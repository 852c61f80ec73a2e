"""Logins that end, and permissions that are taken, while sockets are open: those are closed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from perijove_gateway_http.identity.resources import action_of, resource_of
from perijove_gateway_http.keys import CALLER, MATCH

if TYPE_CHECKING:
    from aiohttp import web

    from perijove_gateway_http.auth import Authenticator
    from perijove_gateway_http.identity.authorization import Authorizer
    from perijove_gateway_http.sockets import Sockets

log = structlog.get_logger()

LOOK_INTERVAL_S = 0.5
"""How often the shared files are looked at, by a thread that reads nothing unless they changed."""

_CHECK_EVERY = 20
"""Every how many looks all sockets are checked: logins also end by themselves."""


class Revoking:
    """Looks at what logins depend on, and closes the sockets of those that have ended."""

    def __init__(self, auth: Authenticator, authorizer: Authorizer, sockets: Sockets) -> None:
        self._auth = auth
        self._authorizer = authorizer
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
        looks, seen = 0, self._generation()
        while True:
            await asyncio.sleep(LOOK_INTERVAL_S)
            await self._auth.refresh()
            await self._authorizer.refresh()
            looks += 1
            generation = self._generation()
            if generation != seen or looks % _CHECK_EVERY == 0:
                seen = generation
                await self._check()

    async def _check(self) -> None:
        if closed := await self._sockets.close_unless(self._may_go_on):
            log.info("sockets of ended logins were closed", number=closed)

    async def _may_go_on(self, request: web.Request) -> bool:
        caller, match = request[CALLER], request[MATCH]
        if caller is None or match.route is None or not await self._auth.still_holds(caller):
            return False
        resource = resource_of(match.route)
        return not resource or await self._authorizer.is_authorized(
            caller, action_of(match.route), resource
        )

    def _generation(self) -> object:
        return self._auth.generation, self._authorizer.generation
