"""What a runner does for its terminals beside serving, from its start to its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from perijove_chassis.settings import load

from perijove_runner.terminals import settings as told
from perijove_runner.terminals.backends.local import LocalTerminals
from perijove_runner.terminals.manager import TerminalManager
from perijove_runner.terminals.servicer import terminals_service
from perijove_runner.terminals.wire import Writer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from perijove_chassis.server import Service

    from perijove_runner.draining import Draining
    from perijove_runner.settings import RunnerSettings


class Terminals:
    """The terminals of a runner, put together."""

    def __init__(
        self,
        settings: RunnerSettings,
        environ: Mapping[str, str],
        draining: Draining,
        *,
        umask: int,
    ) -> None:
        """Put them together; the settings of terminals are read from the environment.

        Raises:
            SettingsError: if one of these is wrong.
        """
        own = load(told.TerminalSettings, told.PREFIX, environ)
        host = LocalTerminals(settings.state_dir, environ, own, umask=umask)
        self.manager = TerminalManager(host, own, draining)
        self._settings = settings

    def service(self) -> Service:
        """Return the service for a server."""
        return terminals_service(self.manager, Writer(self._settings.id, self._settings.address()))

    def held(self) -> bool:
        """Return whether there is a terminal."""
        return bool(self.manager.all())

    async def beside(self, work: Callable[[], Awaitable[None]]) -> None:
        """Look after the terminals beside other work until cancelled; then part with them.

        If the work ends by itself, the runner leaves for good: none is kept.
        """
        async with asyncio.TaskGroup() as tasks:
            looking = tasks.create_task(self._look_after())
            await work()
            await self.manager.close(keep=False)
            looking.cancel()

    async def _look_after(self) -> None:
        try:
            await self.manager.run()
        finally:
            await self.manager.close(keep=self._settings.kernels_on_stop == "keep")
