"""Files that are added to, or stay as they were."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from perijove_contents.backends.atomic import (
    digest_of,
    open_file,
    require_version,
    require_writable,
)
from perijove_contents.backends.durable import write_all
from perijove_contents.backends.locks import locked
from perijove_contents.backends.unfinished import create_file
from perijove_contents.store import CHUNK_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_contents.backends.places import Place
    from perijove_contents.model import Bytes, Precondition


class Appending:
    """Adds to the end of a file, or leaves it as it was. Every method blocks.

    What is to be added is gathered first, a little in memory and more in a file
    beside the target, and then added while nobody else may change the target: a
    slow sender holds up nobody, and what is taken back was never seen.
    """

    def __init__(self, find: Callable[[], Place], required: Precondition) -> None:
        """Prepare to add to a file; nothing happens yet.

        Args:
            find: Returns where the file is; it is called when that is needed.
            required: What must be true of the present version.
        """
        self._find = find
        self._required = required
        self._target: Place | None = None
        self._gathered: list[Bytes] = []
        self._size = 0
        self._temporary: Place | None = None
        self._fd = -1

    def write(self, data: Bytes) -> None:
        """Take bytes to add."""
        target = self._begin()
        self._size += len(data)
        self._gathered.append(data)
        if self._size > CHUNK_BYTES:
            if self._fd < 0:
                self._temporary, self._fd = create_file(target)
            for piece in self._gathered:
                write_all(self._fd, piece)
            self._gathered.clear()

    def finish(self, *, want_hash: bool) -> tuple[os.stat_result, str]:
        """Add what was taken, and return the file's status, and its hash if that is wanted.

        Raises:
            Aborted: if the file is not in the version that is required.
        """
        target = self._begin()
        with locked(target):
            require_version(target, self._required)
            status = self._add(target)
            digest = digest_of(target) if want_hash else ""
        self.close()
        return status, digest

    def close(self) -> None:
        """Forget what was not added."""
        self._gathered.clear()
        if self._temporary:
            with suppress(OSError):
                os.unlink(self._temporary.name, dir_fd=self._temporary.directory)
            self._temporary = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._target:
            self._target.close()
            self._target = None

    def _begin(self) -> Place:
        if self._target is None:
            self._target = self._find()
            require_writable(self._target)
        return self._target

    def _add(self, target: Place) -> os.stat_result:
        fd = open_file(target, os.O_WRONLY | os.O_APPEND)
        try:
            size = os.fstat(fd).st_size
            try:
                for data in self._gathered:
                    write_all(fd, data)
                self._add_from_file(fd)
                os.fsync(fd)
            except BaseException:
                os.ftruncate(fd, size)
                raise
            return os.fstat(fd)
        finally:
            os.close(fd)

    def _add_from_file(self, fd: int) -> None:
        if self._temporary:
            with open(self._temporary.open(os.O_RDONLY), "rb", buffering=0) as file:
                while data := file.read(CHUNK_BYTES):
                    write_all(fd, data)
