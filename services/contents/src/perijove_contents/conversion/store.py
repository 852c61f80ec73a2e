"""What the rules for conversions ask: of the tree, and of whoever converts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from perijove_contents.content import Content
    from perijove_contents.conversion.model import Exporter, Output, Task
    from perijove_contents.model import Bytes, ContentFormat, Entry, EntryPath, EntryType


class Notebooks(Protocol):
    """Where notebooks are read; see `ContentsManager`."""

    async def look(self, path: EntryPath, kind: EntryType | None, *, with_hash: bool) -> Entry:
        """Return an entry."""

    def read(
        self,
        path: EntryPath,
        kind: EntryType | None,
        wanted: ContentFormat | None,
        *,
        with_hash: bool,
    ) -> AbstractAsyncContextManager[Content]:
        """Open an entry for reading, in one version, until the block ends."""


class Converted(Protocol):
    """What a conversion made, until the block around it ends."""

    output: Output

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield all bytes, at most `CHUNK_BYTES` at a time."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...


class Converter(Protocol):
    """Converts notebooks, a few at a time."""

    async def exporters(self) -> Sequence[Exporter]:
        """Return the exporters that are installed, in order of their names.

        Raises:
            ResourceExhausted: if too many wait for their turn.
            Unavailable: if nothing can be converted now.
        """

    async def convert(self, task: Task, notebook: AsyncIterable[Bytes]) -> Converted:
        """Convert the JSON text of a notebook with an exporter that is installed.

        To cancel this ends the conversion.

        Raises:
            InvalidArgument: with reason `UNREADABLE_NOTEBOOK` if the text is no notebook.
            FailedPrecondition: with reason `CONVERSION_FAILED` if the exporter fails.
            DeadlineExceeded: with reason `CONVERSION_TOO_SLOW` if it takes too long.
            ResourceExhausted: with reason `LIMIT_EXCEEDED` if it takes too much
                memory, or the output is too large; with none if too many wait.
            Unavailable: if nothing can be converted now.
        """
