"""Entries that move, and directories that go. Everything here blocks."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from perijove_contents.backends.copying import move_across
from perijove_contents.backends.locks import LOCK_NAME
from perijove_contents.backends.removing import remove_tree
from perijove_contents.backends.renaming import rename_into_free
from perijove_contents.backends.unfinished import TEMPORARY_PREFIX

if TYPE_CHECKING:
    from perijove_contents.backends.places import Place


def move(source: Place, target: Place, *, is_locked: bool) -> None:
    """Move an entry to where nothing is, to another filesystem too."""
    try:
        rename_into_free(source, target, is_locked=is_locked)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        move_across(source, target, is_locked=is_locked)


def differ_in_case_only(source: Place, target: Place) -> bool:
    """Return whether two names are one: on a filesystem that ignores case."""
    return (
        source.name != target.name
        and source.name.lower() == target.name.lower()
        and os.path.samestat(source.status(), target.status())
        and os.path.samestat(os.fstat(source.directory), os.fstat(target.directory))
    )


def remove_empty(place: Place, checkpoints_name: str) -> None:
    """Delete a directory that holds checkpoints at most: what nobody sees does not count."""
    with place.inside(checkpoints_name) as checkpoints:
        fd = checkpoints.beside(".").open_directory()
        try:
            names = os.listdir(fd)
        finally:
            os.close(fd)
        for name in names:
            if name not in (checkpoints_name, LOCK_NAME) and not name.startswith(TEMPORARY_PREFIX):
                raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
        with suppress(OSError):
            os.unlink(LOCK_NAME, dir_fd=checkpoints.directory)
        with suppress(OSError):
            remove_tree(checkpoints)
    os.rmdir(place.name, dir_fd=place.directory)
