"""What the rules ask of storage, and of whoever understands notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from perijove_contents.model import ANY_VERSION, Precondition

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterable,
        AsyncIterator,
        Callable,
        Hashable,
        Iterable,
        Iterator,
        Sequence,
    )

    from perijove_contents.model import (
        Bytes,
        Checkpoint,
        Entry,
        EntryPath,
        KernelPath,
        NotebookText,
        Stored,
    )
    from perijove_contents.watching import WatchUpdate

CHUNK_BYTES = 1024 * 1024
"""Most bytes in one piece of content. gRPC copies a message whole at each hop."""

BATCH_ENTRIES = 1000
"""Most entries in one piece of a listing."""


class OpenContent(Protocol):
    """One version of a file, held open: later writes do not show.

    Of a directory there is an entry and nothing else.
    """

    entry: Entry
    """The entry as of this version, with its hash if that was asked for."""
    is_text: bool
    """Whether all bytes are UTF-8; false if that was not asked for."""
    version: Hashable
    """Equal to that of another one only if all bytes are equal; None if nobody can tell."""

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield all bytes from the beginning, at most `CHUNK_BYTES` at a time."""

    async def whole(self) -> bytes:
        """Return all bytes at once."""

    async def close(self) -> None:
        """Let go of the file."""


class ContentsStore(Protocol):
    """A tree of entries with their bytes and checkpoints.

    It knows neither hidden entries nor notebooks. Unless said otherwise,
    methods raise `NotFound` if nothing is at the path, `PermissionDenied` if
    the storage does not allow it, and `ResourceExhausted` with reason
    `STORAGE_FULL` if there is no room, after which nothing has changed.
    What is `required` of a version is looked at and acted upon in one step:
    nobody else's change comes in between.
    """

    async def get(self, path: EntryPath) -> Entry:
        """Return the entry at a path.

        Raises:
            InvalidArgument: if something is there that is no file or directory.
        """

    def list(self, path: EntryPath, *, after: str = "") -> AsyncIterator[Sequence[Entry]]:
        """Yield what a directory holds in order of names, in batches of `BATCH_ENTRIES`.

        Args:
            path: The directory.
            after: Only names greater than this one.

        Raises:
            InvalidArgument: if it is no directory.
        """

    async def open(
        self, path: EntryPath, *, want_text: bool = False, want_hash: bool = False
    ) -> OpenContent:
        """Open an entry for reading.

        Args:
            path: The entry.
            want_text: Whether to find out if a file is UTF-8.
            want_hash: Whether to hash a file.

        Raises:
            InvalidArgument: if something is there that is no file or directory.
        """

    async def write(
        self,
        path: EntryPath,
        content: AsyncIterable[Bytes],
        *,
        required: Precondition = ANY_VERSION,
        want_hash: bool = False,
    ) -> tuple[Entry, bool]:
        """Create or replace a file: whole, or not at all if `content` raises.

        Args:
            path: The file. Its directory must exist.
            content: All bytes.
            required: What must be true of what is there now.
            want_hash: Whether to hash what is then stored.

        Returns:
            The entry, and whether it is new.

        Raises:
            InvalidArgument: if a directory is there.
            Aborted: if what is required is not so.
        """

    async def replace(
        self,
        path: EntryPath,
        make: Callable[[], Iterable[Bytes]],
        *,
        required: Precondition = ANY_VERSION,
        want_hash: bool = False,
    ) -> Stored:
        """Create or replace a file, as `write` does, by bytes that are yet to be made.

        Args:
            path: The file. Its directory must exist.
            make: Returns all bytes, in a row. It may block, and so may what it returns:
                both are asked where the storage is waited for, too. What they raise is
                raised, and nothing is changed.
            required: What must be true of what is there now.
            want_hash: Whether to hash what is then stored.

        Raises:
            InvalidArgument: if a directory is there.
            Aborted: if what is required is not so.
        """

    async def append(
        self,
        path: EntryPath,
        content: AsyncIterable[Bytes],
        *,
        required: Precondition = ANY_VERSION,
        want_hash: bool = False,
    ) -> Entry:
        """Add to the end of a file: all of it, or nothing if `content` raises.

        Raises:
            InvalidArgument: if it is no file.
            Aborted: if what is required is not so, or the file is replaced meanwhile.
        """

    async def make_directory(
        self, path: EntryPath, *, required: Precondition = ANY_VERSION
    ) -> Entry:
        """Create a directory; one that exists is left as it is.

        Raises:
            Aborted: if what is required is not so.
            InvalidArgument: if a file is there.
        """

    async def create_free(
        self, directory: EntryPath, names: Iterator[str], data: bytes | None
    ) -> Entry:
        """Create a file with `data`, or a directory if it is None, under the first free name.

        Raises:
            AlreadyExists: if no name is free.
        """

    async def copy_free(
        self, path: EntryPath, directory: EntryPath, names: Iterator[str], *, max_bytes: int
    ) -> Entry:
        """Copy an entry into a directory under the first free name.

        Raises:
            AlreadyExists: if no name is free.
            InvalidArgument: if a directory would be copied into itself.
            ResourceExhausted: if a directory holds more than `max_bytes`.
        """

    async def rename(
        self, path: EntryPath, new_path: EntryPath, *, required: Precondition = ANY_VERSION
    ) -> None:
        """Move an entry and its checkpoints.

        Raises:
            Aborted: if what is required is not so.
            AlreadyExists: if something is at the new path; nothing changes.
        """

    async def delete(
        self, path: EntryPath, *, even_full: bool, required: Precondition = ANY_VERSION
    ) -> None:
        """Delete an entry and its checkpoints, for good.

        Raises:
            Aborted: if what is required is not so.
            FailedPrecondition: if a directory still holds something, unless `even_full`.
        """

    async def trash(self, path: EntryPath, *, required: Precondition = ANY_VERSION) -> None:
        """Move an entry to where people can get it back; delete its checkpoints.

        Raises:
            Aborted: if what is required is not so.
            FailedPrecondition: if there is no such place.
        """

    async def create_checkpoint(self, path: EntryPath) -> Checkpoint:
        """Keep the present content of a file.

        Raises:
            InvalidArgument: if it is no file.
        """

    async def list_checkpoints(self, path: EntryPath) -> Sequence[Checkpoint]:
        """Return the checkpoints of a path, oldest first; none if nothing is there."""

    async def restore_checkpoint(
        self, path: EntryPath, checkpoint_id: str, *, required: Precondition = ANY_VERSION
    ) -> None:
        """Replace the content of a file by that of a checkpoint.

        Raises:
            Aborted: if what is required is not so.
            NotFound: if there is no such file or checkpoint.
        """

    async def delete_checkpoint(self, path: EntryPath, checkpoint_id: str) -> None:
        """Delete a checkpoint.

        Raises:
            NotFound: if there is no such checkpoint.
        """

    async def kernel_path(self, path: EntryPath) -> KernelPath:
        """Return where a kernel for a document at `path` runs; nothing need be there."""


class EntryWatch(Protocol):
    """Tells what changes in a tree, whoever changes it."""

    def watch(self, path: EntryPath, after: str) -> AsyncIterator[WatchUpdate]:
        """Tell what changes at or below a path, to the end.

        Entries that no listing shows are left out. The first update comes at
        once: what changes after it is told.

        Args:
            path: The entry.
            after: Position of an earlier update, to go on from there if that is
                possible; empty to begin.

        Raises:
            ResourceExhausted: if too many watch already, or the tree is too large.
            Unavailable: if this process is about to end.
        """


class NotebookCodec(Protocol):
    """Understands notebooks. Large ones take long: never on the event loop."""

    async def recall(self, version: Hashable) -> NotebookText | None:
        """Return what `read` made of this version of a file, if that is known and holds."""

    async def read(self, path: EntryPath, data: bytes, version: Hashable = None) -> NotebookText:
        """Turn stored bytes into the JSON text of a notebook in nbformat 4.

        Args:
            path: What to call the notebook.
            data: The bytes.
            version: Of the file, to recall the text by; None if it is not to be.

        Raises:
            InvalidArgument: if they are no readable notebook.
        """

    async def write(self, path: EntryPath, data: bytes, *, in_model: bool = False) -> NotebookText:
        """Turn the JSON text of a notebook into the bytes to store.

        Args:
            path: What to call the notebook.
            data: The text.
            in_model: Whether it is that of a contents model that holds the notebook.

        Raises:
            InvalidArgument: if it is no notebook at all. An invalid one is taken.
        """

    async def prepare(
        self, path: EntryPath, pieces: AsyncIterable[Bytes], *, in_model: bool = False
    ) -> Callable[[], NotebookText]:
        """Do of `write` what should not be done where the storage is waited for.

        Args:
            path: What to call the notebook.
            pieces: The text, as it comes. What they raise is raised.
            in_model: Whether it is that of a contents model that holds the notebook.

        Returns:
            What does the rest when it is first called, and blocks meanwhile; it
            raises `InvalidArgument` as `write` does, and may do so already here, or
            when the parts of the text are gone through.
        """

    async def settle(self, text: NotebookText) -> None:
        """Return when all that `write` began is done; the bytes may be stored meanwhile."""

    async def trust(self, path: EntryPath, data: bytes) -> None:
        """Remember that stored bytes are a notebook whose outputs may be shown.

        Raises:
            InvalidArgument: if they are no readable notebook.
            Unavailable: if it cannot be remembered.
        """
