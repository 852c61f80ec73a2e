"""Copies of files and directories. Everything here blocks.

Links stay links: following them could copy the whole machine.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from perijove_chassis.errors import InvalidArgument, ResourceExhausted

from perijove_contents.backends.atomic import AtomicFile, open_file
from perijove_contents.backends.durable import sync_directory, sync_filesystem, write_all
from perijove_contents.backends.locks import LOCK_NAME
from perijove_contents.backends.places import Place
from perijove_contents.backends.removing import remove_tree, require_shallow
from perijove_contents.backends.renaming import rename_into_free
from perijove_contents.backends.unfinished import TEMPORARY_PREFIX, room_beside
from perijove_contents.model import Entry, EntryPath, EntryType
from perijove_contents.store import CHUNK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perijove_contents.backends.places import Root
    from perijove_contents.backends.tree import Tree


def copy_free(
    tree: Tree, path: EntryPath, directory: EntryPath, names: Iterator[str], max_bytes: int
) -> Entry:
    """Copy an entry into a directory under the first free name."""
    if tree.get(path).type is EntryType.DIRECTORY:
        return _copy_directory(tree, path, directory, names, max_bytes)
    with tree.new_place(directory) as target:
        file = AtomicFile(target.again, tree.file_mode)
        try:
            _fill(file, tree.root, path)
            copied = tree.first_free(directory, target, names, file.place)
        finally:
            file.close()
    return tree.get(copied)


def _fill(file: AtomicFile, root: Root, path: EntryPath) -> None:
    with root.find(path) as place:
        fd = open_file(place)
    with open(fd, "rb", buffering=0) as original:
        while data := original.read(CHUNK_BYTES):
            file.write(data)


def move_across(source: Place, target: Place, *, is_locked: bool) -> None:
    """Move something to another filesystem; replace nothing.

    Args:
        source: What is moved.
        target: Its new place.
        is_locked: Whether the caller has locked the target's directory.

    Raises:
        FileExistsError: if something is at the target.
    """
    mode = source.status().st_mode
    with room_beside(target) as room:
        if stat.S_ISDIR(mode):
            copy_tree(source, room)
        elif stat.S_ISLNK(mode):
            _copy_link(source, room)
        else:
            copy_file(source, room)
        # What is deleted next must not be the only one that survives a crash.
        sync_filesystem(room)
        rename_into_free(room, target, is_locked=is_locked)
        sync_directory(target)
    if stat.S_ISDIR(mode):
        remove_tree(source)
    else:
        os.unlink(source.name, dir_fd=source.directory)


def copy_file(source: Place, target: Place) -> None:
    """Copy a file with its times and permission bits."""
    fd = open_file(source)
    try:
        made = target.open(os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            while data := os.read(fd, CHUNK_BYTES):
                write_all(made, data)
            _look_like(made, fd)
        finally:
            os.close(made)
    finally:
        os.close(fd)


def copy_tree(source: Place, target: Place, depth: int = 0) -> None:
    """Copy a directory, with times and permission bits; what is odd or unfinished is left out.

    Raises:
        FailedPrecondition: if it is nested too deeply.
    """
    require_shallow(depth)
    fd = source.open_directory()
    try:
        target.make_directory(0o700)
        made = target.open_directory()
        try:
            for name in _copied(fd):
                _copy(Place(fd, name), Place(made, name), depth)
            _look_like(made, fd)
        finally:
            os.close(made)
    finally:
        os.close(fd)


def _copy(source: Place, target: Place, depth: int) -> None:
    mode = source.status().st_mode
    if stat.S_ISDIR(mode):
        copy_tree(source, target, depth + 1)
    elif stat.S_ISLNK(mode):
        _copy_link(source, target)
    elif stat.S_ISREG(mode):
        copy_file(source, target)


def _copy_link(source: Place, target: Place) -> None:
    text = os.readlink(source.name, dir_fd=source.directory)
    os.symlink(text, target.name, dir_fd=target.directory)


def _copied(fd: int) -> list[str]:
    with os.scandir(fd) as found:
        names = [item.name for item in found]
    return [name for name in names if name != LOCK_NAME and not name.startswith(TEMPORARY_PREFIX)]


def _look_like(made: int, fd: int) -> None:
    status = os.fstat(fd)
    os.fchmod(made, stat.S_IMODE(status.st_mode))
    with suppress(OSError):
        for name in os.listxattr(fd):
            os.setxattr(made, name, os.getxattr(fd, name))
    os.utime(made, ns=(status.st_atime_ns, status.st_mtime_ns))


def _copy_directory(
    tree: Tree, path: EntryPath, directory: EntryPath, names: Iterator[str], max_bytes: int
) -> Entry:
    with tree.root.find(path) as source, tree.new_place(directory) as target:
        _require_outside(path, source, target)
        _require_small(path, source, max_bytes)
        with room_beside(target) as room:
            copy_tree(source, room)

            def put(name: str) -> None:
                rename_into_free(room, target.beside(name))

            copied = tree.first_free(directory, target, names, put)
        sync_directory(target)
    return tree.get(copied)


def _require_small(path: EntryPath, source: Place, max_bytes: int) -> None:
    if _bytes_below(source, max_bytes) > max_bytes:
        raise ResourceExhausted(
            f"{path} is larger than the {max_bytes} bytes that may be copied",
            reason="LIMIT_EXCEEDED",
        )


def _bytes_below(place: Place, most: int, depth: int = 0) -> int:
    """Return how many bytes a directory holds, or, if it is more than `most`, what was found."""
    require_shallow(depth)
    fd = place.open_directory()
    total = 0
    try:
        with os.scandir(fd) as found:
            names = [item.name for item in found]
        for name in names:
            inner = Place(fd, name)
            status = inner.status()
            if not stat.S_ISDIR(status.st_mode):
                total += status.st_size
            elif total <= most:
                total += _bytes_below(inner, most - total, depth + 1)
    finally:
        os.close(fd)
    return total


def _require_outside(path: EntryPath, source: Place, target: Place) -> None:
    """Refuse to copy a directory into itself, whichever way its path leads there."""
    inside = source.status()
    fd = target.beside(".").open_directory()
    try:
        while True:
            status = os.fstat(fd)
            if os.path.samestat(status, inside):
                raise InvalidArgument(f"{path} cannot be copied into itself", reason="BAD_PATH")
            above = os.open("..", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd)
            os.close(fd)
            fd = above
            if os.path.samestat(os.fstat(fd), status):
                return
    finally:
        os.close(fd)
