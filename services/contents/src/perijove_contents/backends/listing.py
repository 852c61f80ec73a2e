"""What a directory holds, a part at a time. Everything here blocks."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from perijove_chassis.errors import DomainError, InvalidArgument

from perijove_contents.backends.tree import entry_of, require_entry
from perijove_contents.model import Entry, EntryPath
from perijove_contents.store import BATCH_ENTRIES

if TYPE_CHECKING:
    from perijove_contents.backends.tree import Tree


class Listing:
    """The names in a directory, in order, and the directory held open."""

    def __init__(self, tree: Tree, path: EntryPath, after: str) -> None:
        """Look at all names; at what is under them, not yet.

        Args:
            tree: The tree.
            path: The directory.
            after: Only names greater than this one; hidden ones are left out.

        Raises:
            InvalidArgument: if it is no directory.
        """
        self._tree = tree
        self._path = path
        with tree.at(path) as place:
            if not stat.S_ISDIR(require_entry(place.status()).st_mode):
                raise InvalidArgument(f"{path} is not a directory", reason="BAD_TYPE")
            self._fd = place.open_directory()
        try:
            with os.scandir(self._fd) as found:
                lists = tree.seen.lists
                listed = [item for item in found if item.name > after and lists(item.name)]
        except BaseException:
            self.close()
            raise
        self._items = sorted(listed, key=lambda item: item.name)
        self._done = 0

    @property
    def is_done(self) -> bool:
        """Whether there are no more names."""
        return self._done >= len(self._items)

    def next(self) -> list[Entry]:
        """Return the next entries, at most `BATCH_ENTRIES`, what is gone or odd excepted.

        After the last ones the directory is let go.
        """
        items = self._items[self._done : self._done + BATCH_ENTRIES]
        self._done += len(items)
        entries = self._entries(items)
        if self.is_done:
            self.close()
        return entries

    def close(self) -> None:
        """Let go of the directory."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def _entries(self, items: list[os.DirEntry[str]]) -> list[Entry]:
        user = os.geteuid()
        read_only = bool(os.statvfs(self._fd).f_flag & os.ST_RDONLY)
        parts = self._path.parts
        entries = []
        for item in items:
            path = EntryPath((*parts, item.name))
            if item.is_symlink():
                with suppress(OSError, DomainError):
                    entries.append(self._tree.get(path))
                continue
            try:
                status = item.stat(follow_symlinks=False)
            except OSError:
                continue
            mode = status.st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                continue
            # The owner's rights are in the status; asking the system doubles the time.
            if read_only:
                writable = False
            elif status.st_uid == user and (mode & stat.S_IWUSR or user):
                writable = bool(mode & stat.S_IWUSR)
            else:
                # Also of what the superuser may not write: in a container that may hold.
                writable = os.access(item.name, os.W_OK, dir_fd=self._fd, follow_symlinks=False)
            entries.append(entry_of(path, status, writable=writable))
        return entries
