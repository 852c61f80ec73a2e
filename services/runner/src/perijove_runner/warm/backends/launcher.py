"""Launches kernels, warm where one is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from perijove_runner.backends.launcher import LocalLauncher
    from perijove_runner.model import ProcessMark
    from perijove_runner.store import KernelProcess, Launch
    from perijove_runner.warm.manager import WarmPool

log = structlog.get_logger()


class WarmLauncher:
    """Asks a pool for a process first, and starts one if it has none."""

    def __init__(self, cold: LocalLauncher, pool: WarmPool) -> None:
        self._cold = cold
        self._pool = pool

    async def launch(self, launch: Launch) -> KernelProcess:
        """Return a process that outlives the runner.

        Raises:
            FailedPrecondition: with reason `KERNEL_START_FAILED` if it cannot be started.
        """
        if process := await self._pool.claim(launch):
            log.info("kernel is a warm one", kernel_id=launch.kernel_id)
            return process
        return await self._cold.launch(launch)

    async def adopt(self, mark: ProcessMark) -> KernelProcess:
        """Return a process that an earlier runner launched; it may be gone by now."""
        return await self._cold.adopt(mark)

    async def end_unrecorded(self, kernel_id: str) -> None:
        """End the process of a launch that the runner did not live to record."""
        await self._cold.end_unrecorded(kernel_id)
