"""The document tree on a filesystem."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from perijove_contents.backends.appending import Appending
from perijove_contents.backends.atomic import AtomicFile
from perijove_contents.backends.border import os_errors_as_domain
from perijove_contents.backends.copying import copy_free
from perijove_contents.backends.listing import Listing
from perijove_contents.backends.opened import OpenFile
from perijove_contents.backends.tree import entry_of
from perijove_contents.model import ANY_VERSION, Precondition, Stored

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence

    from perijove_contents.backends.threads import Threads
    from perijove_contents.backends.tree import Tree
    from perijove_contents.model import Bytes, Checkpoint, Entry, EntryPath, KernelPath
    from perijove_contents.store import OpenContent


class FilesystemStore:
    """Keeps entries as files and directories; several processes may share them.

    All work is done in threads: a filesystem may be slow, or far away.
    """

    def __init__(self, tree: Tree, threads: Threads, move_to_trash: Callable[[str], None]) -> None:
        self._tree = tree
        self._threads = threads
        self._move_to_trash = move_to_trash

    async def get(self, path: EntryPath) -> Entry:
        """Return the entry at a path."""
        with os_errors_as_domain(path):
            return await self._threads.run(self._tree.get, path)

    async def list(self, path: EntryPath, *, after: str = "") -> AsyncIterator[Sequence[Entry]]:
        """Yield what a directory holds."""
        with os_errors_as_domain(path):
            # The first batch comes with the names: most directories need no second call.
            listing, batch = await self._threads.run(self._begin_list, path, after)
        try:
            yield batch
            while not listing.is_done:
                with os_errors_as_domain(path):
                    batch = await self._threads.run(listing.next)
                yield batch
        finally:
            listing.close()

    async def open(
        self, path: EntryPath, *, want_text: bool = False, want_hash: bool = False
    ) -> OpenContent:
        """Open a file for reading."""
        file = OpenFile(self._threads, path)
        try:
            with os_errors_as_domain(path):
                await self._threads.run(
                    file.look, self._tree, want_text=want_text, want_hash=want_hash
                )
        except BaseException:
            await file.close()
            raise
        return file

    async def write(
        self,
        path: EntryPath,
        content: AsyncIterable[Bytes],
        *,
        required: Precondition = ANY_VERSION,
        want_hash: bool = False,
    ) -> tuple[Entry, bool]:
        """Create or replace a file."""
        tree = self._tree
        find = partial(tree.root.find, path)
        file = AtomicFile(find, tree.file_mode, want_hash=want_hash)
        try:
            # The last piece waits for the end: what comes in one is one call to a thread.
            last: Bytes = b""
            async for data in content:
                if last:
                    with os_errors_as_domain(path):
                        await self._threads.run(file.write, last)
                last = data
            with os_errors_as_domain(path):
                return await self._threads.run(self._replace, path, file, (last,), required)
        except BaseException:
            await self._threads.run(file.close)
            raise

    async def replace(
        self,
        path: EntryPath,
        make: Callable[[], Iterable[Bytes]],
        *,
        required: Precondition = ANY_VERSION,
        want_hash: bool = False,
    ) -> Stored:
        """Create or replace a file by bytes that are yet to be made, in one call to a thread."""
        return await self._threads.run(self._make, path, make, required, want_hash=want_hash)

    async def append(
        self,
        path: EntryPath,
        content: AsyncIterable[Bytes],
        *,
        required: Precondition = ANY_VERSION,
        want_hash: bool = False,
    ) -> Entry:
        """Add to the end of a file."""
        file = Appending(partial(self._tree.root.find, path), required)
        try:
            async for data in content:
                with os_errors_as_domain(path):
                    await self._threads.run(file.write, data)
            with os_errors_as_domain(path):
                status, digest = await self._threads.run(file.finish, want_hash=want_hash)
        except BaseException:
            await self._threads.run(file.close)
            raise
        return replace(entry_of(path, status, writable=True), hash=digest)

    async def make_directory(
        self, path: EntryPath, *, required: Precondition = ANY_VERSION
    ) -> Entry:
        """Create a directory."""
        with os_errors_as_domain(path):
            return await self._threads.run(self._tree.make_directory, path, required)

    async def create_free(
        self, directory: EntryPath, names: Iterator[str], data: bytes | None
    ) -> Entry:
        """Create an entry under the first free name."""
        with os_errors_as_domain(directory):
            return await self._threads.run(self._tree.create_free, directory, names, data)

    async def copy_free(
        self, path: EntryPath, directory: EntryPath, names: Iterator[str], *, max_bytes: int
    ) -> Entry:
        """Copy an entry under the first free name."""
        with os_errors_as_domain(path):
            return await self._threads.run(copy_free, self._tree, path, directory, names, max_bytes)

    async def rename(
        self, path: EntryPath, new_path: EntryPath, *, required: Precondition = ANY_VERSION
    ) -> None:
        """Move an entry."""
        with os_errors_as_domain(path):
            await self._threads.run(self._tree.rename, path, new_path, required)

    async def delete(
        self, path: EntryPath, *, even_full: bool, required: Precondition = ANY_VERSION
    ) -> None:
        """Delete an entry."""
        with os_errors_as_domain(path):
            await self._threads.run(self._tree.delete, path, required, even_full=even_full)

    async def trash(self, path: EntryPath, *, required: Precondition = ANY_VERSION) -> None:
        """Move an entry to the trash."""
        with os_errors_as_domain(path):
            await self._threads.run(self._tree.trash, path, self._move_to_trash, required)

    async def create_checkpoint(self, path: EntryPath) -> Checkpoint:
        """Keep the present content of a file."""
        with os_errors_as_domain(path):
            return await self._threads.run(self._tree.checkpoints.create, path)

    async def list_checkpoints(self, path: EntryPath) -> Sequence[Checkpoint]:
        """Return the checkpoints of a path."""
        return await self._threads.run(self._tree.checkpoints.list, path)

    async def restore_checkpoint(
        self, path: EntryPath, checkpoint_id: str, *, required: Precondition = ANY_VERSION
    ) -> None:
        """Replace the content of a file by that of a checkpoint."""
        with os_errors_as_domain(path):
            restore = self._tree.checkpoints.restore
            await self._threads.run(restore, path, checkpoint_id, required)

    async def delete_checkpoint(self, path: EntryPath, checkpoint_id: str) -> None:
        """Delete a checkpoint."""
        with os_errors_as_domain(path):
            await self._threads.run(self._tree.checkpoints.delete, path, checkpoint_id)

    async def kernel_path(self, path: EntryPath) -> KernelPath:
        """Return where a kernel for a document runs."""
        return await self._threads.run(self._tree.kernel_path, path)

    def _begin_list(self, path: EntryPath, after: str) -> tuple[Listing, Sequence[Entry]]:
        listing = Listing(self._tree, path, after)
        try:
            return listing, listing.next()
        except BaseException:
            listing.close()
            raise

    def _make(
        self,
        path: EntryPath,
        make: Callable[[], Iterable[Bytes]],
        required: Precondition,
        *,
        want_hash: bool,
    ) -> Stored:
        row = make()
        tree = self._tree
        file = AtomicFile(
            partial(tree.root.find, path),
            tree.file_mode,
            want_hash=want_hash,
            let_go=lambda fd: self._threads.begin(os.close, fd),
        )
        with os_errors_as_domain(path):
            try:
                entry, created = self._replace(path, file, row, required)
            finally:
                file.close()
        return Stored(entry, created, has_checkpoint=bool(tree.checkpoints.kept(path)))

    def _replace(
        self, path: EntryPath, file: AtomicFile, row: Iterable[Bytes], required: Precondition
    ) -> tuple[Entry, bool]:
        file.write_row(row)
        status, created = file.replace(required)
        # It is this process's file now, or this process is the superuser's.
        writable = os.geteuid() == 0 or bool(status.st_mode & stat.S_IWUSR)
        return replace(entry_of(path, status, writable=writable), hash=file.digest), created
