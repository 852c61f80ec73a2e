"""What a runner does beside serving, from its start to its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from perijove_runner.culling import Culler
from perijove_runner.external.backends.files import ConnectionDirectory
from perijove_runner.external.watching import ExternalKernels

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from perijove_runner.announcer import Announcer
    from perijove_runner.backends.local import LocalMachine
    from perijove_runner.changes import ChangeFeed
    from perijove_runner.manager import KernelManager
    from perijove_runner.settings import RunnerSettings

log = structlog.get_logger()

_LOOK_S = 3.0
_EXTERNAL_S = 1.0
_POLITE_S = 2.0
"""Kernels that end with their runner get this long to do so by themselves."""
_LAST_WORDS_S = 0.5


class Duties:
    """Announces the runner, looks after its files, and ends or leaves its kernels."""

    def __init__(
        self,
        settings: RunnerSettings,
        manager: KernelManager[Any],
        announcer: Announcer,
        feed: ChangeFeed,
        machine: LocalMachine,
    ) -> None:
        self._keep = settings.kernels_on_stop == "keep"
        self._manager = manager
        self._announcer = announcer
        self._feed = feed
        self._machine = machine
        self._culler = Culler(manager, settings.cull_rule())
        directory = settings.external_kernels
        self._external = directory and ExternalKernels(manager, ConnectionDirectory(directory))

    async def run(self) -> None:
        """Do all that until cancelled; then part with the kernels, and return."""
        working = asyncio.ensure_future(self._work())
        try:
            await asyncio.shield(working)
        finally:
            await self._manager.close(keep=self._keep, polite_s=_POLITE_S)
            if not self._keep:
                # That they are gone is worth saying, if someone listens.
                await asyncio.wait({working}, timeout=_LAST_WORDS_S)
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            self._machine.close()

    async def _work(self) -> None:
        # First: whoever hears of this runner hears of its kernelspecs too.
        await self._machine.look()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._announcer.run())
            tasks.create_task(self._machine.warm.run(self._manager.occupancy))
            tasks.create_task(_every(_LOOK_S, self._look))
            tasks.create_task(self._culler.run())
            if self._external:
                tasks.create_task(_every(_EXTERNAL_S, self._external.look))

    async def _look(self) -> None:
        if await self._machine.look():
            log.info("kernelspecs changed")
            self._feed.kernelspecs_changed()


async def _every(seconds: float, job: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        await job()
