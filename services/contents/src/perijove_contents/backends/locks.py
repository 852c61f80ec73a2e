"""Order between those who change names in one directory, in this process and in others."""

from __future__ import annotations

import fcntl
import functools
import os
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from perijove_chassis.errors import Aborted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perijove_contents.backends.places import Place

LOCK_NAME = ".~perijove.lock"
"""Name of the file that is locked where directories themselves cannot be."""

_BUSY = "somebody else is changing this directory"
_LOCK_S = 10.0
_LOCK_RETRY_S = 0.005


@contextmanager
def locked(*places: Place) -> Iterator[None]:
    """Keep others of this kind from changing names in the directories of places.

    Everything that looks at a file and then replaces, moves or deletes it does
    both in here, so that nobody comes in between. The lock is the kernel's
    (`flock`): it ends with its process, also a killed one.

    Raises:
        Aborted: if somebody else holds one of them for too long.
    """
    # Always in the same order, and each only once: nobody waits for himself.
    directories = {_identity(place): place for place in places}
    with ExitStack() as held:
        for identity, place in sorted(directories.items()):
            held.enter_context(_turn(identity))
            held.callback(os.close, _lock_directory(place))
        yield


def lock(fd: int) -> bool:
    """Lock an open file or directory against others of this kind.

    Returns:
        Whether it is; some filesystems cannot do it, or not for directories.

    Raises:
        Aborted: if somebody else holds it for too long.
    """
    give_up = time.monotonic() + _LOCK_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up:
                raise Aborted(_BUSY) from None
            time.sleep(_LOCK_RETRY_S)
        except OSError:
            return False
        else:
            return True


def lock_by_file(place: Place) -> int:
    """Lock the directory of a place by a file in it.

    Returns:
        What holds the lock while it is open.

    Raises:
        Aborted: if somebody else holds it for too long.
    """
    file = place.beside(LOCK_NAME)
    while True:
        fd = file.open(os.O_RDWR | os.O_CREAT)
        try:
            # Without any locks there is no order between processes, but still no torn file.
            if not lock(fd) or _is_at(fd, file):
                return fd
        except BaseException:
            os.close(fd)
            raise
        # It was removed with its directory, or before it was locked.
        os.close(fd)


@contextmanager
def _turn(directory: tuple[int, int]) -> Iterator[None]:
    """Wait for the other threads of this process, which end their turns by waking the next.

    The lock of the system can only be asked for again and again.
    """
    taken = _taken(directory)
    if not taken.acquire(timeout=_LOCK_S):
        raise Aborted(_BUSY)
    try:
        yield
    finally:
        taken.release()


@functools.lru_cache(maxsize=1024)
def _taken(_directory: tuple[int, int]) -> threading.Lock:
    # One that is forgotten and made anew costs waiting, not order: that is the system's.
    return threading.Lock()


def _lock_directory(place: Place) -> int:
    try:
        fd = place.beside(".").open_directory()
    except PermissionError:
        # It may be writable and not readable.
        return lock_by_file(place)
    try:
        if lock(fd):
            return fd
    except BaseException:
        os.close(fd)
        raise
    os.close(fd)
    return lock_by_file(place)


def _identity(place: Place) -> tuple[int, int]:
    status = os.fstat(place.directory)
    return status.st_dev, status.st_ino


def _is_at(fd: int, place: Place) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), place.status())
    except FileNotFoundError:
        return False
