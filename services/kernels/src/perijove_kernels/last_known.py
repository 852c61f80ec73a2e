"""What this replica last knew of the kernels: its answer while the registry is away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perijove_kernels.model import ExecutionState, ExitCause, Kernel, KernelExit
from perijove_kernels.store import Holding, Registry

if TYPE_CHECKING:
    from collections.abc import Collection

_LOST = KernelExit(
    ExitCause.RUNNER_LOST, "The machine that ran the kernel does not answer any more."
)


class LastKnown:
    """The newest registry this replica has read, with its own changes on top."""

    def __init__(self) -> None:
        self._holdings: dict[str, Holding] = {}
        self.loaded = False
        """Whether the registry was ever read."""
        self.settling = True
        """Whether the registry had lost data, so that a kernel missing there may run."""

    def remember(self, registry: Registry) -> None:
        """Take over a newer registry.

        While that settles, kernels missing there are kept: their runners have not
        returned to it yet, and nobody should take them for gone.
        """
        kept = self._holdings.items() if registry.settling else ()
        missing = {id_: holding for id_, holding in kept if id_ not in registry.gone}
        self._holdings = {**missing, **registry.holdings}
        self.settling = registry.settling
        self.loaded = True

    def put(self, kernel: Kernel) -> None:
        """Note a kernel as its runner just described it."""
        self._holdings[kernel.kernel_id] = Holding(kernel)

    def drop(self, kernel_id: str) -> None:
        """Note that a kernel is gone."""
        self._holdings.pop(kernel_id, None)

    def get(self, kernel_id: str) -> Holding | None:
        """Return a kernel, if it was known."""
        return self._holdings.get(kernel_id)

    def holdings(self) -> Collection[Holding]:
        """Return all kernels."""
        return self._holdings.values()

    @staticmethod
    def shown(holding: Holding) -> Kernel:
        """Return a kernel as it is shown: one whose runner is lost is dead."""
        if not holding.lost:
            return holding.kernel
        return replace(holding.kernel, execution_state=ExecutionState.DEAD, last_exit=_LOST)
