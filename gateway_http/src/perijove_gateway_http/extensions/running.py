"""What extensions do for as long as the edge serves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from perijove_gateway_http.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from aiohttp import web

    from perijove_gateway_http.extensions.registration import Host
    from perijove_gateway_http.routing import Handler

    Run = Callable[[Host], AbstractAsyncContextManager[object]]

log = structlog.get_logger()

START_S = 30.0
"""Longest that one may take to begin."""

STOP_S = 5.0
"""Longest that all may take to end."""


class Runs:
    """Enters what extensions run, each in a task of its own, and leaves it in the same.

    Serving waits for none of them. One that fails costs its own routes: they answer 503.
    """

    def __init__(self, wanted: Mapping[str, Run]) -> None:
        """Take what is to run, by the name of the extension."""
        self._wanted = dict(wanted)
        self._running: set[str] = set()
        self._failed: set[str] = set()
        self._told = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def once_running(self, name: str, handler: Handler) -> Handler:
        """Return a handler that answers once an extension runs."""
        if name not in self._wanted:
            return handler

        async def handle(request: web.Request) -> web.StreamResponse:
            if name in self._failed:
                raise Problem(503, f"the extension {name} failed; the server's log says why")
            if name not in self._running:
                raise Problem(503, f"the extension {name} is still starting")
            return await handler(request)

        return handle

    def start(self, host: Host) -> None:
        """Begin with all of them."""
        self._tasks = {
            name: asyncio.create_task(self._live(name, run, host))
            for name, run in self._wanted.items()
        }

    async def close(self) -> None:
        """End them. What has not begun, or does not end in time, is cancelled."""
        self._told.set()
        for name, task in self._tasks.items():
            if name not in self._running:
                task.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks.values(), timeout=STOP_S)
            for task in late:
                task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _live(self, name: str, run: Run, host: Host) -> None:
        try:
            async with asyncio.timeout(START_S) as starting, run(host):
                starting.reschedule(None)
                self._running.add(name)
                await self._told.wait()
        # It is code of others, whatever it raises, and whenever.
        except Exception as error:
            self._failed.add(name)
            log.exception("extension failed", extension=name, cause=repr(error))
