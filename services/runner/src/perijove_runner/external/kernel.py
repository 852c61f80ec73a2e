"""A kernel whose process belongs to others."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, TypeVar

from perijove_chassis.errors import FailedPrecondition

from perijove_runner.external.model import FoundKernel
from perijove_runner.lifecycle import HeldKernel
from perijove_runner.model import ExitCause, KernelExit
from perijove_runner.store import Relay

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_runner.model import Kernel
    from perijove_runner.snapshot import RelaySnapshot

R = TypeVar("R", bound=Relay)

_LET_GO = "The kernel was let go of{by}. It runs on, where it was started."
_LOST = "The kernel was started elsewhere, and cannot be reached any more."


class ExternalKernel(HeldKernel[R]):
    """A kernel that is connected to, and neither started nor ended.

    Its record asks for interrupts by message: there is no process to signal.
    """

    @property
    def found(self) -> FoundKernel:
        """The connection file that it was found by."""
        return FoundKernel(self._record.external, self._record.connection)

    async def launch(self) -> bool:
        """Connect, unless that is done; return that no process was launched.

        Raises:
            NotFound: if the kernel went away meanwhile.
            FailedPrecondition: if it signs its messages in an unknown way.
        """
        async with self._lock:
            self._require_held()
            if not self._opened:
                try:
                    await self._open(None)
                except BaseException:
                    self._forget()
                    raise
        return False

    async def adopt(self, snapshot: RelaySnapshot | None) -> None:
        """Connect again, where an earlier runner was connected."""
        async with self._lock:
            await self._open(snapshot)

    async def restart(self, requested_by: str = "") -> None:
        """Refuse that.

        Raises:
            FailedPrecondition: always.
        """
        del requested_by
        raise FailedPrecondition("the kernel was started elsewhere: restart it there")

    async def shut_down(
        self,
        last_exit: KernelExit,
        polite_s: float | None = None,
        is_due: Callable[[Kernel], bool] | None = None,
    ) -> None:
        """Let go of it, if somebody wants that; it is never culled."""
        del polite_s
        async with self._lock:
            self._require_held()
            if is_due is None:
                by = f" by {last_exit.requested_by}" if last_exit.requested_by else ""
                self._note_exit(dataclasses.replace(last_exit, message=_LET_GO.format(by=by)))
                self._forget()

    async def lose(self) -> None:
        """Tell everyone that it cannot be reached any more."""
        async with self._lock:
            if not self._gone:
                lost = KernelExit(ExitCause.UNKNOWN, _LOST, self._clock())
                self._note_exit(lost, show=True)
                self._give_up()

    async def _open(self, snapshot: RelaySnapshot | None) -> None:
        record = self._record
        await self.relay.open(record.connection, record.epoch, snapshot)
        self._opened = True
        self._keep(record)
