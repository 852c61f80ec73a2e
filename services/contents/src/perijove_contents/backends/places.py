"""Places on a filesystem: a name in a directory that is held open.

Whoever may change the tree, a kernel for one, may put a link where a directory
was, between the moment a path is looked at and the moment it is used. So each
path is walked once. What is done then is done to a name in a directory that is
open already, and a link that appears under that name is not followed.
Everything here blocks.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from perijove_contents.model import EntryPath

_MAX_LINKS = 40
"""How many links are followed for one path, as in the kernel."""

_HOLD = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_NOT_PASSED = (errno.ENOTDIR, errno.ELOOP)
"""What opening a link as a directory fails with."""


class Place:
    """A name in a directory that is held open until `close`. It is never followed."""

    __slots__ = ("directory", "name")

    def __init__(self, directory: int, name: str) -> None:
        """Take over an open directory.

        Args:
            directory: Its descriptor.
            name: One name in it, or `.`; nothing need be there.
        """
        self.directory = directory
        self.name = name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the directory."""
        if self.directory >= 0:
            os.close(self.directory)
            self.directory = -1

    def beside(self, name: str) -> Place:
        """Return another name in the same directory, which stays this place's to close."""
        return Place(self.directory, name)

    def again(self) -> Place:
        """Return the same place, held on its own."""
        return Place(os.dup(self.directory), self.name)

    def inside(self, name: str) -> Place:
        """Return a name in the directory that is there, held on its own.

        Raises:
            OSError: if no directory is there.
        """
        return Place(os.open(self.name, _HOLD | os.O_NOFOLLOW, dir_fd=self.directory), name)

    def status(self) -> os.stat_result:
        """Return the status of what is there, of a link itself if it is one."""
        return os.stat(self.name, dir_fd=self.directory, follow_symlinks=False)

    def exists(self) -> bool:
        """Return whether anything is there."""
        try:
            self.status()
        except OSError:
            return False
        return True

    def is_writable(self) -> bool:
        """Return whether this process may write it."""
        return os.access(self.name, os.W_OK, dir_fd=self.directory, follow_symlinks=False)

    def open(self, flags: int, mode: int = 0o600) -> int:
        """Open what is there; the caller closes it.

        Raises:
            OSError: also if it is a link.
        """
        flags |= os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(self.name, flags, mode, dir_fd=self.directory)

    def open_directory(self) -> int:
        """Open the directory that is there, to read it; the caller closes it."""
        return self.open(os.O_RDONLY | os.O_DIRECTORY)

    def make_directory(self, mode: int) -> None:
        """Make a directory with exactly these permission bits.

        Raises:
            FileExistsError: if anything is there.
        """
        os.mkdir(self.name, dir_fd=self.directory)
        fd = self.open_directory()
        try:
            os.fchmod(fd, mode)
        finally:
            os.close(fd)


def place_at(location: str) -> Place:
    """Return the place of a path of this machine, with all links followed.

    Raises:
        OSError: if its directory is not there.
    """
    for _ in range(_MAX_LINKS):
        head, name = os.path.split(location)
        place = Place(os.open(head or ".", _HOLD), name or ".")
        try:
            target = _link_at(place)
        except OSError:
            place.close()
            raise
        if target is None:
            return place
        place.close()
        location = os.path.join(head, target)
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


class Root:
    """A directory, and the places below it."""

    def __init__(self, location: str, *, links_leave: bool = True) -> None:
        """Describe a root; nothing is opened yet.

        Args:
            location: The directory.
            links_leave: Whether links out of it are followed, as people expect of
                links they made. If not, these lead nowhere.
        """
        self.location = location
        self._links_leave = links_leave
        # A link may name the root as it is told to people, or as it is.
        self._texts = [_parts(location), _parts(os.path.realpath(location))]

    def locate(self, path: EntryPath) -> str:
        """Return the text of a place, for people and for other processes."""
        return os.path.join(self.location, *path.parts)

    def find(self, path: EntryPath) -> Place:
        """Return the place of an entry, with links followed; nothing need be there.

        Raises:
            OSError: if its directory is not there, or links lead nowhere.
        """
        if self._links_leave:
            return place_at(self.locate(path))
        return self._walked(path, follow_last=True)

    def find_itself(self, path: EntryPath) -> Place:
        """Return the place of an entry, which may be a link itself.

        Raises:
            OSError: if its directory is not there.
        """
        if self._links_leave:
            head = os.path.join(self.location, *path.parts[:-1])
            return Place(os.open(head, _HOLD), path.name or ".")
        return self._walked(path, follow_last=False)

    def is_directory(self, path: EntryPath) -> bool:
        """Return whether a directory is there, or a link to one."""
        try:
            with self.find(path) as place:
                return stat.S_ISDIR(place.status().st_mode)
        except OSError:
            return False

    def _walked(self, path: EntryPath, *, follow_last: bool) -> Place:
        """Open one directory in the other, and never one that is a link."""
        parts = list(path.parts)
        for _ in range(_MAX_LINKS):
            place = Place(os.open(self.location, _HOLD), ".")
            try:
                turn = self._walk(place, parts, follow_last=follow_last)
            except BaseException:
                place.close()
                raise
            if turn is None:
                return place
            # Again from the root: what was above is not held.
            place.close()
            parts = turn
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))

    def _walk(self, place: Place, parts: list[str], *, follow_last: bool) -> list[str] | None:
        """Move a place down until a link is in the way.

        Returns:
            How to go on from the root instead; None if there was no link.
        """
        done: list[str] = []
        waiting = deque(parts)
        while waiting:
            place.name = waiting.popleft()
            if place.name == "..":
                return [*_above(done), *waiting]
            target = None
            if waiting:
                target = _entered(place)
            elif follow_last:
                target = _link_at(place)
            if target is not None:
                return [*self._below(done, target), *waiting]
            done.append(place.name)
        return None

    def _below(self, done: list[str], target: str) -> list[str]:
        """Return where a link in the directory `done` leads to, from the root."""
        parts = _parts(target)
        if target.startswith("/"):
            for text in self._texts:
                if parts[: len(text)] == text:
                    return parts[len(text) :]
            raise _nothing()
        while parts and parts[0] == "..":
            done = _above(done)
            del parts[0]
        return [*done, *parts]


def _entered(place: Place) -> str | None:
    """Move on into the directory at a place; if it is a link, return where it leads."""
    try:
        inner = os.open(place.name, _HOLD | os.O_NOFOLLOW, dir_fd=place.directory)
    except OSError as error:
        target = _link_at(place) if error.errno in _NOT_PASSED else None
        if target is None:
            raise
        return target
    os.close(place.directory)
    place.directory = inner
    return None


def _link_at(place: Place) -> str | None:
    try:
        return os.readlink(place.name, dir_fd=place.directory)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOENT):
            return None
        raise


def _above(done: list[str]) -> list[str]:
    if not done:
        raise _nothing()
    return done[:-1]


def _parts(text: str) -> list[str]:
    return [part for part in text.split("/") if part not in ("", ".")]


def _nothing() -> FileNotFoundError:
    # As for a link to nothing: what is outside can be told from nothing by nobody.
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
