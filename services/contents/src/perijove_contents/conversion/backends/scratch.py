"""A directory for one worker. What a crash left behind is removed later."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
import time
from contextlib import suppress

_PREFIX = "perijove-conversion-"
_YOUNG_S = 60.0
"""For so long a directory may not be locked yet."""


class Scratch:
    """A directory that only its maker uses. Every method blocks."""

    def __init__(self) -> None:
        """Make it."""
        self.location = tempfile.mkdtemp(prefix=_PREFIX)
        self._fd = os.open(self.location, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def remove(self) -> None:
        """Remove it with what is in it."""
        shutil.rmtree(self.location, ignore_errors=True)
        os.close(self._fd)


def sweep() -> None:
    """Remove the directories whose makers are gone. Blocks."""
    # A place for temporary files need not be one that can be listed.
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as found:
        for item in found:
            if item.name.startswith(_PREFIX):
                with suppress(OSError):
                    _remove_if_left(item.path)


def _remove_if_left(location: str) -> None:
    status = os.lstat(location)
    is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    if not is_ours or time.time() - status.st_mtime < _YOUNG_S:
        return
    fd = os.open(location, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(location, ignore_errors=True)
    finally:
        os.close(fd)
