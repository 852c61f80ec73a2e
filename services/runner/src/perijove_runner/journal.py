"""The last messages of a kernel, for clients that are slow or were away.

The journal knows places, not clients: a place is a number that counts every
record the journal ever took, across epochs. A client is a place to read on
from, so that a slow one costs nothing and holds nobody up. When the journal
drops what a client has not read, that client is told of a gap.

The newest records are in memory. A place is all that a reader holds, so older
ones can move to the disk (`spilling.py`) without a reader noticing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

EVERYONE: Final = None
"""Audience of what all clients see."""
NOBODY: Final = ""
"""Audience of what no client sees."""

BATCH_MESSAGES: Final = 128
"""Most messages that travel together."""
BATCH_BYTES: Final = 1024 * 1024
"""Bytes past which no further message joins a batch."""

_COMPACT_AFTER = 4096
_COPIED = 4096
_RECORD_OVERHEAD = 128


class Record(msgspec.Struct, frozen=True, gc=False):
    """One message as it goes to clients."""

    audience: str | None
    """The client session that sees it, `EVERYONE` or `NOBODY`."""
    data: bytes
    """An entry of a batch or, if it travels alone, a whole response."""
    alone: bool = False
    """Whether it is a response of its own."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a client reads at once."""

    entries: Sequence[bytes]
    """Entries of one batch, or one whole response."""
    alone: bool
    """Whether `entries` is one whole response."""
    next_place: int
    """Where to read on."""
    shared: bool = False
    """Whether every client that reads from the same place on gets the same."""


def page(records: Sequence[Record | None], offset: int, place: int, client_session_id: str) -> Page:
    """Return the page at a place; see `Journal.read`.

    Args:
        records: Those from there on, at least as many as fit a page if there are.
        offset: The place of the first of them.
        place: Where the page begins.
        client_session_id: Who reads.
    """
    index = place - offset
    end = min(len(records), index + BATCH_MESSAGES - place % BATCH_MESSAGES)
    entries: list[bytes] = []
    size = 0
    shared = True
    while index < end:
        record = records[index]
        if record is None:  # pragma: no cover - readers begin at first_place or later
            raise LookupError(place)
        if record.audience is EVERYONE or record.audience == client_session_id:
            size += len(record.data)
            if entries and (record.alone or size > BATCH_BYTES):
                break
            entries.append(record.data)
            if record.alone:
                return Page(entries, alone=True, next_place=offset + index + 1)
        shared = shared and record.audience is EVERYONE
        index += 1
    return Page(entries, alone=False, next_place=offset + index, shared=shared)


class Journal:
    """A ring of records, bounded by bytes and by count."""

    def __init__(self, *, max_bytes: int, max_records: int) -> None:
        self._max_bytes = max_bytes
        self._max_records = max_records
        # A list with a moving start, not a deque: readers jump to any place.
        self._records: list[Record | None] = []
        self._start = 0
        self._offset = 0
        self._bytes = 0

    @property
    def first_place(self) -> int:
        """The oldest place that can be read here."""
        return self._offset + self._start

    @property
    def size_bytes(self) -> int:
        """What the records take up."""
        return self._bytes

    @property
    def next_place(self) -> int:
        """The place that the next record gets."""
        return self._offset + len(self._records)

    def append(self, record: Record) -> None:
        """Take a record, and drop the oldest while the journal is over a limit.

        The newest record is kept whatever its size.
        """
        self._records.append(record)
        self._bytes += len(record.data) + _RECORD_OVERHEAD
        while (
            self._bytes > self._max_bytes or self.next_place - self.first_place > self._max_records
        ):
            if self._start == len(self._records) - 1:
                break
            self._drop_oldest()

    def begin_at(self, place: int) -> None:
        """Give the first record this place, in a journal that is empty."""
        self._offset = place

    def read(self, place: int, client_session_id: str) -> Page:
        """Return what a client session sees from a place on, as much as fits a batch.

        A page may be empty and yet move on: past records that others see. Pages
        end at the same places for all, so that clients that read at the same
        time read the same pages.

        Args:
            place: Not before `first_place`.
            client_session_id: Who reads.
        """
        return page(self._records, self._offset, place, client_session_id)

    def copy(self, start: int, end: int, most_bytes: int) -> list[Record]:
        """Return the records from one place to before another, as many as fit, at least one."""
        found: list[Record] = []
        size = 0
        first = start - self._offset
        for record in self._records[first : min(end - self._offset, first + _COPIED)]:
            if record is None:  # pragma: no cover - as in `page`
                raise LookupError(start)
            size += len(record.data) + _RECORD_OVERHEAD
            if found and size > most_bytes:
                break
            found.append(record)
        return found

    def release(self, place: int, keep_bytes: int) -> None:
        """Drop the oldest records before a place until no more than some bytes are left."""
        while self._bytes > keep_bytes and self.first_place < min(place, self.next_place - 1):
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        record = self._records[self._start]
        if record is not None:
            self._bytes -= len(record.data) + _RECORD_OVERHEAD
        self._records[self._start] = None
        self._start += 1
        if self._start > _COMPACT_AFTER and self._start * 2 > len(self._records):
            del self._records[: self._start]
            self._offset += self._start
            self._start = 0
