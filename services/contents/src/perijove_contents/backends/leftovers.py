"""What a process that was killed left unfinished."""

from __future__ import annotations

import asyncio
import fcntl
import os
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

import structlog
from perijove_chassis.errors import FailedPrecondition, Unavailable

from perijove_contents.backends.places import Place, Root
from perijove_contents.backends.removing import remove_tree
from perijove_contents.backends.unfinished import TEMPORARY_PREFIX, own_prefix
from perijove_contents.model import EntryPath

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perijove_contents.backends.threads import Threads

log = structlog.get_logger()

_OLD_S = 3600.0
_EVERY_S = 3600.0
_MAX_ENTRIES = 500_000


async def keep_swept(threads: Threads, roots: Iterable[str]) -> NoReturn:
    """Sweep below some roots now, and every hour for what becomes old enough."""
    while True:
        for root in roots:
            try:
                await threads.run(sweep, root)
            except Unavailable:
                log.info("too busy to look for unfinished files")
        await asyncio.sleep(_EVERY_S)


def sweep(root: str, *, older_than_s: float = _OLD_S, most: int = _MAX_ENTRIES) -> int:
    """Remove unfinished files and directories below a root, and return how many. Blocks.

    What is being worked on is locked. What is not is a leftover, whatever its
    age, if it is of this machine: of another one the locks may not be seen here,
    so that only what is old is taken. At most `most` entries are looked at: the
    rest is for the next time. What a link leads to is not looked at.
    """
    removed = looked_at = 0
    # Whoever swaps a directory for a link meanwhile must not lead this elsewhere.
    inside = Root(root, links_leave=False)
    waiting = [EntryPath(())]
    while waiting and looked_at < most:
        path = waiting.pop()
        try:
            with inside.find_itself(path) as place:
                fd = place.open_directory()
        except OSError:
            continue
        try:
            with os.scandir(fd) as found:
                items = list(found)
            looked_at += len(items)
            for item in items:
                with suppress(OSError, FailedPrecondition):
                    if item.name.startswith(TEMPORARY_PREFIX):
                        removed += _remove(Place(fd, item.name), older_than_s)
                    elif item.is_dir(follow_symlinks=False):
                        waiting.append(EntryPath((*path.parts, item.name)))
        finally:
            os.close(fd)
    if removed:
        log.info("unfinished files removed", count=removed)
    return removed


def _remove(place: Place, older_than_s: float) -> bool:
    status = place.status()
    is_directory = stat.S_ISDIR(status.st_mode)
    if not is_directory and not stat.S_ISREG(status.st_mode):
        return False
    is_old = time.time() - status.st_mtime >= older_than_s
    if not is_old and not place.name.startswith(own_prefix()):
        return False
    # Some filesystems lock only what is open for writing.
    fd = place.open_directory() if is_directory else place.open(os.O_RDWR)
    try:
        if not _is_free(fd, is_old=is_old):
            return False
        if is_directory:
            remove_tree(place, -1)
        else:
            os.unlink(place.name, dir_fd=place.directory)
    finally:
        os.close(fd)
    return True


def _is_free(fd: int, *, is_old: bool) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # There are no locks here: only the age tells.
        return is_old
    return True
