"""What a process that was killed left unfinished. Everything here blocks."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import time
from contextlib import suppress

import structlog

from perijove_contents.backends.atomic import TEMPORARY_PREFIX

log = structlog.get_logger()

_OLD_S = 3600.0
_MAX_ENTRIES = 500_000


def sweep(root: str, *, older_than_s: float = _OLD_S, most: int = _MAX_ENTRIES) -> int:
    """Remove unfinished files and directories below a root, and return how many.

    What is young or locked may belong to another process that is at work. At
    most `most` entries are looked at: the rest is for the next time.
    """
    removed = looked_at = 0
    waiting = [root]
    while waiting and looked_at < most:
        try:
            with os.scandir(waiting.pop()) as found:
                items = list(found)
        except OSError:
            continue
        looked_at += len(items)
        for item in items:
            with suppress(OSError):
                if item.name.startswith(TEMPORARY_PREFIX):
                    removed += _remove(item.path, older_than_s)
                elif item.is_dir(follow_symlinks=False):
                    waiting.append(item.path)
    if removed:
        log.info("unfinished files removed", count=removed)
    return removed


def _remove(location: str, older_than_s: float) -> bool:
    status = os.lstat(location)
    if time.time() - status.st_mtime < older_than_s:
        return False
    if stat.S_ISDIR(status.st_mode):
        shutil.rmtree(location, ignore_errors=True)
        return True
    if not stat.S_ISREG(status.st_mode):
        return False
    fd = os.open(location, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(location)
    finally:
        os.close(fd)
    return True
