"""Keeps what a later runner must know of a kernel, as well as the storage allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import structlog
from perijove_chassis.errors import DomainError

if TYPE_CHECKING:
    from perijove_runner.model import KernelRecord
    from perijove_runner.snapshot import RelaySnapshot
    from perijove_runner.store import StateStore

log = structlog.get_logger()


class Keeper:
    """Writes one kernel's record and snapshot. A failure costs the next runner, not this one."""

    def __init__(self, state: StateStore, kernel_id: str) -> None:
        self._state = state
        self._kernel_id = kernel_id
        self._snapshot: RelaySnapshot | None = None

    def keep_record(self, record: KernelRecord) -> None:
        """Keep a record in place of the previous one."""
        try:
            self._state.save(record)
        except DomainError as error:
            log.warning("kernel not recorded", kernel_id=self._kernel_id, why=str(error))

    def keep_snapshot(self, snapshot: RelaySnapshot) -> None:
        """Keep a snapshot in place of the previous one, if it differs in substance."""
        if self._snapshot:
            # When something last happened is not worth a write of its own.
            at = snapshot.last_activity_time
            if msgspec.structs.replace(self._snapshot, last_activity_time=at) == snapshot:
                return
        try:
            self._state.save_relay(self._kernel_id, snapshot)
        except DomainError as error:
            log.warning("relay not recorded", kernel_id=self._kernel_id, why=str(error))
        else:
            self._snapshot = snapshot
