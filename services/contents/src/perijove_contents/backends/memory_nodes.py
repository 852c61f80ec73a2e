"""What the tree in memory is made of."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perijove_contents.model import EntryPath
from perijove_contents.store import CHUNK_BYTES
from perijove_contents.watching import ChangeType, EntryChange

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Hashable

    from perijove_contents.model import Entry
    from perijove_contents.visibility import Visibility
    from perijove_contents.watching import EntryFeed


@dataclass(frozen=True, slots=True)
class Node:
    """An entry."""

    data: bytes | None
    """None for a directory."""
    time_ns: int = field(default_factory=time.time_ns)
    checkpoint: Node | None = None


class Nodes(dict[EntryPath, Node]):
    """The entries; each change of one is told."""

    def __init__(self, feed: EntryFeed, seen: Visibility) -> None:
        super().__init__({EntryPath(()): Node(None)})
        self._feed = feed
        self._lists = seen.lists

    def __setitem__(self, path: EntryPath, node: Node) -> None:
        before = self.get(path)
        super().__setitem__(path, node)
        if before is None:
            self._tell(ChangeType.CREATED, path)
        elif before.time_ns != node.time_ns:
            self._tell(ChangeType.MODIFIED, path)

    def __delitem__(self, path: EntryPath) -> None:
        super().__delitem__(path)
        self._tell(ChangeType.DELETED, path)

    def _tell(self, kind: ChangeType, path: EntryPath) -> None:
        if all(map(self._lists, path.parts)):
            self._feed.publish([EntryChange(kind, path)])


class OpenBytes:
    """One version of an entry."""

    def __init__(self, entry: Entry, data: bytes, *, is_text: bool) -> None:
        self.entry = entry
        self.is_text = is_text
        self.version: Hashable = data
        self._data = data

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield all bytes from the beginning."""
        for start in range(0, len(self._data), CHUNK_BYTES):
            yield self._data[start : start + CHUNK_BYTES]

    async def whole(self) -> bytes:
        """Return all bytes at once."""
        return self._data

    async def close(self) -> None:
        """Let go of it, of which there is nothing to do."""
