"""The rules of the document tree."""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog
from perijove_chassis.errors import (
    AlreadyExists,
    DomainError,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
)

from perijove_contents.content import (
    Content,
    Write,
    Written,
    as_text,
    described_as,
    file_format,
    joined,
    pieces,
    within,
)
from perijove_contents.model import (
    ANY_VERSION,
    NOTEBOOK_SUFFIX,
    Checkpoint,
    ContentFormat,
    Entry,
    EntryPath,
    EntryType,
    KernelPath,
    Precondition,
    WritePart,
    type_of_name,
)
from perijove_contents.naming import AS_JUPYTER, Untitled, copy_names
from perijove_contents.visibility import USUAL, Visibility

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence

    from perijove_contents.model import Bytes, NotebookText
    from perijove_contents.store import ContentsStore, NotebookCodec, OpenContent

log = structlog.get_logger()

_NEW_NOTEBOOK = b'{"cells":[],"metadata":{},"nbformat":4,"nbformat_minor":5}'


@dataclass(frozen=True, slots=True)
class Rules:
    """What is allowed, where people may differ."""

    max_content_bytes: int = 512 * 1024 * 1024
    """Largest content that is written, and largest notebook that is read."""
    max_copy_bytes: int = 500 * 1024 * 1024
    """Largest directory that is copied."""
    delete_to_trash: bool = True
    """Whether what is deleted can be got back by people."""
    always_delete_directories: bool = False
    """Whether a directory that still holds something is deleted for good."""
    seen: Visibility = USUAL
    untitled: Untitled = AS_JUPYTER
    """What entries are called that nobody has named."""


class ContentsManager:
    """Applies the rules of the document tree to a store."""

    def __init__(
        self,
        store: ContentsStore,
        codec: NotebookCodec,
        rules: Rules,
        saved: Callable[[EntryPath], Awaitable[None]] | None = None,
    ) -> None:
        """Take what the rules need.

        Args:
            store: Where entries are kept.
            codec: Who understands notebooks.
            rules: What is allowed.
            saved: Is told the path of each file and notebook that was saved whole.
        """
        self._store = store
        self._codec = codec
        self._rules = rules
        self._seen = rules.seen
        self._saved = saved

    async def get(self, path: EntryPath, kind: EntryType | None, *, with_hash: bool) -> Entry:
        """Return an entry, described as `kind` if that is given."""
        return await self.look(path, kind, with_hash=with_hash)

    async def look(self, path: EntryPath, kind: EntryType | None, *, with_hash: bool) -> Entry:
        """Return the same, for who does not mean to read it."""
        self._seen.require(path)
        if not with_hash:
            entry = await self._store.get(path)
            return replace(entry, type=described_as(entry, kind))
        entry = await self._store.get(path)
        if entry.type is EntryType.DIRECTORY:
            raise InvalidArgument(f"{path} is a directory: it has no hash", reason="BAD_TYPE")
        shown = described_as(entry, kind)
        content = await self._store.open(path, want_hash=True)
        await content.close()
        return replace(content.entry, type=shown)

    async def list(self, path: EntryPath, *, after: str, limit: int) -> tuple[list[Entry], bool]:
        """Return what a directory holds in order of names, and whether there is more.

        Args:
            path: The directory.
            after: Only names greater than this one.
            limit: Most entries to return.
        """
        self._seen.require(path)
        found: list[Entry] = []
        async with aclosing(self._store.list(path, after=after)) as batches:  # type: ignore[type-var]
            async for batch in batches:
                found.extend(batch)
                if len(found) > limit:
                    return found[:limit], True
        return found, False

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
        self._seen.require(path)
        is_file = (kind or type_of_name(path.name)) is EntryType.FILE
        want_text = is_file and wanted is not ContentFormat.BINARY
        opened = await self._store.open(path, want_text=want_text, want_hash=with_hash)
        try:
            kind = described_as(opened.entry, kind)
            entry = replace(opened.entry, type=kind)
            if kind is EntryType.DIRECTORY:
                if with_hash:
                    raise InvalidArgument(
                        f"{path} is a directory: it has no hash", reason="BAD_TYPE"
                    )
                yield Content(entry, ContentFormat.ENTRIES, batches=self._store.list(path))
            elif kind is EntryType.NOTEBOOK:
                # A notebook has one format, whichever is asked for.
                text = await self._read_notebook(opened)
                yield Content(
                    entry,
                    ContentFormat.NOTEBOOK,
                    text.validation_message,
                    len(text.data),
                    pieces(text.data),
                )
            else:
                format_ = file_format(path, wanted, is_text=opened.is_text)
                yield Content(entry, format_, size_bytes=entry.size_bytes, chunks=opened.chunks())
        finally:
            await opened.close()

    async def write(self, write: Write, content: AsyncIterable[Bytes]) -> Written:
        """Replace or create an entry, whole or not at all."""
        self._seen.require_changeable("create", write.path)
        content = within(content, self._rules.max_content_bytes)
        if write.format is ContentFormat.TEXT:
            content = as_text(write.path, content)
        match write.type:
            case EntryType.DIRECTORY:
                return await self._write_directory(write, content)
            case EntryType.NOTEBOOK:
                written = await self._write_notebook(write, content)
            case EntryType.FILE:
                written = await self._write_file(write, content)
        if self._saved and write.part in (WritePart.WHOLE, WritePart.LAST):
            await self._saved(write.path)
        return written

    async def create(self, directory: EntryPath, kind: EntryType | None, extension: str) -> Entry:
        """Create an empty entry in a directory under a free name."""
        self._seen.require_changeable("create", directory)
        is_notebook = extension == NOTEBOOK_SUFFIX
        kind = kind or (EntryType.NOTEBOOK if is_notebook else EntryType.FILE)
        names = self._rules.untitled.names(kind, extension)
        data: bytes | None = b""
        if kind is EntryType.DIRECTORY:
            data = None
        if kind is EntryType.NOTEBOOK:
            data = (await self._codec.write(directory.child("Untitled.ipynb"), _NEW_NOTEBOOK)).data
        entry = await self._store.create_free(directory, names, data)
        if kind is EntryType.NOTEBOOK:
            await self._checkpoint_first_version(entry.path)
        return entry

    async def copy(self, path: EntryPath, target: EntryPath) -> Entry:
        """Copy an entry into the directory `target`, or a file to the new file `target`."""
        self._seen.require_changeable("copy", target, path)
        if path.is_root:
            raise InvalidArgument("the root cannot be copied", reason="BAD_PATH")
        source = await self._store.get(path)
        directory, names = target, copy_names(path.name)
        try:
            aside = await self._store.get(target)
        except NotFound:
            if source.type is EntryType.DIRECTORY:
                await self._make_directories(path, target)
            else:
                directory, names = target.parent, iter((target.name,))
        else:
            if aside.type is not EntryType.DIRECTORY:
                raise AlreadyExists(f"File already exists: {target}", reason="ENTRY_EXISTS")
        entry = await self._store.copy_free(
            path, directory, names, max_bytes=self._rules.max_copy_bytes
        )
        if entry.type is EntryType.NOTEBOOK:
            await self._checkpoint_first_version(entry.path)
        return entry

    async def rename(
        self, path: EntryPath, new_path: EntryPath, required: Precondition = ANY_VERSION
    ) -> Entry:
        """Move an entry and return it at its new path."""
        self._seen.require_changeable("rename", path, new_path)
        if path.is_root or new_path.is_root:
            raise AlreadyExists("the root is not renamed or replaced", reason="ENTRY_EXISTS")
        if path != new_path:
            if path.holds(new_path):
                raise InvalidArgument(f"{path} cannot move into itself", reason="BAD_PATH")
            await self._store.rename(path, new_path, required=required)
        return await self._store.get(new_path)

    async def delete(self, path: EntryPath, required: Precondition = ANY_VERSION) -> None:
        """Delete an entry and its checkpoints."""
        self._seen.require_changeable("delete", path)
        if path.is_root:
            raise InvalidArgument("Can't delete root", reason="BAD_PATH")
        if self._rules.delete_to_trash:
            await self._store.trash(path, required=required)
        else:
            even_full = self._rules.always_delete_directories
            await self._store.delete(path, even_full=even_full, required=required)

    async def create_checkpoint(self, path: EntryPath) -> Checkpoint:
        """Keep the present content of a file or notebook."""
        self._seen.require_changeable("change", path)
        return await self._store.create_checkpoint(path)

    async def list_checkpoints(self, path: EntryPath) -> Sequence[Checkpoint]:
        """Return the checkpoints of an entry, oldest first; none if it is absent."""
        return () if self._seen.hides(path) else await self._store.list_checkpoints(path)

    async def restore_checkpoint(
        self, path: EntryPath, checkpoint_id: str, required: Precondition = ANY_VERSION
    ) -> None:
        """Replace the content of an entry by that of a checkpoint."""
        self._seen.require_changeable("restore", path)
        await self._store.restore_checkpoint(path, checkpoint_id, required=required)

    async def delete_checkpoint(self, path: EntryPath, checkpoint_id: str) -> None:
        """Delete a checkpoint of an entry."""
        self._seen.require_changeable("change", path)
        await self._store.delete_checkpoint(path, checkpoint_id)

    async def trust(self, path: EntryPath) -> None:
        """Trust a notebook as it is stored."""
        self._seen.require(path)
        entry = await self._store.get(path)
        if entry.type is not EntryType.NOTEBOOK:
            raise InvalidArgument(f"{path} is not a notebook", reason="BAD_TYPE")
        opened = await self._store.open(path)
        try:
            self._require_parsable(opened.entry)
            await self._codec.trust(path, await opened.whole())
        finally:
            await opened.close()

    async def kernel_path(self, path: EntryPath) -> KernelPath:
        """Return where a kernel for a document at `path` runs."""
        return await self._store.kernel_path(path)

    async def _read_notebook(self, opened: OpenContent) -> NotebookText:
        self._require_parsable(opened.entry)
        if known := await self._codec.recall(opened.version):
            return known
        return await self._codec.read(opened.entry.path, await opened.whole(), opened.version)

    def _require_parsable(self, entry: Entry) -> None:
        if (entry.size_bytes or 0) > self._rules.max_content_bytes:
            raise ResourceExhausted(
                f"{entry.path} is too large for a notebook", reason="LIMIT_EXCEEDED"
            )

    async def _make_directories(self, source: EntryPath, path: EntryPath) -> None:
        if source.holds(path):
            raise InvalidArgument(f"{source} cannot be copied into itself", reason="BAD_PATH")
        for depth in range(1, len(path.parts) + 1):
            await self._store.make_directory(EntryPath(path.parts[:depth]))

    async def _write_directory(self, write: Write, content: AsyncIterable[Bytes]) -> Written:
        if await joined(content):
            raise InvalidArgument("a directory has no content", reason="BAD_FORMAT")
        entry = await self._store.make_directory(write.path, required=write.required)
        return Written(entry, created=True)

    async def _write_notebook(self, write: Write, content: AsyncIterable[Bytes]) -> Written:
        in_model = write.format is ContentFormat.MODEL
        text = await self._codec.prepare(write.path, content, in_model=in_model)
        stored = await self._store.replace(
            write.path,
            lambda: text().parts,
            required=write.required,
            want_hash=write.want_hash,
        )
        await self._codec.settle(text())
        if not stored.has_checkpoint:
            await self._checkpoint_first_version(write.path)
        return Written(stored.entry, stored.created, text().validation_message)

    async def _write_file(self, write: Write, content: AsyncIterable[Bytes]) -> Written:
        created = False
        if write.part in (WritePart.NEXT, WritePart.LAST):
            entry = await self._store.append(
                write.path, content, required=write.required, want_hash=write.want_hash
            )
        else:
            entry, created = await self._store.write(
                write.path, content, required=write.required, want_hash=write.want_hash
            )
        return Written(entry, created)

    async def _checkpoint_first_version(self, path: EntryPath) -> None:
        try:
            if not await self._store.list_checkpoints(path):
                await self._store.create_checkpoint(path)
        except DomainError as error:
            # What was asked for is done and stays done.
            log.warning("no first checkpoint", path=str(path), error=str(error))
