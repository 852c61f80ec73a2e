"""Entries on a filesystem: found, made, moved, deleted. Everything here blocks."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import structlog
from perijove_chassis.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound

from perijove_contents.backends.atomic import AtomicFile, require_file, require_version
from perijove_contents.backends.checkpoints import CHECKPOINTS, CheckpointFiles
from perijove_contents.backends.durable import sync_directory
from perijove_contents.backends.locks import locked
from perijove_contents.backends.moving import differ_in_case_only, move, remove_empty
from perijove_contents.backends.places import Place, Root
from perijove_contents.backends.removing import remove_tree
from perijove_contents.backends.renaming import rename_over
from perijove_contents.backends.unfinished import temporary_name
from perijove_contents.model import (
    ANY_VERSION,
    Entry,
    EntryPath,
    EntryType,
    KernelPath,
    Precondition,
    type_of_name,
)
from perijove_contents.visibility import USUAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perijove_contents.visibility import Visibility

log = structlog.get_logger()

_UNREADABLE = (errno.ENOENT, errno.ENOTDIR, errno.ENXIO)
"""What looking for what is behind a link fails with if it is nothing, or no file."""


class Tree:
    """The entries below one directory.

    No text of a path leaves the root. Links do, unless that was forbidden.
    """

    def __init__(
        self,
        root: str,
        *,
        file_mode: int,
        directory_mode: int,
        links_leave: bool = True,
        seen: Visibility = USUAL,
        checkpoints: str = CHECKPOINTS,
    ) -> None:
        """Describe a tree.

        Args:
            root: The directory.
            file_mode: Permission bits of new files.
            directory_mode: Permission bits of new directories.
            links_leave: Whether links out of the root are followed.
            seen: What listings show.
            checkpoints: Name of the directories that hold checkpoints.
        """
        self.root = Root(root, links_leave=links_leave)
        self.file_mode = file_mode
        self.checkpoints = CheckpointFiles(self.root, directory_mode, checkpoints)
        self.seen = seen
        self._directory_mode = directory_mode
        self._links_leave = links_leave

    def get(self, path: EntryPath) -> Entry:
        """Return the entry at a path.

        A link to nothing that can be read is one itself, so that people see it and remove it.
        """
        try:
            with self.root.find(path) as place:
                return entry_of(path, require_entry(place.status()), writable=place.is_writable())
        except OSError as error:
            if error.errno in _UNREADABLE and (link := self._link_at(path)):
                return entry_of(path, link, writable=False)
            raise

    @contextmanager
    def at(self, path: EntryPath) -> Iterator[Place]:
        """Hold the place of an entry that is there.

        Raises:
            InvalidArgument: if only a link to nothing is there.
        """
        try:
            with self.root.find(path) as place:
                yield place
        except FileNotFoundError:
            if self._link_at(path):
                raise InvalidArgument(
                    f"Cannot read non-file {path}: it is a link to nothing", reason="BAD_TYPE"
                ) from None
            raise

    def make_directory(self, path: EntryPath, required: Precondition = ANY_VERSION) -> Entry:
        """Create a directory, unless it exists."""
        try:
            with self.root.find_itself(path) as place:
                if required.exists:
                    required.check_presence(is_there=place.exists())
                place.make_directory(self._directory_mode)
        except FileExistsError:
            required.check_presence(is_there=True)
            if not self.root.is_directory(path):
                raise InvalidArgument(f"Not a directory: {path}", reason="BAD_TYPE") from None
        return self.get(path)

    def create_free(self, directory: EntryPath, names: Iterator[str], data: bytes | None) -> Entry:
        """Create a file or a directory under the first free name."""
        with self.new_place(directory) as place:
            if data is None:
                return self.get(
                    self.first_free(
                        directory,
                        place,
                        names,
                        lambda name: place.beside(name).make_directory(self._directory_mode),
                    )
                )
            file = AtomicFile(place.again, self.file_mode)
            try:
                file.write(data)
                return self.get(self.first_free(directory, place, names, file.place))
            finally:
                file.close()

    def new_place(self, directory: EntryPath) -> Place:
        """Return a place in a directory where nothing is.

        Raises:
            NotFound: if there is no such directory.
        """
        try:
            with self.root.find(directory) as place:
                return place.inside(temporary_name())
        except (FileNotFoundError, NotADirectoryError):
            raise _no_directory(directory) from None

    def first_free(
        self,
        directory: EntryPath,
        place: Place,
        names: Iterator[str],
        put: Callable[[str], object],
    ) -> EntryPath:
        """Call `put` with one name after the other until one is free.

        Args:
            directory: What to call the directory.
            place: Any place in it.
            names: Names to try.
            put: Puts something under a name, unless something is there.

        Returns:
            The path of what was put there.

        Raises:
            AlreadyExists: if none is free.
        """
        for name in names:
            path = directory.child(name)
            if place.beside(name).exists():
                continue
            with suppress(FileExistsError):
                put(name)
                return path
        raise AlreadyExists(f"no name is free in {directory or 'the root'}", reason="ENTRY_EXISTS")

    def rename(self, path: EntryPath, new_path: EntryPath, required: Precondition) -> None:
        """Move an entry, and its checkpoints; replace nothing."""
        with self.root.find_itself(path) as source:
            was_file = not stat.S_ISDIR(source.status().st_mode)
            with self._target(new_path) as target:
                try:
                    with self._held(path, source, required, target):
                        move(source, target, is_locked=was_file)
                except FileExistsError:
                    if not differ_in_case_only(source, target):
                        raise AlreadyExists(
                            f"File already exists: {new_path}", reason="ENTRY_EXISTS"
                        ) from None
                    rename_over(source, target)
                sync_directory(target)
            sync_directory(source)
        if was_file:
            try:
                self.checkpoints.follow(path, new_path)
            except OSError:
                # What was asked for is done and stays done.
                log.warning("the checkpoint did not follow", path=str(new_path), exc_info=True)

    def delete(self, path: EntryPath, required: Precondition, *, even_full: bool) -> None:
        """Delete an entry and its checkpoints for good."""
        with self.root.find_itself(path) as place:
            is_directory = stat.S_ISDIR(place.status().st_mode)
            with self._held(path, place, required):
                if not is_directory:
                    os.unlink(place.name, dir_fd=place.directory)
                elif even_full:
                    remove_tree(place)
                else:
                    remove_empty(place, self.checkpoints.directory)
            sync_directory(place)
        if not is_directory:
            self.checkpoints.forget(path)

    def trash(
        self, path: EntryPath, move_to_trash: Callable[[str], None], required: Precondition
    ) -> None:
        """Move an entry to the trash and delete its checkpoints."""
        if not self._links_leave:
            # It is told the text of a path, which may lead elsewhere when it looks.
            raise FailedPrecondition(f"{path} cannot be moved to the trash")
        with self.root.find_itself(path) as place, self._held(path, place, required):
            mode = place.status().st_mode
            if not stat.S_ISLNK(mode) and not place.is_writable():
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            try:
                if stat.S_ISLNK(mode) and not self._leads_anywhere(path):
                    os.unlink(place.name, dir_fd=place.directory)  # desktops do not see it
                else:
                    move_to_trash(self.root.locate(path))
            except OSError as error:
                raise FailedPrecondition(f"{path} cannot be moved to the trash") from error
        if not stat.S_ISDIR(mode):
            self.checkpoints.forget(path)

    def kernel_path(self, path: EntryPath) -> KernelPath:
        """Return the nearest directory, and the place of the document itself."""
        nearest = path
        while not nearest.is_root and not self.root.is_directory(nearest):
            nearest = nearest.parent
        home = os.path.expanduser("~")
        return KernelPath(self.root.locate(nearest), self.root.locate(path), home.strip("~"))

    @contextmanager
    def _held(
        self, path: EntryPath, place: Place, required: Precondition, *also: Place
    ) -> Iterator[None]:
        """Keep others from replacing a file that is as required.

        A directory has no version: what lies in it is held by itself.
        """
        if stat.S_ISDIR(place.status().st_mode):
            required.check_presence(is_there=True)
            if required.hash:
                raise InvalidArgument(f"{path} is a directory: it has no hash", reason="BAD_TYPE")
            yield
            return
        real = place
        with ExitStack() as held:
            # What a link leads to is replaced where it is.
            with suppress(OSError):
                real = held.enter_context(self.root.find(path))
            held.enter_context(locked(place, real, *also))
            place.status()
            if required != ANY_VERSION:
                require_version(real, required)
            yield

    def _leads_anywhere(self, path: EntryPath) -> bool:
        try:
            with self.root.find(path) as place:
                return place.exists()
        except OSError:
            return False

    def _link_at(self, path: EntryPath) -> os.stat_result | None:
        try:
            with self.root.find_itself(path) as place:
                status = place.status()
        except OSError:
            return None
        return status if stat.S_ISLNK(status.st_mode) else None

    def _target(self, path: EntryPath) -> Place:
        try:
            return self.root.find_itself(path)
        except (FileNotFoundError, NotADirectoryError):
            raise _no_directory(path.parent) from None


def entry_of(path: EntryPath, status: os.stat_result, *, writable: bool) -> Entry:
    """Return the entry at a path where a file or directory of this status is."""
    is_directory = stat.S_ISDIR(status.st_mode)
    return Entry(
        path=path,
        type=EntryType.DIRECTORY if is_directory else type_of_name(path.name),
        size_bytes=None if is_directory else status.st_size,
        writable=writable,
        create_time_ns=status.st_ctime_ns,
        update_time_ns=status.st_mtime_ns,
    )


def require_entry(status: os.stat_result) -> os.stat_result:
    """Return the status of a file or directory.

    Raises:
        OSError: if it is that of a socket, pipe or device.
    """
    return status if stat.S_ISDIR(status.st_mode) else require_file(status)


def _no_directory(path: EntryPath) -> NotFound:
    return NotFound(f"No such directory: {path}", reason="NO_SUCH_ENTRY")
