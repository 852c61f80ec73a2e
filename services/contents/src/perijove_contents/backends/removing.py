"""Directories removed with all they hold. Everything here blocks."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from perijove_chassis.errors import FailedPrecondition

from perijove_contents.backends.places import Place

MAX_DEPTH = 200
"""How many directories may lie in each other where all of them are handled at once."""


def remove_tree(place: Place, depth: int = 0) -> None:
    """Remove a directory and what it holds; links are removed, not what they point to.

    Raises:
        FailedPrecondition: if it is nested too deeply.
    """
    require_shallow(depth)
    fd = place.open_directory()
    try:
        with os.scandir(fd) as found:
            names = [item.name for item in found]
        for name in names:
            inner = Place(fd, name)
            # What is gone already is as it shall be.
            with suppress(FileNotFoundError):
                if stat.S_ISDIR(inner.status().st_mode):
                    remove_tree(inner, depth + 1)
                else:
                    os.unlink(name, dir_fd=fd)
    finally:
        os.close(fd)
    os.rmdir(place.name, dir_fd=place.directory)


def require_shallow(depth: int) -> None:
    """Refuse to go down further than `MAX_DEPTH`.

    Raises:
        FailedPrecondition: if that is so.
    """
    if depth > MAX_DEPTH:
        raise FailedPrecondition("the directories are nested too deeply")
