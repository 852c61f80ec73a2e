"""A file with a run of a journal's records, one after another.

It begins with a head, which is told where the file ends once it is full. Each
record has a head, too, then its audience and its data.
Nothing is synced: what the system has taken survives the end of the process,
however sudden, and the kernels do not outlive the boot either. The last record
may be torn; it does not count.
"""

from __future__ import annotations

import os
import struct
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perijove_runner.journal import EVERYONE, Record
from perijove_runner.store import Stretch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_MAGIC: Final = b"PJJ1"
_HEAD: Final = struct.Struct("<4sqqqq")
_RECORD: Final = struct.Struct("<IHB")
"""Bytes of the data, bytes of the audience, flags."""
_ALONE: Final = 1
_TO_EVERYONE: Final = 2
_WINDOW_BYTES: Final = 1024 * 1024
_JOINED_BYTES: Final = 1024 * 1024

HEAD_BYTES: Final = _HEAD.size


@dataclass(frozen=True, slots=True)
class Position:
    """Where in a file a record begins, or would."""

    place: int
    offset: int


def begin(descriptor: int, stretch: Stretch) -> None:
    """Write the head of a file of these records, of which the end is open."""
    os.pwrite(descriptor, _head(stretch, 0), 0)


def seal(descriptor: int, stretch: Stretch) -> None:
    """Say in the head where the file ends."""
    os.pwrite(descriptor, _head(stretch, stretch.end), 0)


def append(
    descriptor: int, offset: int, records: Sequence[Record]
) -> tuple[Position, OSError | None]:
    """Write records at an offset; return how many, where they end, and why no more if so.

    What could not be written leaves no trace.
    """
    written = Position(0, offset)
    parts: list[bytes] = []
    size = 0
    try:
        for number, record in enumerate(records, 1):
            audience = (record.audience or "").encode()
            flags = _ALONE * record.alone | _TO_EVERYONE * (record.audience is EVERYONE)
            parts += (_RECORD.pack(len(record.data), len(audience), flags), audience, record.data)
            size += _RECORD.size + len(audience) + len(record.data)
            if size >= _JOINED_BYTES or number == len(records):
                _write(descriptor, parts, written.offset)
                written = Position(number, written.offset + size)
                parts, size = [], 0
    except OSError as error:
        os.ftruncate(descriptor, written.offset)
        return written, error
    return written, None


def stretch_of(path: Path) -> tuple[Stretch, int] | None:
    """Return which records a file has, and its bytes; None if it has none."""
    with _opened(path) as descriptor:
        data = os.pread(descriptor, HEAD_BYTES, 0)
        length = os.fstat(descriptor).st_size
    if len(data) < HEAD_BYTES or not data.startswith(_MAGIC):
        return None
    _, first, end, epoch, base = _HEAD.unpack(data)
    if not end:
        position = _find_end(path, first, length)
        end, length = position.place, position.offset
    return (Stretch(first, end, epoch, base), length) if end > first else None


def read(
    path: Path, start: Position, place: int, count: int, most_bytes: int
) -> tuple[list[Record], Position]:
    """Return records of a file, at least one if there is one, and where they end.

    Args:
        path: The file.
        start: Where a record begins that is not after the first wanted.
        place: The first wanted.
        count: The most wanted.
        most_bytes: Bytes past which no further record is wanted.

    Raises:
        FileNotFoundError: if the file is not there any more.
    """
    found: list[Record] = []
    size = 0
    position = start
    with _opened(path) as descriptor:
        window = _Window(descriptor)
        while len(found) < count and (sizes := window.sizes(position.offset)):
            after = Position(position.place + 1, position.offset + _RECORD.size + sum(sizes[:2]))
            if position.place >= place:
                size += sizes[0]
                if found and size > most_bytes:
                    break
                record = window.record(position.offset, *sizes)
                if record is None:
                    break
                found.append(record)
            position = after
    return found, position


def _find_end(path: Path, first: int, length: int) -> Position:
    position = Position(first, HEAD_BYTES)
    with _opened(path) as descriptor:
        window = _Window(descriptor)
        while sizes := window.sizes(position.offset):
            end = position.offset + _RECORD.size + sum(sizes[:2])
            if end > length:
                break
            position = Position(position.place + 1, end)
    return position


class _Window:
    """Reads a file by and by. A map of it would stop all threads while the disk is slow."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._start = 0
        self._data = b""

    def sizes(self, offset: int) -> tuple[int, int, int] | None:
        """Return the head of the record at an offset, or nothing at the end."""
        data = self._bytes(offset, _RECORD.size)
        return _RECORD.unpack(data) if len(data) == _RECORD.size else None

    def record(self, offset: int, data_size: int, audience_size: int, flags: int) -> Record | None:
        """Return the record at an offset, or nothing if it is torn."""
        body = self._bytes(offset + _RECORD.size, audience_size + data_size)
        if len(body) < audience_size + data_size:
            return None
        audience = EVERYONE if flags & _TO_EVERYONE else body[:audience_size].decode()
        return Record(audience, body[audience_size:], alone=bool(flags & _ALONE))

    def _bytes(self, offset: int, length: int) -> bytes:
        start = offset - self._start
        if start < 0 or start + length > len(self._data):
            self._start, start = offset, 0
            self._data = os.pread(self._descriptor, max(length, _WINDOW_BYTES), offset)
        return self._data[start : start + length]


def _head(stretch: Stretch, end: int) -> bytes:
    return _HEAD.pack(_MAGIC, stretch.first, end, stretch.epoch, stretch.base)


def _write(descriptor: int, parts: list[bytes], offset: int) -> None:
    data = memoryview(b"".join(parts))
    while data:
        written = os.pwrite(descriptor, data, offset)
        data, offset = data[written:], offset + written


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
