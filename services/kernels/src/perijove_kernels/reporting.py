"""What is told of what is done with kernels, as jupyter_server tells it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from perijove_chassis.errors import DomainError, NotFound

from perijove_kernels.manager import KernelManager

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from perijove_kernels.last_known import LastKnown
    from perijove_kernels.model import Kernel, Launch
    from perijove_kernels.placing import Placing
    from perijove_kernels.store import KernelStore, Runners

_DONE = {
    "start": "started",
    "interrupt": "interrupted",
    "restart": "restarted",
    "shutdown": "shutdown",
}


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that was done with a kernel, or tried."""

    data: Mapping[str, str]
    """As the schema of kernels' events has it."""
    time: datetime


class ReportingManager(KernelManager):
    """A `KernelManager` that tells what was done, and what failed.

    A call for a kernel that there is not is told nobody: nothing was tried.
    """

    def __init__(
        self,
        store: KernelStore,
        runners: Runners,
        last_known: LastKnown,
        placing: Placing,
        default_kernelspec: str,
        tell: Callable[[Happening], None],
    ) -> None:
        """Take what the rules need, and who is told; that must return at once."""
        super().__init__(store, runners, last_known, placing, default_kernelspec=default_kernelspec)
        self._default = default_kernelspec
        self._tell_of = tell

    async def start(self, launch: Launch, *, trusted: bool) -> tuple[Kernel, bool]:
        """Start a kernel, unless one with its id runs."""
        name = launch.kernelspec_name or self._default
        try:
            kernel, created = await super().start(launch, trusted=trusted)
        except DomainError as error:
            self._tell("start", launch.kernel_id, name, error)
            raise
        if created:
            self._tell("start", kernel.kernel_id, kernel.kernelspec_name)
        return kernel, created

    async def interrupt(self, kernel_id: str) -> Kernel:
        """Interrupt a kernel and return what is known of it."""
        with self._failure("interrupt", kernel_id):
            kernel = await super().interrupt(kernel_id)
        self._tell("interrupt", kernel_id, kernel.kernelspec_name)
        return kernel

    async def restart(self, kernel_id: str, requested_by: str) -> Kernel:
        """Replace a kernel's process and return the kernel once it answers."""
        with self._failure("restart", kernel_id):
            kernel = await super().restart(kernel_id, requested_by)
        self._tell("restart", kernel_id, kernel.kernelspec_name)
        return kernel

    async def shutdown(self, kernel_id: str, requested_by: str) -> Kernel:
        """Shut a kernel down and return it as it was."""
        with self._failure("shutdown", kernel_id):
            kernel = await super().shutdown(kernel_id, requested_by)
        self._tell("shutdown", kernel_id, kernel.kernelspec_name)
        return kernel

    @contextmanager
    def _failure(self, action: str, kernel_id: str) -> Iterator[None]:
        known = self._last_known.get(kernel_id)
        try:
            yield
        except NotFound:
            raise
        except DomainError as error:
            self._tell(action, kernel_id, known.kernel.kernelspec_name if known else "", error)
            raise

    def _tell(
        self, action: str, kernel_id: str, kernelspec_name: str, error: DomainError | None = None
    ) -> None:
        data = {
            "kernel_name": kernelspec_name,
            "kernel_id": kernel_id,
            "action": action,
            "status": "error" if error else "success",
            "msg": str(error) if error else f"Kernel {kernel_id} was {_DONE[action]}.",
        }
        self._tell_of(Happening(data, datetime.now(UTC)))
