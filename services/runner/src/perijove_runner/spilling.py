"""Moves a journal's older part to the disk, when somebody waits for it.

A message that its clients acknowledge at once never gets there, and costs nothing
but a look at a timer. What is still waited for after some hundredths of a second
is written, so that it outlives the process, and may leave memory.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import structlog
from perijove_chassis.errors import DomainError

from perijove_runner.journal import BATCH_BYTES, BATCH_MESSAGES, Page, page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perijove_runner.journal import Journal
    from perijove_runner.places import Places
    from perijove_runner.store import Spool, Stretch

log = structlog.get_logger()

SPILL_AFTER_S: Final = 0.025
"""Seconds between two looks at what is waited for; written is what both have seen."""

_WRITE_BYTES: Final = 8 * 1024 * 1024
_PROGRESS_S: Final = 1.0
"""Seconds without progress after which nobody waits for the disk any more."""
_TRY_AGAIN_S: Final = 1.0
_SKIPPED: Final = 4096
"""Records that nobody waits for and that are not written; fewer are, to have fewer files."""


class Spilling:
    """The disk's part in one kernel's journal.

    If the disk is slow, full or broken, messages stay in memory up to the limit
    of the journal; past that the oldest are dropped, and their readers are told
    of a gap. A write that fails is tried again every second.
    """

    def __init__(
        self,
        journal: Journal,
        places: Places,
        spool: Spool,
        waited_for: Callable[[], int],
        memory_bytes: int,
        most_bytes: int,
    ) -> None:
        """Begin with nothing on disk.

        Args:
            journal: What is in memory.
            places: Says which epoch a place is of.
            spool: Where it is written.
            waited_for: Returns the oldest place that a client has not acknowledged.
            memory_bytes: Bytes in memory past which its oldest part leaves, if it may.
            most_bytes: Bytes in memory past which it is dropped.
        """
        self._journal = journal
        self._places = places
        self._spool = spool
        self._waited_for = waited_for
        self._memory_bytes = memory_bytes
        self._pressed_bytes = (memory_bytes + most_bytes) // 2
        # So that not every message makes room for the next.
        self._relieved_bytes = memory_bytes - memory_bytes // 8
        self._alarm: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._seen = 0
        self._written = 0
        self._not_before = 0.0
        self._progress = 0.0
        self._failing = False
        self._closed = False

    @property
    def is_pressed(self) -> bool:
        """Whether the disk works, and needs a moment before more arrives."""
        return (
            self._journal.size_bytes > self._pressed_bytes
            and self._task is not None
            and time.monotonic() - self._progress < _PROGRESS_S
        )

    async def take_over(self) -> Sequence[Stretch]:
        """Return what an earlier process has left on disk."""
        return await self._spool.take_over()

    async def clear(self) -> None:
        """Drop what is on disk: it belongs to nobody."""
        await self._spool.clear()

    def begin_at(self, place: int) -> None:
        """Hear where the journal of this process begins."""
        self._written = self._seen = place

    def appended(self) -> None:
        """Hear that the journal has a new record."""
        if self._alarm is None and not self._closed:
            self._alarm = asyncio.get_running_loop().call_later(SPILL_AFTER_S, self._look)
        if self._journal.size_bytes > self._memory_bytes:
            self._relieve()

    def next_kept(self, place: int) -> int:
        """Return the first place from a place on that can be read, here or in memory."""
        kept = self._spool.next_kept(place)
        first = max(place, self._journal.first_place)
        return first if kept is None else min(kept, first)

    async def read(self, place: int, client_session_id: str) -> Page | None:
        """Return the page at a place that is not in memory; None if it is not kept."""
        count = BATCH_MESSAGES - place % BATCH_MESSAGES
        records = await self._spool.read(place, count, BATCH_BYTES)
        return page(records, place, place, client_session_id) if records else None

    async def flush(self) -> None:
        """Write all that is waited for."""
        self._seen = self._journal.next_place
        while self._task or self._is_due():
            self._task = self._task or asyncio.ensure_future(self._spill())
            await self._task

    def end(self, after_s: float) -> None:
        """Hear that the kernel is gone: soon nobody reads any more."""
        self.close()
        self._spool.remove(after_s)

    def close(self) -> None:
        """Write no more."""
        self._closed = True
        if self._alarm:
            self._alarm.cancel()
        if self._task:
            self._task.cancel()
        self._spool.close()

    def _look(self) -> None:
        self._alarm = None
        if not self._task and self._is_due():
            self._task = asyncio.ensure_future(self._spill())
            return
        self._seen = self._journal.next_place
        if self._is_behind():
            self._alarm = asyncio.get_running_loop().call_later(SPILL_AFTER_S, self._look)

    def _relieve(self) -> None:
        """Make room in memory, now or once something is written."""
        if self._task or self._closed:
            return
        free = max(self._written, self._waited_for())
        self._journal.release(free, self._relieved_bytes)
        if self._journal.size_bytes > self._memory_bytes and time.monotonic() >= self._not_before:
            self._seen = self._journal.next_place
            self._task = asyncio.ensure_future(self._spill())

    def _is_due(self) -> bool:
        return self._is_behind() and time.monotonic() >= self._not_before

    def _is_behind(self) -> bool:
        """Return whether somebody waits for what was seen and is not written."""
        return max(self._written, self._waited_for()) < self._seen

    def _start(self) -> int:
        """Return where to write on."""
        waited_for = self._waited_for()
        if waited_for - self._written > _SKIPPED:
            return max(waited_for, self._journal.first_place)
        return max(self._written, self._journal.first_place)

    async def _spill(self) -> None:
        """Write what the last look has seen and somebody waits for."""
        self._progress = time.monotonic()
        try:
            while self._is_due():
                start = self._start()
                stretch = self._places.stretch(start, self._seen)
                records = self._journal.copy(start, stretch.end, _WRITE_BYTES)
                self._written = start + await self._spool.write(records, stretch)
                self._progress = time.monotonic()
                self._journal.release(self._written, self._relieved_bytes)
                self._failing = False
        except DomainError as error:
            self._failed(error)
        finally:
            self._task = None
        self._seen = self._journal.next_place
        if self._alarm is None and not self._closed and self._is_behind():
            self._alarm = asyncio.get_running_loop().call_later(SPILL_AFTER_S, self._look)

    def _failed(self, error: DomainError) -> None:
        self._not_before = time.monotonic() + _TRY_AGAIN_S
        if not self._failing:
            self._failing = True
            log.warning("journal not written", why=str(error))
