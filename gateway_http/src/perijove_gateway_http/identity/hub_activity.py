"""Tells the hub when somebody last worked here: it ends servers that nobody uses."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from perijove_gateway_http.identity.outside import Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from perijove_gateway_http.identity.hub import Hub

log = structlog.get_logger()


class HubActivity:
    """Tells it now, and at intervals."""

    def __init__(self, hub: Hub, last_activity: Callable[[], Awaitable[str]]) -> None:
        """Tell a hub.

        Args:
            hub: Whom to tell.
            last_activity: Returns when somebody last worked here.
        """
        self._hub = hub
        self._last_activity = last_activity
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to tell it, if it wants to know."""
        settings = self._hub.settings
        if settings.activity_url and settings.activity_interval > 0:
            self._task = asyncio.ensure_future(self._run(settings.activity_interval))

    async def close(self) -> None:
        """Tell it no longer."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, interval_s: float) -> None:
        while True:
            try:
                await self._hub.tell(await self._last_activity())
            except (Refused, Unreachable) as error:
                log.warning("the hub could not be told of activity", error=str(error))
            except Exception:
                # What is told next time comprises it.
                log.exception("activity could not be found out")
            await asyncio.sleep(interval_s)
