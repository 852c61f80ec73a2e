"""Keeps what a later runner must know of a kernel, as well as the storage allows.

A failure costs the next runner, not this one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import structlog
from perijove_chassis.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_runner.model import KernelRecord
    from perijove_runner.snapshot import RelayChange, RelaySnapshot
    from perijove_runner.store import RelayNotes, StateStore

log = structlog.get_logger()

_TRY_AGAIN_S: Final = 1.0


class Keeper:
    """Writes one kernel's record."""

    def __init__(self, state: StateStore, kernel_id: str) -> None:
        self._state = state
        self._kernel_id = kernel_id

    def keep_record(self, record: KernelRecord) -> None:
        """Keep a record in place of the previous one."""
        try:
            self._state.save(record)
        except DomainError as error:
            log.warning("kernel not recorded", kernel_id=self._kernel_id, why=str(error))


class RelayKeeper:
    """Writes down what a relay knows, at once: before anybody can know it from the relay."""

    def __init__(
        self, notes: RelayNotes, kernel_id: str, snapshot: Callable[[], RelaySnapshot]
    ) -> None:
        """Make a keeper.

        Args:
            notes: Where it writes.
            kernel_id: The kernel, for the log.
            snapshot: Returns all that the relay knows now.
        """
        self._notes = notes
        self._kernel_id = kernel_id
        self._snapshot = snapshot
        self._begun = False
        self._not_before = 0.0
        self._closed = False

    def keep(self, change: RelayChange | None) -> None:
        """Keep a change that the snapshot already has."""
        if change is None or self._closed:
            return
        if self._begun and self._notes.add(change):
            return
        # What comes after a hole would be misunderstood: only a whole snapshot helps.
        self._begun = False
        if time.monotonic() >= self._not_before:
            self.keep_all()

    def keep_all(self) -> None:
        """Keep all that the relay knows in place of what was kept before."""
        if self._closed:
            return
        try:
            self._notes.begin(self._snapshot())
            self._begun = True
        except DomainError as error:
            self._begun = False
            self._not_before = time.monotonic() + _TRY_AGAIN_S
            log.warning("relay not recorded", kernel_id=self._kernel_id, why=str(error))

    def close(self) -> None:
        """Keep nothing any more."""
        self._closed = True
        self._notes.close()
