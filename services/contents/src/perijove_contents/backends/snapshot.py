"""What a tree looked like, to tell what has changed. Everything here blocks."""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from perijove_chassis.errors import ResourceExhausted

from perijove_contents.backends.places import Root
from perijove_contents.model import EntryPath
from perijove_contents.visibility import USUAL
from perijove_contents.watching import ChangeType, EntryChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perijove_contents.visibility import Visibility

_DIRECTORY = 0
_TICK_NS = 50_000_000
"""Times are coarse: what changed this short a while ago may change and look the same."""


class Snapshot:
    """The entries of a tree that listings show, with what tells their versions apart.

    Links are entries; what they lead to is not looked at, as that may be
    anything, the tree itself too.
    """

    def __init__(self, root: str, most: int, seen: Visibility = USUAL) -> None:
        """Describe a tree; nothing is looked at yet.

        Args:
            root: The directory.
            most: Most entries that are kept in mind.
            seen: Which are looked at.
        """
        self._root = os.path.realpath(root)
        # Whoever swaps a directory for a link meanwhile must not lead this elsewhere.
        self._inside = Root(self._root, links_leave=False)
        self._most = most
        self._lists = seen.lists
        self._seen: dict[str, int] = {}

    @property
    def directories(self) -> frozenset[str]:
        """The places of all directories, the root first of all."""
        below = (path for path, version in self._seen.items() if version == _DIRECTORY)
        return frozenset((self._root, *(os.path.join(self._root, path) for path in below)))

    def look(self) -> list[EntryChange]:
        """Look at everything, and return what has changed.

        Raises:
            ResourceExhausted: if there are too many entries.
        """
        present = dict(self._below(""))
        changes = list(_differences(self._seen, present))
        self._seen = present
        return changes

    def look_at(self, locations: Iterable[str]) -> list[EntryChange]:
        """Look at places where something happened, and return what has changed.

        Raises:
            ResourceExhausted: if there are too many entries.
        """
        changes: list[EntryChange] = []
        for location in sorted(locations):
            path = os.path.relpath(location, self._root)
            if path == "." or not all(map(self._lists, path.split("/"))):
                continue
            present = dict(self._at(path))
            known = self._known(path, present)
            found = list(_differences(known, present))
            if not found and present.get(path) and self._is_young(path):
                found = [_change(ChangeType.MODIFIED, path)]
            changes += found
            for gone in known.keys() - present.keys():
                del self._seen[gone]
            self._seen.update(present)
        if len(self._seen) > self._most:
            raise self._too_many()
        return changes

    def _known(self, path: str, present: dict[str, int]) -> dict[str, int]:
        if self._seen.get(path) != _DIRECTORY and present.get(path) != _DIRECTORY:
            return {path: self._seen[path]} if path in self._seen else {}
        return {
            known: version
            for known, version in self._seen.items()
            if known == path or known.startswith(path + "/")
        }

    def _at(self, path: str) -> Iterator[tuple[str, int]]:
        try:
            version = _version(self._status(path))
        except OSError:
            return
        if version is None:
            return
        yield path, version
        if version == _DIRECTORY:
            yield from self._below(path)

    def _below(self, path: str) -> Iterator[tuple[str, int]]:
        waiting, found = [path], 0
        while waiting:
            directory = waiting.pop()
            listed = self._in(directory)
            found += len(listed)
            if found > self._most:
                raise self._too_many()
            for name, version in listed:
                inner = f"{directory}/{name}" if directory else name
                if version == _DIRECTORY:
                    waiting.append(inner)
                if version is not None:
                    yield inner, version

    def _in(self, path: str) -> list[tuple[str, int | None]]:
        """Return what a directory holds; nothing if there is none."""
        found = []
        try:
            with self._inside.find_itself(_path(path)) as place:
                fd = place.open_directory()
        except OSError:
            return []
        try:
            with os.scandir(fd) as items:
                for item in items:
                    if self._lists(item.name):
                        with suppress(OSError):
                            found.append((item.name, _version(item.stat(follow_symlinks=False))))
        except OSError:
            return []
        finally:
            os.close(fd)
        return found

    def _status(self, path: str) -> os.stat_result:
        with self._inside.find_itself(_path(path)) as place:
            return place.status()

    def _is_young(self, path: str) -> bool:
        try:
            changed_ns = self._status(path).st_ctime_ns
        except OSError:
            return False
        return time.time_ns() - changed_ns < _TICK_NS

    def _too_many(self) -> ResourceExhausted:
        return ResourceExhausted(
            f"more than {self._most} entries cannot be watched", reason="LIMIT_EXCEEDED"
        )


def _version(status: os.stat_result) -> int | None:
    """Return what tells versions of an entry apart; None for what is no entry."""
    if stat.S_ISDIR(status.st_mode):
        return _DIRECTORY
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
        return None
    return hash((status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)) or 1


def _differences(known: dict[str, int], present: dict[str, int]) -> Iterator[EntryChange]:
    # What is inside goes before what holds it, and comes after it.
    for path in sorted(known.keys() - present.keys(), reverse=True):
        yield _change(ChangeType.DELETED, path)
    for path in sorted(present):
        if path not in known:
            yield _change(ChangeType.CREATED, path)
        elif known[path] == present[path]:
            continue
        elif _DIRECTORY in (known[path], present[path]):
            yield _change(ChangeType.DELETED, path)
            yield _change(ChangeType.CREATED, path)
        else:
            yield _change(ChangeType.MODIFIED, path)


def _change(kind: ChangeType, path: str) -> EntryChange:
    return EntryChange(kind, _path(path))


def _path(text: str) -> EntryPath:
    return EntryPath(tuple(text.split("/")) if text else ())
