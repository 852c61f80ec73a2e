"""Copies of files and directories. Everything here blocks."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from perijove_chassis.errors import InvalidArgument, ResourceExhausted

from perijove_contents.backends.atomic import (
    TEMPORARY_PREFIX,
    AtomicFile,
    open_file,
    rename_into_free,
    sync_directory,
    temporary_beside,
)
from perijove_contents.model import Entry, EntryPath, EntryType
from perijove_contents.store import CHUNK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perijove_contents.backends.tree import Tree


def copy_free(
    tree: Tree, path: EntryPath, directory: EntryPath, names: Iterator[str], max_bytes: int
) -> Entry:
    """Copy an entry into a directory under the first free name."""
    source = tree.get(path)
    tree.require_directory(directory)
    if source.type is EntryType.DIRECTORY:
        return _copy_directory(tree, path, directory, names, max_bytes)
    file = AtomicFile(tree.locate(directory.child("copy")), tree.file_mode)
    try:
        with open(open_file(tree.locate(path)), "rb", buffering=0) as original:
            while data := original.read(CHUNK_BYTES):
                file.write(data)
            file.write(b"")
        return tree.get(tree.first_free(directory, names, file.place))
    finally:
        file.close()


def move_across(source: str, target: str) -> None:
    """Move something to another filesystem; replace nothing.

    Raises:
        FileExistsError: if something is at the target.
    """
    temporary = temporary_beside(target)
    is_directory = stat.S_ISDIR(os.lstat(source).st_mode)
    try:
        if is_directory:
            _copy_tree(source, temporary)
        else:
            shutil.copy2(source, temporary, follow_symlinks=False)
        rename_into_free(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        with suppress(OSError):
            os.unlink(temporary)
    if is_directory:
        shutil.rmtree(source)
    else:
        os.unlink(source)


def _copy_directory(
    tree: Tree, path: EntryPath, directory: EntryPath, names: Iterator[str], max_bytes: int
) -> Entry:
    source, target = tree.locate(path), tree.locate(directory)
    if _is_inside(os.path.realpath(target), os.path.realpath(source)):
        raise InvalidArgument(f"{path} cannot be copied into itself", reason="BAD_PATH")
    _require_small(path, source, max_bytes)
    temporary = temporary_beside(os.path.join(target, "copy"))
    try:
        _copy_tree(source, temporary)

        def place(location: str) -> None:
            rename_into_free(temporary, location)

        copied = tree.first_free(directory, names, place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_directory(target)
    return tree.get(copied)


def _copy_tree(source: str, target: str) -> None:
    try:
        # Links stay links: following them could copy the whole machine.
        shutil.copytree(source, target, symlinks=True, ignore=_uncopied)
    except shutil.Error as error:
        # It goes on after failures and then reports them all; the first says enough.
        raise OSError(_errno_of(error), "a part cannot be copied") from error


def _errno_of(error: shutil.Error) -> int:
    message = str(error.args[0][0][2]) if error.args and error.args[0] else ""
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EACCES):
        if f"[Errno {number}]" in message:
            return number
    return errno.EIO


def _uncopied(directory: str, names: list[str]) -> set[str]:
    left_out = set()
    for name in names:
        with suppress(OSError):
            mode = os.lstat(os.path.join(directory, name)).st_mode
            ordinary = stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)
            if not ordinary or name.startswith(TEMPORARY_PREFIX):
                left_out.add(name)
    return left_out


def _require_small(path: EntryPath, source: str, max_bytes: int) -> None:
    total = 0
    for directory, _, names in os.walk(source):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(directory, name)).st_size
        if total > max_bytes:
            raise ResourceExhausted(
                f"{path} is larger than the {max_bytes} bytes that may be copied",
                reason="LIMIT_EXCEEDED",
            )


def _is_inside(location: str, directory: str) -> bool:
    return os.path.commonpath((location, directory)) == directory
