"""What is told of what is done with kernels, as jupyter_server tells it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from perijove_chassis.errors import DomainError, NotFound
from perijove_chassis.happening import Happening

from perijove_kernels.manager import KernelManager
from perijove_kernels.model import ExitCause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perijove_kernels.last_known import LastKnown
    from perijove_kernels.model import Changes, Hello, Kernel, Launch
    from perijove_kernels.naming import Naming
    from perijove_kernels.placing import Placing
    from perijove_kernels.store import KernelStore, Runners

_DONE = {
    "start": "started",
    "interrupt": "interrupted",
    "restart": "restarted",
    "shutdown": "shutdown",
}


_DIED = frozenset({ExitCause.EXITED, ExitCause.SIGNALED, ExitCause.OUT_OF_MEMORY})
_ENDED = frozenset({ExitCause.CULLED, ExitCause.RUNNER_STOPPED, ExitCause.RUNNER_DRAINED})


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
        naming: Naming,
        tell: Callable[[Happening], None],
    ) -> None:
        """Take what the rules need, and who is told; that must return at once."""
        super().__init__(store, runners, last_known, placing, naming)
        self._tell_of = tell

    async def start(self, launch: Launch, *, trusted: bool) -> tuple[Kernel, bool]:
        """Start a kernel, unless one with its id runs."""
        name = self._naming.of(launch.kernelspec_name)
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
        self._tell_of(_happening(action, kernel_id, kernelspec_name, error))


class Unasked:
    """Tells what runners do with kernels of their own accord.

    It compares what a runner announces. What it did while it was not connected is
    not told.
    """

    def __init__(self, tell: Callable[[Happening], None]) -> None:
        """Take who is told; that must return at once."""
        self._tell_of = tell

    def observe(self, hello: Hello) -> Callable[[Changes], None]:
        """Return what looks at the changes of a runner that has begun with a state."""
        known = {kernel.kernel_id: kernel for kernel in hello.kernels}

        def look(changes: Changes) -> None:
            for kernel in changes.kernels:
                if before := known.get(kernel.kernel_id):
                    self._compare(before, kernel)
                known[kernel.kernel_id] = kernel
            for kernel_id in changes.gone:
                known.pop(kernel_id, None)

        return look

    def _compare(self, before: Kernel, kernel: Kernel) -> None:
        ended = kernel.last_exit
        if ended is None:
            return
        if ended.cause in _DIED and kernel.epoch > before.epoch:
            self._tell("restart", kernel)
        elif ended.cause in _ENDED and ended != before.last_exit:
            self._tell("shutdown", kernel)

    def _tell(self, action: str, kernel: Kernel) -> None:
        self._tell_of(_happening(action, kernel.kernel_id, kernel.kernelspec_name))


def _happening(
    action: str, kernel_id: str, kernelspec_name: str, error: DomainError | None = None
) -> Happening:
    data = {
        "kernel_name": kernelspec_name,
        "kernel_id": kernel_id,
        "action": action,
        "status": "error" if error else "success",
        "msg": str(error) if error else f"Kernel {kernel_id} was {_DONE[action]}.",
    }
    return Happening(data, datetime.now(UTC))
