"""Files held open for reading."""

from __future__ import annotations

import codecs
import hashlib
import os
import stat
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from perijove_chassis.errors import Aborted

from perijove_contents.backends.atomic import open_file
from perijove_contents.backends.border import os_errors_as_domain
from perijove_contents.backends.tree import entry_of
from perijove_contents.model import HASH_ALGORITHM
from perijove_contents.store import CHUNK_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Hashable

    from perijove_contents.backends.threads import Threads
    from perijove_contents.backends.tree import Tree
    from perijove_contents.model import Entry, EntryPath


_SETTLED_NS = 3_000_000_000


class OpenFile:
    """One version of a file, as long as nobody writes into it in place; or a directory."""

    entry: Entry
    is_text = False
    version: Hashable = None

    def __init__(self, threads: Threads, path: EntryPath) -> None:
        self._threads = threads
        self._path = path
        self._fd = -1
        self._beginning = b""

    def look(self, tree: Tree, *, want_text: bool, want_hash: bool) -> None:
        """Open the file and look at it as far as asked for. Blocks.

        A small file is closed again at once: one call to a thread serves it.
        """
        with tree.at(self._path) as place:
            status, writable = place.status(), place.is_writable()
            if stat.S_ISDIR(status.st_mode):
                self.entry = entry_of(self._path, status, writable=writable)
                return
            self._fd = open_file(place)
        status = os.fstat(self._fd)
        self.version = _version(status)
        self._beginning = os.pread(self._fd, min(CHUNK_BYTES, status.st_size), 0)
        self.is_text, digest = _look_through(
            self._fd, self._beginning, status.st_size, want_text=want_text, want_hash=want_hash
        )
        self.entry = replace(entry_of(self._path, status, writable=writable), hash=digest)
        if len(self._beginning) >= status.st_size:
            os.close(self._fd)
            self._fd = -1

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield all bytes from the beginning."""
        size, done = self.entry.size_bytes or 0, len(self._beginning)
        if self._beginning:
            yield self._beginning
        while self._fd >= 0 and done < size:
            with os_errors_as_domain(self._path):
                data = await self._threads.run(
                    os.pread, self._fd, min(CHUNK_BYTES, size - done), done
                )
            if not data:
                # It was cut short in place; what was said of its size no longer holds.
                raise Aborted(f"{self._path} changed while it was read")
            done += len(data)
            yield data

    async def whole(self) -> bytes:
        """Return all bytes at once."""
        if self._fd < 0:
            return self._beginning
        with os_errors_as_domain(self._path):
            return await self._threads.run(self._read_all)

    async def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            await self._threads.run(os.close, fd)

    def _read_all(self) -> bytes:
        size, done = self.entry.size_bytes or 0, 0
        parts = []
        while done < size:
            part = os.pread(self._fd, size - done, done)
            if not part:
                raise Aborted(f"{self._path} changed while it was read")
            done += len(part)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def _version(status: os.stat_result) -> Hashable:
    # Times are coarse: what changed a moment ago may change again and look the same.
    if time.time_ns() - status.st_ctime_ns < _SETTLED_NS:
        return None
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def _look_through(
    fd: int, beginning: bytes, size: int, *, want_text: bool, want_hash: bool
) -> tuple[bool, str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    digest = hashlib.new(HASH_ALGORITHM)
    is_text = want_text
    data, done = beginning, 0
    while (is_text or want_hash) and data:
        done += len(data)
        if want_hash:
            digest.update(data)
        if is_text:
            try:
                decoder.decode(data, final=done >= size)
            except UnicodeDecodeError:
                is_text = False
        data = os.pread(fd, min(CHUNK_BYTES, size - done), done)
    return is_text, digest.hexdigest() if want_hash else ""
