"""What a runner does beside serving, from its start to its end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog

from perijove_runner.culling import Culler
from perijove_runner.external.backends.files import ConnectionDirectory
from perijove_runner.external.watching import ExternalKernels
from perijove_runner.renewal import Renewal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from perijove_runner.announcer import Announcer
    from perijove_runner.backends.local import LocalMachine
    from perijove_runner.changes import ChangeFeed
    from perijove_runner.draining import Draining
    from perijove_runner.manager import KernelManager
    from perijove_runner.settings import RunnerSettings

log = structlog.get_logger()

_LOOK_S = 3.0
_EXTERNAL_S = 1.0
_POLITE_S = 2.0
"""Kernels that end with their runner get this long to do so by themselves."""
_LAST_WORDS_S = 0.5
_GOODBYE_S = 5.0


class Duties:
    """Announces the runner, looks after its files, and ends or leaves its kernels."""

    def __init__(
        self,
        settings: RunnerSettings,
        manager: KernelManager[Any],
        announcer: Announcer,
        feed: ChangeFeed,
        machine: LocalMachine,
        draining: Draining,
        has_others: Callable[[], bool],
    ) -> None:
        """Do what these settings say.

        Args:
            settings: What the runner is told.
            manager: Its kernels.
            announcer: Makes it known.
            feed: What it announces.
            machine: Its files.
            draining: Whether it takes new kernels.
            has_others: Says whether there is something here that keeps it from
                leaving, beside kernels.
        """
        self._keep = settings.kernels_on_stop == "keep"
        self._manager = manager
        self._announcer = announcer
        self._feed = feed
        self._machine = machine
        self._draining = draining
        self._has_others = has_others
        self._renewal = Renewal(settings) if settings.renew_certificate else None
        self._culler = Culler(manager, settings.cull_rule())
        directory = settings.external_kernels
        self._external = directory and ExternalKernels(manager, ConnectionDirectory(directory))

    async def run(self) -> None:
        """Do all that until cancelled, or until the runner is to leave, since it is drained.

        Then part with the kernels, and return.
        """
        working = asyncio.ensure_future(self._work())
        leaving = asyncio.ensure_future(self._leave_when_drained())
        try:
            await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
            # Either of them may have failed.
            (working if working.done() else leaving).result()
        finally:
            left, had_kernels = leaving.done(), not self._manager.is_empty()
            await self._manager.close(keep=self._keep and not left, polite_s=_POLITE_S)
            if had_kernels and not (self._keep or left):
                # That they are gone is worth saying, if someone listens.
                await asyncio.wait({working}, timeout=_LAST_WORDS_S)
            for task in (working, leaving):
                task.cancel()
            await asyncio.gather(working, leaving, return_exceptions=True)
            self._machine.close()

    async def _leave_when_drained(self) -> None:
        drain = await self._draining.over(
            lambda: self._manager.is_empty() and not self._has_others()
        )
        await self._manager.drain(drain)
        self._feed.leave()
        with suppress(TimeoutError):  # it may be that nobody listens
            async with asyncio.timeout(_GOODBYE_S):
                await self._announcer.left.wait()
        self._draining.leave()

    async def _work(self) -> None:
        # First: whoever hears of this runner hears of its kernelspecs too.
        await self._machine.look()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._announcer.run())
            if self._renewal:
                tasks.create_task(self._renewal.run())
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
