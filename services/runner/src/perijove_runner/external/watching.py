"""Which kernels that others have started are held: those that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from perijove_chassis.errors import DomainError

if TYPE_CHECKING:
    from perijove_runner.external.model import FoundKernel
    from perijove_runner.external.store import ConnectionFiles
    from perijove_runner.manager import KernelManager

log = structlog.get_logger()

_MISSES = 2
"""A kernel that is not found this often in a row is gone: once may be chance."""
_REFUSED = ""


class ExternalKernels:
    """Takes kernels in as their files appear, and loses them as they go."""

    def __init__(self, manager: KernelManager[Any], files: ConnectionFiles) -> None:
        self._manager = manager
        self._files = files
        self._known: dict[FoundKernel, str] = {}
        """Ids. One that was let go of stays in here, so that it is not taken in again."""
        self._misses: dict[FoundKernel, int] = {}

    async def look(self) -> None:
        """Take in what is new, and lose what is gone."""
        self._known |= self._manager.external()
        found = await self._files.look()
        for one in found:
            self._misses.pop(one, None)
            if one not in self._known:
                self._known[one] = await self._take_in(one)
        for one in [one for one in self._known if one not in found]:
            self._misses[one] = self._misses.get(one, 0) + 1
            if self._misses[one] >= _MISSES:
                del self._misses[one]
                await self._manager.lose(self._known.pop(one))

    async def _take_in(self, one: FoundKernel) -> str:
        try:
            kernel_id = await self._manager.take_in(one)
        except DomainError as error:
            log.warning("external kernel not taken in", file=one.name, why=str(error))
            return _REFUSED
        log.info("external kernel taken in", kernel_id=kernel_id, file=one.name)
        return kernel_id
