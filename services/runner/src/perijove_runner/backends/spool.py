"""Keeps the older parts of journals in files, by threads of its own.

Each kernel has a directory with a few files, which are written to the end and
dropped whole, the oldest first: when the kernel has too much on disk, when a file
is too old, and when all kernels together have too much. Then the one that has the
most gives first.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

import structlog

from perijove_runner.backends import segments
from perijove_runner.backends.replacing import writing
from perijove_runner.backends.segments import Position

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from perijove_runner.journal import Record
    from perijove_runner.snapshot import SpoolLimits
    from perijove_runner.store import Stretch

T = TypeVar("T")
log = structlog.get_logger()

_FULL_BYTES: Final = 4 * 1024 * 1024
"""Bytes past which a file takes no more."""
_MOST_FILES: Final = 256
_READERS: Final = 2
_HINTS: Final = 256
"""Readers remembered by where they read on; others look from the beginning of a file."""


@dataclass(slots=True)
class _Segment:
    path: Path
    stretch: Stretch
    size_bytes: int = 0
    changed: float = 0.0


class SpoolRoom:
    """The disk space that the kernels of a runner share, and the threads that use it."""

    def __init__(self, limits: SpoolLimits) -> None:
        self.limits: Final = limits
        # One writes, so that all happens in order; a slow disk makes the others wait.
        self._writer = ThreadPoolExecutor(1, "journal-writer")
        self._readers = ThreadPoolExecutor(_READERS, "journal-reader")
        self._spools: set[KernelSpool] = set()
        self._doomed: dict[Path, asyncio.TimerHandle] = {}

    def spool(self, directory: Path) -> KernelSpool:
        """Return the spool of one kernel, whose files are in a directory of its own."""
        if directory in self._doomed:
            self._drop_doomed(directory)
        spool = KernelSpool(directory, self)
        self._spools.add(spool)
        return spool

    async def write(self, job: Callable[[], T]) -> T:
        """Run something that changes files, after all before."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, job)

    async def read(self, job: Callable[[], T]) -> T:
        """Run something that reads files."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, job)

    def drop(self, paths: Iterable[Path]) -> None:
        """Remove files, or directories with all in them, soon."""
        for path in paths:
            self._writer.submit(_remove, path)

    def drop_later(self, path: Path, after_s: float) -> None:
        """Remove a directory after some seconds, or at the end, unless it is in use again."""
        loop = asyncio.get_running_loop()
        if not any(spool.directory == path for spool in self._spools):
            self._doomed[path] = loop.call_later(after_s, self._drop_doomed, path)

    def leave(self, spool: KernelSpool) -> None:
        """Count a spool no more."""
        self._spools.discard(spool)

    def look(self) -> None:
        """Drop what is too old or too much."""
        oldest = time.time() - self.limits.age_s
        for spool in self._spools:
            while spool.oldest < oldest and spool.drop_oldest():
                pass
            while spool.is_over(self.limits.kernel_bytes) and spool.drop_oldest():
                pass
        while sum(spool.size_bytes for spool in self._spools) > self.limits.runner_bytes:
            most = max(self._spools, key=lambda spool: spool.size_bytes)
            if not most.drop_oldest():
                break

    def close(self) -> None:
        """Remove what is to be removed, and wait for that. Nothing may be written any more."""
        for path in list(self._doomed):
            self._drop_doomed(path)
        self._writer.shutdown()

    def _drop_doomed(self, path: Path) -> None:
        self._doomed.pop(path).cancel()
        self.drop([path])


class KernelSpool:
    """One kernel's files. All but reading and writing happens on the event loop."""

    def __init__(self, directory: Path, room: SpoolRoom) -> None:
        self.directory: Final = directory
        self._room = room
        self._segments: list[_Segment] = []
        self._written_now: _Segment | None = None
        self._hints: OrderedDict[int, Position] = OrderedDict()
        self.size_bytes = 0

    @property
    def oldest(self) -> float:
        """When the oldest file was written, in seconds of Unix time; never if there is none."""
        return self._segments[0].changed if self._segments else float("inf")

    def is_over(self, most_bytes: int) -> bool:
        """Return whether there are more bytes, or too many files."""
        return self.size_bytes > most_bytes or len(self._segments) > _MOST_FILES

    def next_kept(self, place: int) -> int | None:
        """Return the first place from a place on that is kept, or nothing if there is none."""
        found = self._segment(place)
        return max(place, found.stretch.first) if found else None

    async def take_over(self) -> Sequence[Stretch]:
        """Return what an earlier process has left, in order, and go on after it."""
        self._segments = await self._room.read(self._find)
        self.size_bytes = sum(segment.size_bytes for segment in self._segments)
        self._room.look()
        return [segment.stretch for segment in self._segments]

    async def clear(self) -> None:
        """Drop all that is kept."""
        self._segments, self.size_bytes = [], 0
        self._hints.clear()
        await self._room.write(lambda: _remove(self.directory))

    async def write(self, records: Sequence[Record], stretch: Stretch) -> int:
        """Keep records after all that are kept, and return how many of them."""
        segment = self._segments[-1] if self._segments else None
        if segment is None or not _continues(segment, stretch):
            path = self.directory / str(stretch.first)
            segment = _Segment(path, replace(stretch, end=stretch.first))
        self._written_now = segment
        try:
            with writing():
                written = await self._room.write(lambda: _append(segment, records))
        finally:
            self._written_now = None
        if not self._segments or self._segments[-1] is not segment:
            self._segments.append(segment)
        self.size_bytes += written.offset - segment.size_bytes
        segment.size_bytes, segment.changed = written.offset, time.time()
        segment.stretch = replace(segment.stretch, end=segment.stretch.end + written.place)
        self._room.look()
        return written.place

    async def read(self, place: int, count: int, most_bytes: int) -> Sequence[Record]:
        """Return records from a place on, up to a count and at least one; none if not kept."""
        segment = self._segment(place)
        if segment is None or place < segment.stretch.first:
            return ()
        count = min(count, segment.stretch.end - place)
        start = Position(segment.stretch.first, segments.HEAD_BYTES)
        if place > start.place:
            start = self._hints.get(place, start)
        try:
            records, end = await self._room.read(
                lambda: segments.read(segment.path, start, place, count, most_bytes)
            )
        except OSError:
            records = []
        if not records:
            self._give_up(segment)
        else:
            self._hints[end.place] = end
            if len(self._hints) > _HINTS:
                self._hints.popitem(last=False)
        return records

    def drop_oldest(self) -> bool:
        """Drop the oldest file, and return whether that can be."""
        if not self._segments or self._segments[0] is self._written_now:
            return False
        segment = self._segments.pop(0)
        self.size_bytes -= segment.size_bytes
        self._room.drop([segment.path])
        return True

    def remove(self, after_s: float) -> None:
        """Drop all after some seconds, or when the runner ends if that is earlier."""
        self._room.leave(self)
        self._room.drop_later(self.directory, after_s)

    def close(self) -> None:
        """Let go of what is kept; it stays."""
        self._room.leave(self)

    def _segment(self, place: int) -> _Segment | None:
        return next((one for one in self._segments if place < one.stretch.end), None)

    def _give_up(self, segment: _Segment) -> None:
        """Part with a file that cannot be read; one that was just dropped is gone already."""
        if segment in self._segments:
            log.warning("part of a journal is not readable", directory=self.directory.name)
            self._segments.remove(segment)
            self.size_bytes -= segment.size_bytes
            self._room.drop([segment.path])

    def _find(self) -> list[_Segment]:
        found: list[_Segment] = []
        if not self.directory.is_dir():
            return found
        names = [path.name for path in self.directory.iterdir() if path.name.isdecimal()]
        for name in sorted(names, key=int):
            path = self.directory / name
            known = segments.stretch_of(path)
            if known is None or (found and known[0].first < found[-1].stretch.end):
                _remove(path)
                continue
            found.append(_Segment(path, *known, path.stat().st_mtime))
        return found


def _continues(segment: _Segment, stretch: Stretch) -> bool:
    known = segment.stretch
    return segment.size_bytes < _FULL_BYTES and (
        (known.end, known.epoch, known.base) == (stretch.first, stretch.epoch, stretch.base)
    )


def _append(segment: _Segment, records: Sequence[Record]) -> Position:
    """Write records to a file; return how many, and where the file ends.

    Raises:
        OSError: if none could be written.
    """
    if not segment.size_bytes:
        segment.path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(segment.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not segment.size_bytes:
            os.ftruncate(descriptor, 0)
            segments.begin(descriptor, segment.stretch)
        offset = max(segment.size_bytes, segments.HEAD_BYTES)
        written, error = segments.append(descriptor, offset, records)
        if error and not written.place:
            raise error
        if written.offset >= _FULL_BYTES:
            end = segment.stretch.end + written.place
            segments.seal(descriptor, replace(segment.stretch, end=end))
    finally:
        os.close(descriptor)
    return written


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
