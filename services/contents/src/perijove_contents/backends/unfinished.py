"""Files and directories that are not what they shall be yet, beside their targets."""

from __future__ import annotations

import errno
import fcntl
import functools
import hashlib
import os
import random
import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from perijove_chassis.errors import DomainError

from perijove_contents.backends.removing import remove_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perijove_contents.backends.places import Place

TEMPORARY_PREFIX = ".~perijove-"
"""How names of temporary files and directories begin; the dot hides them."""

_TRIES = 20
_ROOM = "copy"


@functools.cache
def own_prefix() -> str:
    """Return how the names begin that processes on this machine give.

    Their locks are seen here for certain; those of other machines only where
    the filesystem carries locks between machines.
    """
    machine = socket.gethostname()
    with suppress(OSError), open("/proc/sys/kernel/random/boot_id") as file:
        machine += file.read()
    return f"{TEMPORARY_PREFIX}{hashlib.sha256(machine.encode()).hexdigest()[:8]}-"


def temporary_name() -> str:
    """Return a new name for something unfinished."""
    # It need not be secret, as it is never used if it is there already; and to ask
    # the system for randomness lets another thread in.
    return f"{own_prefix()}{random.getrandbits(64):016x}"


def create_file(target: Place) -> tuple[Place, int]:
    """Create a file beside a target, and return its place there and its descriptor.

    As long as the descriptor is open, nobody takes the file for a leftover.
    """
    for _ in range(_TRIES):
        place = target.beside(temporary_name())
        fd = place.open(os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        if _is_held(fd, place):
            return place, fd
        os.close(fd)
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


@contextmanager
def room_beside(target: Place) -> Iterator[Place]:
    """Make a directory beside a target, and remove what is left of it at the end.

    Yields:
        A free place in it.
    """
    for _ in range(_TRIES):
        place = target.beside(temporary_name())
        place.make_directory(0o700)
        fd = -1
        try:
            fd = place.open_directory()
            if _is_held(fd, place):
                with place.inside(_ROOM) as inner:
                    yield inner
                return
        finally:
            with suppress(OSError, DomainError):
                # What is copied into it may be as deep as anything.
                remove_tree(place, -1)
            if fd >= 0:
                os.close(fd)
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def _is_held(fd: int, place: Place) -> bool:
    """Lock something new, unless it was swept away before that."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # There are no locks here: leftovers are known by their age alone.
        return True
    return place.exists()
