"""This machine, as far as a runner has to do with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from perijove_runner.backends.kernelspecs import InstalledKernelspecs
from perijove_runner.backends.launcher import LocalLauncher
from perijove_runner.backends.layout import StateLayout
from perijove_runner.backends.memory import OutOfMemory
from perijove_runner.backends.state_directory import StateDirectory

if TYPE_CHECKING:
    from collections.abc import Mapping


class LocalMachine:
    """Where kernels run, what is kept of them, and what can be started."""

    def __init__(self, state_dir: str, environ: Mapping[str, str], *, umask: int) -> None:
        """Take a state directory, and the environment and umask that kernels get.

        Raises:
            ValueError: if the state directory cannot be used.
        """
        layout = StateLayout(state_dir)
        self._oom = OutOfMemory.of_this_process()
        self.state = StateDirectory(layout)
        self.launcher = LocalLauncher(layout, environ, umask=umask, oom=self._oom)
        self.kernelspecs = InstalledKernelspecs(environ)

    async def look(self) -> bool:
        """Look after what changes by itself; to be done every few seconds.

        Returns:
            Whether the kernelspecs have changed.
        """
        self._oom.look()
        await asyncio.to_thread(self.state.trim_outputs)
        return await self.kernelspecs.refresh()
