"""What is told of what happens to the tree, as jupyter_server tells it.

There, an entry is looked at after it was changed, and that is told too: events of
reading come before those of what was done. Unlike there, a directory that is
read is one event, not one for each entry in it: they would drive all others out
of what is kept.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from perijove_chassis.happening import Happening

from perijove_contents.manager import ContentsManager
from perijove_contents.model import ANY_VERSION, EntryType

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable

    from perijove_contents.content import Content, Write, Written
    from perijove_contents.manager import Rules
    from perijove_contents.model import Bytes, ContentFormat, Entry, EntryPath, Precondition
    from perijove_contents.store import ContentsStore, NotebookCodec


class ReportingManager(ContentsManager):
    """A `ContentsManager` that tells what was done."""

    def __init__(
        self,
        store: ContentsStore,
        codec: NotebookCodec,
        rules: Rules,
        saved: Callable[[EntryPath], Awaitable[None]] | None,
        tell: Callable[[Happening], None],
    ) -> None:
        """Take what the rules need, and who is told; that must return at once."""
        super().__init__(store, codec, rules, saved)
        self._tell_of = tell

    async def get(self, path: EntryPath, kind: EntryType | None, *, with_hash: bool) -> Entry:
        """Return an entry, described as `kind` if that is given."""
        entry = await super().get(path, kind, with_hash=with_hash)
        self._tell("get", path)
        return entry

    async def list(self, path: EntryPath, *, after: str, limit: int) -> tuple[list[Entry], bool]:
        """Return what a directory holds in order of names, and whether there is more."""
        found = await super().list(path, after=after, limit=limit)
        if not after:
            self._tell("get", path)
        return found

    @asynccontextmanager
    async def read(
        self,
        path: EntryPath,
        kind: EntryType | None,
        wanted: ContentFormat | None,
        *,
        with_hash: bool,
    ) -> AsyncIterator[Content]:
        """Open an entry for reading, in one version, until the block ends."""
        async with super().read(path, kind, wanted, with_hash=with_hash) as content:
            self._tell("get", path)
            yield content

    async def write(self, write: Write, content: AsyncIterable[Bytes]) -> Written:
        """Replace or create an entry, whole or not at all."""
        written = await super().write(write, content)
        self._tell("get", write.path)
        self._tell("save", write.path)
        return written

    async def create(self, directory: EntryPath, kind: EntryType | None, extension: str) -> Entry:
        """Create an empty entry in a directory under a free name."""
        entry = await super().create(directory, kind, extension)
        self._tell("get", entry.path)
        self._tell("save", entry.path)
        return entry

    async def copy(self, path: EntryPath, target: EntryPath) -> Entry:
        """Copy an entry into the directory `target`, or a file to the new file `target`."""
        entry = await super().copy(path, target)
        self._tell("get", path)
        self._tell("get", entry.path)
        if entry.type is not EntryType.DIRECTORY:
            self._tell("save", entry.path)
        self._tell("copy", entry.path, path)
        return entry

    async def rename(
        self, path: EntryPath, new_path: EntryPath, required: Precondition = ANY_VERSION
    ) -> Entry:
        """Move an entry and return it at its new path."""
        entry = await super().rename(path, new_path, required)
        if path != new_path:
            self._tell("rename", new_path, path)
        self._tell("get", new_path)
        return entry

    async def delete(self, path: EntryPath, required: Precondition = ANY_VERSION) -> None:
        """Delete an entry and its checkpoints."""
        await super().delete(path, required)
        self._tell("delete", path)

    async def trust(self, path: EntryPath) -> None:
        """Trust a notebook as it is stored."""
        await super().trust(path)
        self._tell("get", path)

    def _tell(self, action: str, path: EntryPath, source: EntryPath | None = None) -> None:
        data = {"action": action, "path": str(path)}
        if source is not None:
            data["source_path"] = str(source)
        self._tell_of(Happening(data, datetime.now(UTC)))
