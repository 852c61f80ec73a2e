"""Ends kernels that nobody has used for a while."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog
from perijove_chassis.errors import DomainError

from perijove_runner.external.model import LABEL
from perijove_runner.model import ExecutionState

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_runner.manager import KernelManager
    from perijove_runner.model import Kernel

log = structlog.get_logger()

DEFAULT_INTERVAL_S: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CullRule:
    """Which kernels are ended for lack of use, and how often that is looked at."""

    idle_s: float = 0.0
    """Seconds without activity; never if zero or less. A kernelspec may say otherwise."""
    interval_s: float = DEFAULT_INTERVAL_S
    """Seconds between two looks; the default if zero or less."""
    connected: bool = False
    """Whether kernels that have clients are ended, too."""
    busy: bool = False
    """Whether kernels that run a cell are ended, too."""

    def is_due(self, kernel: Kernel, idle_s: float | None, now: float) -> bool:
        """Return whether a kernel is to be ended.

        Args:
            kernel: As it is now.
            idle_s: What its kernelspec says in place of this rule, if it does.
            now: Seconds of Unix time.
        """
        limit_s = self.idle_s if idle_s is None else idle_s
        return (
            # What others have started, others end.
            LABEL not in kernel.labels
            and limit_s > 0
            and now - kernel.last_activity_time > limit_s
            and (self.busy or kernel.execution_state is not ExecutionState.BUSY)
            and (self.connected or not kernel.connection_count)
        )


class Culler:
    """Looks for kernels to end, all the time."""

    def __init__(
        self,
        manager: KernelManager[Any],
        rule: CullRule,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._manager = manager
        self._rule = rule
        self._clock = clock

    async def run(self) -> None:
        """Look, until cancelled."""
        interval_s = self._rule.interval_s
        while True:
            await asyncio.sleep(interval_s if interval_s > 0 else DEFAULT_INTERVAL_S)
            await self.look()

    async def look(self) -> None:
        """End what is to be ended now, all at the same time."""
        kernels, _ = self._manager.kernels()
        await asyncio.gather(*(self._cull(kernel) for kernel in kernels if self._is_due(kernel)))

    async def _cull(self, kernel: Kernel) -> None:
        log.info(
            "kernel culled",
            kernel_id=kernel.kernel_id,
            idle_s=round(self._clock() - kernel.last_activity_time),
            connections=kernel.connection_count,
        )
        try:
            await self._manager.cull(kernel.kernel_id, self._is_due)
        except DomainError as error:
            log.info("kernel not culled", kernel_id=kernel.kernel_id, why=str(error))

    def _is_due(self, kernel: Kernel) -> bool:
        return self._rule.is_due(kernel, self._idle_s(kernel.kernelspec_name), self._clock())

    def _idle_s(self, kernelspec_name: str) -> float | None:
        specs = self._manager.kernelspecs()
        return next((spec.cull_idle_s for spec in specs if spec.name == kernelspec_name), None)
