"""The rules for content: which format fits which type, and what a write may carry."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perijove_chassis.errors import InvalidArgument, ResourceExhausted

from perijove_contents.model import (
    ANY_VERSION,
    ContentFormat,
    Entry,
    EntryPath,
    EntryType,
    Precondition,
    WritePart,
    type_of_name,
)
from perijove_contents.store import CHUNK_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Sequence

    from perijove_contents.model import Bytes


@dataclass(frozen=True, slots=True)
class Content:
    """What is read: the entry, and its bytes or entries, in one version."""

    entry: Entry
    format: ContentFormat
    validation_message: str = ""
    size_bytes: int | None = None
    """How many bytes the chunks are together; None for a directory."""
    chunks: AsyncIterator[Bytes] | None = None
    """At most `CHUNK_BYTES` each; None for a directory."""
    batches: AsyncIterator[Sequence[Entry]] | None = None
    """What a directory holds; None for anything else."""


@dataclass(frozen=True, slots=True)
class Write:
    """What is to be written where."""

    path: EntryPath
    type: EntryType
    format: ContentFormat
    part: WritePart
    required: Precondition = ANY_VERSION
    want_hash: bool = False
    """Whether to hash what is then stored."""

    @classmethod
    def plan(
        cls,
        path: EntryPath,
        *,
        type: EntryType | None,  # noqa: A002 - the word of the contract
        format: ContentFormat | None,  # noqa: A002
        part: WritePart,
        required: Precondition = ANY_VERSION,
        want_hash: bool = False,
    ) -> Write:
        """Fill in what was not said, and refuse what does not fit together.

        Raises:
            InvalidArgument: if the format is not one of the type, only a part of
                something other than a file is written, or what is required
                cannot be.
        """
        kind = type or type_of_name(path.name)
        default, *others = _FORMATS[kind]
        if part is not WritePart.WHOLE and kind is not EntryType.FILE:
            raise InvalidArgument("only files are written in parts", reason="BAD_TYPE")
        if format not in (None, default, *others):
            raise InvalidArgument(
                f"a {kind.value} is not written in this format", reason="BAD_FORMAT"
            )
        if required.exists is False and (required.hash or part in (WritePart.NEXT, WritePart.LAST)):
            raise InvalidArgument("what must not exist has no content to know or to add to")
        if kind is EntryType.DIRECTORY and (required.hash or want_hash):
            raise InvalidArgument(f"{path} is a directory: it has no hash", reason="BAD_TYPE")
        return cls(path, kind, format or default, part, required, want_hash)


_FORMATS = {
    EntryType.FILE: (ContentFormat.BINARY, ContentFormat.TEXT),
    EntryType.NOTEBOOK: (ContentFormat.NOTEBOOK, ContentFormat.MODEL),
    EntryType.DIRECTORY: (ContentFormat.ENTRIES,),
}
"""What each type is written as; the first one if it is not said."""


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a write."""

    entry: Entry
    created: bool
    """Whether no file or notebook was at the path before."""
    validation_message: str = ""


def described_as(entry: Entry, wanted: EntryType | None) -> EntryType:
    """Return the type to describe an entry as, where `wanted` was asked for.

    Raises:
        InvalidArgument: if a directory is asked for and it is none, or the reverse.
    """
    if wanted is None:
        return entry.type
    is_directory = entry.type is EntryType.DIRECTORY
    if is_directory and wanted is not EntryType.DIRECTORY:
        raise InvalidArgument(
            f"{entry.path} is a directory, not a {wanted.value}", reason="BAD_TYPE"
        )
    if not is_directory and wanted is EntryType.DIRECTORY:
        raise InvalidArgument(f"{entry.path} is not a directory", reason="BAD_TYPE")
    return wanted


def file_format(path: EntryPath, wanted: ContentFormat | None, *, is_text: bool) -> ContentFormat:
    """Return the format in which a file is read.

    Raises:
        InvalidArgument: if it cannot be read in the format that was asked for.
    """
    if wanted is None:
        return ContentFormat.TEXT if is_text else ContentFormat.BINARY
    if wanted not in (ContentFormat.TEXT, ContentFormat.BINARY):
        raise InvalidArgument(f"{path} is a file, not a {wanted.value}", reason="BAD_FORMAT")
    if wanted is ContentFormat.TEXT and not is_text:
        raise InvalidArgument(f"{path} is not UTF-8 encoded", reason="BAD_FORMAT")
    return wanted


async def within(content: AsyncIterable[Bytes], max_bytes: int) -> AsyncIterator[Bytes]:
    """Pass content on up to a limit.

    Raises:
        ResourceExhausted: if there is more, or a piece is larger than any may be.
    """
    total = 0
    async for chunk in content:
        total += len(chunk)
        if total > max_bytes:
            raise ResourceExhausted(
                f"the content is larger than {max_bytes} bytes", reason="LIMIT_EXCEEDED"
            )
        if len(chunk) > CHUNK_BYTES:
            raise ResourceExhausted(
                f"a chunk is larger than {CHUNK_BYTES} bytes", reason="LIMIT_EXCEEDED"
            )
        yield chunk


async def as_text(path: EntryPath, content: AsyncIterable[Bytes]) -> AsyncIterator[Bytes]:
    """Pass content on as long as it is UTF-8.

    Raises:
        InvalidArgument: if it is not.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        async for chunk in content:
            decoder.decode(chunk)
            yield chunk
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise InvalidArgument(
            f"the content for {path} is not UTF-8 encoded", reason="BAD_FORMAT"
        ) from None


async def pieces(data: bytes) -> AsyncIterator[memoryview]:
    """Cut bytes into pieces of at most `CHUNK_BYTES`."""
    view = memoryview(data)
    for start in range(0, len(data), CHUNK_BYTES):
        yield view[start : start + CHUNK_BYTES]


async def whole(data: bytes) -> AsyncIterator[Bytes]:
    """Pass bytes on as one piece, as they came."""
    if data:
        yield data


async def joined(content: AsyncIterable[Bytes]) -> bytes:
    """Return content as one."""
    return b"".join([chunk async for chunk in content])
