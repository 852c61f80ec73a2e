"""The document tree in memory: for tests, and to show what a store must do."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from perijove_chassis.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
)

from perijove_contents.backends.memory_nodes import Node, Nodes, OpenBytes
from perijove_contents.model import (
    ANY_VERSION,
    CHECKPOINT_ID,
    HASH_ALGORITHM,
    Checkpoint,
    Entry,
    EntryPath,
    EntryType,
    KernelPath,
    Precondition,
    Stored,
    type_of_name,
)
from perijove_contents.store import BATCH_ENTRIES
from perijove_contents.visibility import USUAL
from perijove_contents.watching import EntryFeed

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence

    from perijove_contents.model import Bytes
    from perijove_contents.store import OpenContent
    from perijove_contents.visibility import Visibility
    from perijove_contents.watching import WatchUpdate


class MemoryStore:
    """Keeps entries in a dictionary of this process."""

    def __init__(self, max_bytes: int = 64 * 1024 * 1024, seen: Visibility = USUAL) -> None:
        self._feed = EntryFeed()
        self._seen = seen
        self._nodes = Nodes(self._feed, seen)
        self._max_bytes = max_bytes

    async def get(self, path: EntryPath) -> Entry:
        """Return the entry at a path."""
        node = self._node(path)
        is_directory = node.data is None
        return Entry(
            path=path,
            type=EntryType.DIRECTORY if is_directory else type_of_name(path.name),
            size_bytes=None if node.data is None else len(node.data),
            writable=True,
            create_time_ns=node.time_ns,
            update_time_ns=node.time_ns,
        )

    async def list(self, path: EntryPath, *, after: str = "") -> AsyncIterator[Sequence[Entry]]:
        """Yield what a directory holds."""
        if self._node(path).data is not None:
            raise InvalidArgument(f"{path} is not a directory", reason="BAD_TYPE")
        names = sorted(
            found.name
            for found in self._nodes
            if found.parent == path and found.name > after and self._seen.lists(found.name)
        )
        for start in range(0, max(len(names), 1), BATCH_ENTRIES):
            batch = names[start : start + BATCH_ENTRIES]
            yield [await self.get(path.child(name)) for name in batch]

    async def open(
        self, path: EntryPath, *, want_text: bool = False, want_hash: bool = False
    ) -> OpenContent:
        """Open an entry for reading."""
        entry = await self.get(path)
        if entry.type is EntryType.DIRECTORY:
            return OpenBytes(entry, b"", is_text=False)
        data = self._file(path)
        entry = replace(entry, hash=_hash(data) if want_hash else "")
        return OpenBytes(entry, data, is_text=want_text and _is_text(data))

    async def write(
        self,
        path: EntryPath,
        content: AsyncIterable[Bytes],
        *,
        required: Precondition = ANY_VERSION,
        want_hash: bool = False,
    ) -> tuple[Entry, bool]:
        """Create or replace a file."""
        data = b"".join([chunk async for chunk in content])
        created = path not in self._nodes
        if created:
            self._require_directory(path.parent)
        else:
            self._file(path)
        self._require_directory(path.parent)
        self._require_version(path, required)
        self._put(path, data)
        return replace(await self.get(path), hash=_hash(data) if want_hash else ""), created

    async def replace(
        self,
        path: EntryPath,
        make: Callable[[], Iterable[Bytes]],
        *,
        required: Precondition = ANY_VERSION,
        want_hash: bool = False,
    ) -> Stored:
        """Create or replace a file by bytes that are yet to be made."""

        async def content() -> AsyncIterator[bytes]:
            yield b"".join(make())

        entry, created = await self.write(path, content(), required=required, want_hash=want_hash)
        kept = await self.list_checkpoints(path)
        return Stored(entry, created, has_checkpoint=bool(kept))

    async def append(
        self,
        path: EntryPath,
        content: AsyncIterable[Bytes],
        *,
        required: Precondition = ANY_VERSION,
        want_hash: bool = False,
    ) -> Entry:
        """Add to the end of a file."""
        data = b"".join([chunk async for chunk in content])
        present = self._file(path)
        self._require_version(path, required)
        self._put(path, present + data)
        digest = _hash(present + data) if want_hash else ""
        return replace(await self.get(path), hash=digest)

    async def make_directory(
        self, path: EntryPath, *, required: Precondition = ANY_VERSION
    ) -> Entry:
        """Create a directory."""
        self._require_directory(path.parent)
        self._require_version(path, required)
        if path not in self._nodes:
            self._put(path, None)
        elif self._nodes[path].data is not None:
            raise InvalidArgument(f"{path} is not a directory", reason="BAD_TYPE")
        return await self.get(path)

    async def create_free(
        self, directory: EntryPath, names: Iterator[str], data: bytes | None
    ) -> Entry:
        """Create an entry under the first free name."""
        path = self._first_free(directory, names)
        self._put(path, data)
        return await self.get(path)

    async def copy_free(
        self, path: EntryPath, directory: EntryPath, names: Iterator[str], *, max_bytes: int
    ) -> Entry:
        """Copy an entry under the first free name."""
        node = self._node(path)
        if node.data is not None:
            copied = self._first_free(directory, names)
            self._nodes[copied] = Node(node.data)
            return await self.get(copied)
        self._require_directory(directory)
        if path.holds(directory):
            raise InvalidArgument(f"{path} cannot be copied into itself", reason="BAD_PATH")
        # With what a directory holds, its checkpoints are copied.
        below = {found: node for found, node in self._nodes.items() if path.holds(found)}
        if sum(map(_size, below.values())) > max_bytes:
            raise ResourceExhausted(f"{path} is too large", reason="LIMIT_EXCEEDED")
        copied = self._first_free(directory, names)
        for found, node in below.items():
            self._nodes[EntryPath((*copied.parts, *found.parts[len(path.parts) :]))] = node
        return await self.get(copied)

    async def rename(
        self, path: EntryPath, new_path: EntryPath, *, required: Precondition = ANY_VERSION
    ) -> None:
        """Move an entry."""
        self._node(path)
        self._require_version(path, required)
        self._require_directory(new_path.parent)
        if new_path in self._nodes:
            raise AlreadyExists(f"File already exists: {new_path}", reason="ENTRY_EXISTS")
        if path.holds(new_path):
            raise InvalidArgument(f"{path} cannot move into itself", reason="BAD_PATH")
        for found in [found for found in self._nodes if path.holds(found)]:
            moved = EntryPath((*new_path.parts, *found.parts[len(path.parts) :]))
            node = self._nodes[found]
            del self._nodes[found]
            self._nodes[moved] = node

    async def delete(
        self, path: EntryPath, *, even_full: bool, required: Precondition = ANY_VERSION
    ) -> None:
        """Delete an entry."""
        self._node(path)
        self._require_version(path, required)
        below = [found for found in self._nodes if path.holds(found)]
        if len(below) > 1 and not even_full:
            raise FailedPrecondition(f"Directory {path} not empty", reason="DIRECTORY_NOT_EMPTY")
        for found in below:
            del self._nodes[found]

    async def trash(self, path: EntryPath, *, required: Precondition = ANY_VERSION) -> None:
        """Delete an entry: nobody looks for it here."""
        await self.delete(path, even_full=True, required=required)

    async def create_checkpoint(self, path: EntryPath) -> Checkpoint:
        """Keep the present content of a file."""
        node = Node(self._file(path), self._node(path).time_ns)
        self._nodes[path] = replace(self._nodes[path], checkpoint=node)
        return Checkpoint(CHECKPOINT_ID, node.time_ns)

    async def list_checkpoints(self, path: EntryPath) -> Sequence[Checkpoint]:
        """Return the checkpoints of a path."""
        node = self._nodes.get(path)
        kept = node.checkpoint if node else None
        return [Checkpoint(CHECKPOINT_ID, kept.time_ns)] if kept else []

    async def restore_checkpoint(
        self, path: EntryPath, checkpoint_id: str, *, required: Precondition = ANY_VERSION
    ) -> None:
        """Replace the content of a file by that of a checkpoint."""
        data = self._checkpoint(path, checkpoint_id).data
        self._require_version(path, required)
        self._put(path, data)

    async def delete_checkpoint(self, path: EntryPath, checkpoint_id: str) -> None:
        """Delete a checkpoint."""
        if checkpoint_id != CHECKPOINT_ID or not await self.list_checkpoints(path):
            raise NotFound(f"{path} has no such checkpoint", reason="NO_SUCH_CHECKPOINT")
        self._nodes[path] = replace(self._nodes[path], checkpoint=None)

    async def kernel_path(self, path: EntryPath) -> KernelPath:
        """Return where a kernel for a document would run."""
        nearest = path
        while nearest not in self._nodes or self._nodes[nearest].data is not None:
            nearest = nearest.parent
        return KernelPath(f"/{nearest}", f"/{path}")

    def watch(self, path: EntryPath, after: str) -> AsyncIterator[WatchUpdate]:
        """Tell what changes at or below a path."""
        return self._feed.follow(path, after)

    def _node(self, path: EntryPath) -> Node:
        try:
            return self._nodes[path]
        except KeyError:
            raise NotFound(
                f"File or directory does not exist: {path}", reason="NO_SUCH_ENTRY"
            ) from None

    def _file(self, path: EntryPath) -> bytes:
        data = self._node(path).data
        if data is None:
            raise InvalidArgument(f"{path} is a directory, not a file", reason="BAD_TYPE")
        return data

    def _require_directory(self, path: EntryPath) -> None:
        if path not in self._nodes or self._nodes[path].data is not None:
            raise NotFound(f"No such directory: {path}", reason="NO_SUCH_ENTRY")

    def _require_version(self, path: EntryPath, required: Precondition) -> None:
        node = self._nodes.get(path)
        required.check_presence(is_there=node is not None)
        if node and required.hash:
            if node.data is None:
                raise InvalidArgument(f"{path} is a directory: it has no hash", reason="BAD_TYPE")
            required.check_hash(_hash(node.data))

    def _put(self, path: EntryPath, data: bytes | None) -> None:
        self._require_directory(path.parent)
        present = self._nodes.get(path)
        total = sum(len(node.data or b"") for node in self._nodes.values())
        if (
            total - len(present.data or b"" if present else b"") + len(data or b"")
            > self._max_bytes
        ):
            raise ResourceExhausted(f"no room is left for {path}", reason="STORAGE_FULL")
        self._nodes[path] = Node(data, checkpoint=present.checkpoint if present else None)

    def _first_free(self, directory: EntryPath, names: Iterator[str]) -> EntryPath:
        self._require_directory(directory)
        for name in names:
            path = directory.child(name)
            if path not in self._nodes:
                return path
        raise AlreadyExists(f"no name is free in {directory}", reason="ENTRY_EXISTS")

    def _checkpoint(self, path: EntryPath, checkpoint_id: str) -> Node:
        self._file(path)
        node = self._nodes[path].checkpoint
        if node is None or checkpoint_id != CHECKPOINT_ID:
            raise NotFound(f"{path} has no such checkpoint", reason="NO_SUCH_CHECKPOINT")
        return node


def _size(node: Node) -> int:
    return len(node.data or b"") + (_size(node.checkpoint) if node.checkpoint else 0)


def _hash(data: bytes) -> str:
    return hashlib.new(HASH_ALGORITHM, data).hexdigest()


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
