"""This machine, as far as a runner has to do with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from prometheus_client import CollectorRegistry

from perijove_runner.backends.drain_file import DrainFile
from perijove_runner.backends.kernelspecs import InstalledKernelspecs
from perijove_runner.backends.launcher import LocalLauncher
from perijove_runner.backends.layout import StateLayout
from perijove_runner.backends.memory import OutOfMemory
from perijove_runner.backends.spool import SpoolRoom
from perijove_runner.backends.state_directory import StateDirectory
from perijove_runner.model import KernelspecChoice
from perijove_runner.snapshot import SpoolLimits
from perijove_runner.store import Ports, Relay
from perijove_runner.warm.backends.launcher import WarmLauncher
from perijove_runner.warm.backends.metrics import WarmMetrics
from perijove_runner.warm.backends.programs import Programs
from perijove_runner.warm.backends.spares import LocalSpares
from perijove_runner.warm.manager import WarmPool
from perijove_runner.warm.model import WarmPlan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from perijove_runner.store import MakeRelay

R = TypeVar("R", bound=Relay)


class LocalMachine:
    """Where kernels run, what is kept of them, and what can be started."""

    def __init__(
        self,
        state_dir: str,
        environ: Mapping[str, str],
        umask: int,
        kernelspecs: KernelspecChoice | None = None,
        spool_limits: SpoolLimits | None = None,
        warm: WarmPlan | None = None,
        directory: str = "",
        kernel_environ: Mapping[str, str] | None = None,
    ) -> None:
        """Take a state directory, and the environment and umask that kernels get.

        Args:
            state_dir: An absolute path.
            environ: The environment, which also says where kernelspecs are.
            umask: The umask.
            kernelspecs: Which kernelspecs may be started; all if None.
            spool_limits: How much of journals may be on disk.
            warm: Which kernels to keep ready.
            directory: Where kernels start whose own directory is not here.
            kernel_environ: What kernels get of the environment; all if None.

        Raises:
            ValueError: if the state directory cannot be used.
        """
        self._layout = layout = StateLayout(state_dir)
        self._oom = OutOfMemory.of_this_process()
        self._room = SpoolRoom(spool_limits or SpoolLimits())
        self.state = StateDirectory(layout, self._room)
        self.drain_note = DrainFile(layout.root)
        self.launcher = LocalLauncher(
            layout,
            environ if kernel_environ is None else kernel_environ,
            umask=umask,
            oom=self._oom,
            directory=directory,
        )
        self.kernelspecs = InstalledKernelspecs(environ, kernelspecs or KernelspecChoice())
        spares = LocalSpares(self.launcher, layout, self.state, Programs())
        self.warm = WarmPool(warm or WarmPlan(), spares, self.kernelspecs)
        self.metrics = CollectorRegistry()
        self.metrics.register(WarmMetrics(self.warm))

    def ports(self, make_relay: MakeRelay[R]) -> Ports[R]:
        """Return what the manager of kernels works with."""
        launcher = WarmLauncher(self.launcher, self.warm)
        return Ports(launcher, self.state, self.kernelspecs, make_relay)

    def run_notes(self, kernel_id: str) -> Path:
        """Return where what was run in a kernel for programs is noted."""
        return self._layout.run_notes(kernel_id)

    async def look(self) -> bool:
        """Look after what changes by itself; to be done every few seconds.

        Returns:
            Whether the kernelspecs have changed.
        """
        self._oom.look()
        self._room.look()
        await asyncio.to_thread(self.state.trim_outputs)
        return await self.kernelspecs.refresh()

    def close(self) -> None:
        """Finish what is under way with files."""
        self._room.close()
