"""Bytes and names on their way to the disk, and when they are there."""

from __future__ import annotations

import ctypes
import errno
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perijove_contents.backends.places import Place
    from perijove_contents.model import Bytes

EARLY_BYTES = 1024 * 1024
"""How much is written before the disk is told to begin."""

_LIBC = ctypes.CDLL(None, use_errno=True)
_SYNC_FILE_RANGE_WRITE = 2
_MOST_AT_ONCE = 1024
_LOST = (errno.EIO, errno.ENOSPC, errno.EDQUOT)


def write_all(fd: int, *pieces: Bytes) -> None:
    """Write all of some pieces, in a row."""
    left = list(pieces)
    while left:
        written = os.writev(fd, left[:_MOST_AT_ONCE])
        done = 0
        while done < len(left) and written >= len(left[done]):
            written -= len(left[done])
            done += 1
        left = left[done:]
        if written:
            left[0] = memoryview(left[0])[written:]


def start_writing(fd: int, size: int) -> None:
    """Have the disk take bytes that were just written, and do not wait for it.

    It makes nothing durable, and where it cannot be done nothing is lost but time.
    """
    function = getattr(_LIBC, "sync_file_range", None)
    if function and size >= EARLY_BYTES // 2:
        start = ctypes.c_int64(os.lseek(fd, 0, os.SEEK_CUR) - size)
        function(fd, start, ctypes.c_int64(size), _SYNC_FILE_RANGE_WRITE)


def sync_directory(place: Place) -> None:
    """Make names that were just put beside a place survive a crash."""
    try:
        fd = place.beside(".").open_directory()
    except OSError:
        # It may be writable and not readable; or it is gone, and others know why.
        return
    try:
        os.fsync(fd)
    except OSError as error:
        # Some filesystems cannot do it. One that fails at it may forget the names.
        if error.errno in _LOST:
            raise
    finally:
        os.close(fd)


def sync_filesystem(place: Place) -> None:
    """Make everything on the filesystem of a place survive a crash."""
    fd = place.beside(".").open_directory()
    try:
        if _LIBC.syncfs(fd):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(fd)
