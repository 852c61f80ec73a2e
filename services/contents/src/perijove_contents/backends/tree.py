"""Entries on a filesystem: found, listed, made, moved, deleted. Everything here blocks."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog
from perijove_chassis.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound

from perijove_contents.backends.atomic import (
    TEMPORARY_PREFIX,
    AtomicFile,
    rename_into_free,
    require_file,
    sync_directory,
)
from perijove_contents.backends.checkpoints import DIRECTORY, CheckpointFiles
from perijove_contents.backends.copying import move_across
from perijove_contents.model import (
    Entry,
    EntryPath,
    EntryType,
    KernelPath,
    is_listed,
    type_of_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

log = structlog.get_logger()


class Tree:
    """The entries below one directory.

    Links are followed, also out of the root, as people expect of links they
    made: it is the text of a path that cannot leave the root.
    """

    def __init__(self, root: str, *, file_mode: int, directory_mode: int) -> None:
        self.root = root
        self.file_mode = file_mode
        self.directory_mode = directory_mode
        self.checkpoints = CheckpointFiles(directory_mode)

    def locate(self, path: EntryPath) -> str:
        """Return the place of a path on this machine."""
        return os.path.join(self.root, *path.parts)

    def get(self, path: EntryPath) -> Entry:
        """Return the entry at a path."""
        return self.entry(path, self.status(path))

    def status(self, path: EntryPath) -> os.stat_result:
        """Return the status of the file or directory at a path."""
        location = self.locate(path)
        try:
            status = os.stat(location)
        except FileNotFoundError:
            if os.path.islink(location):
                raise InvalidArgument(f"{path} is a broken link", reason="BAD_TYPE") from None
            raise
        if not stat.S_ISDIR(status.st_mode):
            require_file(status)
        return status

    def entry(self, path: EntryPath, status: os.stat_result) -> Entry:
        """Return the entry at a path that has this status."""
        return _entry(path, status, writable=os.access(self.locate(path), os.W_OK))

    def names(self, path: EntryPath, after: str) -> list[os.DirEntry[str]]:
        """Return what a directory holds, hidden things excepted, in order of names."""
        if self.get(path).type is not EntryType.DIRECTORY:
            raise InvalidArgument(f"{path} is not a directory", reason="BAD_TYPE")
        with os.scandir(self.locate(path)) as found:
            listed = [item for item in found if item.name > after and is_listed(item.name)]
        return sorted(listed, key=lambda item: item.name)

    def entries(self, path: EntryPath, items: Sequence[os.DirEntry[str]]) -> list[Entry]:
        """Return the entries of a part of a directory, what is gone or odd excepted."""
        user = os.geteuid()
        read_only = bool(os.statvfs(self.locate(path)).f_flag & os.ST_RDONLY)
        entries = []
        for item in items:
            try:
                status = item.stat()
            except OSError:
                continue
            mode = status.st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                continue
            # The owner's rights are in the status; asking the system doubles the time.
            if read_only:
                writable = False
            elif user == 0:
                writable = True
            elif status.st_uid == user:
                writable = bool(mode & stat.S_IWUSR)
            else:
                writable = os.access(item.path, os.W_OK)
            entries.append(_entry(EntryPath((*path.parts, item.name)), status, writable=writable))
        return entries

    def make_directory(self, path: EntryPath) -> Entry:
        """Create a directory, unless it exists."""
        location = self.locate(path)
        try:
            os.mkdir(location)
        except FileExistsError:
            if not os.path.isdir(location):
                raise InvalidArgument(f"{path} is not a directory", reason="BAD_TYPE") from None
        else:
            os.chmod(location, self.directory_mode)
        return self.get(path)

    def create_free(self, directory: EntryPath, names: Iterator[str], data: bytes | None) -> Entry:
        """Create a file or a directory under the first free name."""
        self.require_directory(directory)
        if data is None:
            return self.get(self.first_free(directory, names, self._make_new_directory))
        file = AtomicFile(self.locate(directory.child("new")), self.file_mode)
        try:
            file.write(data)
            return self.get(self.first_free(directory, names, file.place))
        finally:
            file.close()

    def first_free(
        self, directory: EntryPath, names: Iterator[str], place: Callable[[str], object]
    ) -> EntryPath:
        """Call `place` with one location after the other until one is free."""
        for name in names:
            path = directory.child(name)
            location = self.locate(path)
            if os.path.lexists(location):
                continue
            with suppress(FileExistsError):
                place(location)
                return path
        raise AlreadyExists(f"no name is free in {directory or 'the root'}", reason="ENTRY_EXISTS")

    def require_directory(self, path: EntryPath) -> None:
        """Refuse a path where no directory is."""
        if not os.path.isdir(self.locate(path)):
            raise NotFound(f"there is no directory {path}", reason="NO_SUCH_ENTRY")

    def rename(self, path: EntryPath, new_path: EntryPath) -> None:
        """Move an entry, and its checkpoints; replace nothing."""
        source, target = self.locate(path), self.locate(new_path)
        was_file = not stat.S_ISDIR(os.lstat(source).st_mode)
        self.require_directory(new_path.parent)
        try:
            _move(source, target)
        except FileExistsError:
            if not _differ_in_case_only(source, target):
                raise AlreadyExists(
                    f"an entry is already at {new_path}", reason="ENTRY_EXISTS"
                ) from None
            os.rename(source, target)
        sync_directory(os.path.dirname(target))
        sync_directory(os.path.dirname(source))
        if was_file:
            try:
                self.checkpoints.follow(source, target)
            except OSError:
                # What was asked for is done and stays done.
                log.warning("the checkpoint did not follow", path=str(new_path), exc_info=True)

    def delete(self, path: EntryPath, *, even_full: bool) -> None:
        """Delete an entry and its checkpoints for good."""
        location = self.locate(path)
        if stat.S_ISDIR(os.lstat(location).st_mode):
            if even_full:
                shutil.rmtree(location)
            else:
                _remove_empty(location)
        else:
            os.unlink(location)
            self.checkpoints.forget(location)
        sync_directory(os.path.dirname(location))

    def trash(self, path: EntryPath, move_to_trash: Callable[[str], None]) -> None:
        """Move an entry to the trash and delete its checkpoints."""
        location = self.locate(path)
        status = os.lstat(location)
        if not stat.S_ISLNK(status.st_mode) and not os.access(location, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        try:
            move_to_trash(location)
        except OSError as error:
            raise FailedPrecondition(f"{path} cannot be moved to the trash") from error
        if not stat.S_ISDIR(status.st_mode):
            self.checkpoints.forget(location)

    def kernel_path(self, path: EntryPath) -> KernelPath:
        """Return the nearest directory, and the place of the document itself."""
        nearest = path
        while not nearest.is_root and not os.path.isdir(self.locate(nearest)):
            nearest = nearest.parent
        return KernelPath(self.locate(nearest), self.locate(path))

    def _make_new_directory(self, location: str) -> None:
        os.mkdir(location)
        os.chmod(location, self.directory_mode)


def _move(source: str, target: str) -> None:
    try:
        rename_into_free(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        move_across(source, target)


def _entry(path: EntryPath, status: os.stat_result, *, writable: bool) -> Entry:
    is_directory = stat.S_ISDIR(status.st_mode)
    return Entry(
        path=path,
        type=EntryType.DIRECTORY if is_directory else type_of_name(path.name),
        size_bytes=None if is_directory else status.st_size,
        writable=writable,
        create_time_ns=status.st_ctime_ns,
        update_time_ns=status.st_mtime_ns,
    )


def _differ_in_case_only(source: str, target: str) -> bool:
    # On a filesystem that ignores case, the target is the source itself.
    return source.lower() == target.lower() and os.path.samefile(source, target)


def _remove_empty(location: str) -> None:
    # What nobody sees does not count.
    for name in os.listdir(location):
        if name != DIRECTORY and not name.startswith(TEMPORARY_PREFIX):
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
    shutil.rmtree(os.path.join(location, DIRECTORY), ignore_errors=True)
    os.rmdir(location)
