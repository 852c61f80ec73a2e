"""What the document tree is made of: paths, entries, content, checkpoints."""

from __future__ import annotations

import enum
import functools
import mimetypes
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from perijove_chassis.errors import Aborted, InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Bytes: TypeAlias = bytes | memoryview
"""A run of bytes that nobody changes."""

MAX_NAME_BYTES = 255
"""Longest name of one entry, in bytes of UTF-8: what filesystems hold."""

MAX_PATH_BYTES = 4096
"""Longest path, in bytes of UTF-8."""

NOTEBOOK_SUFFIX = ".ipynb"

HASH_ALGORITHM = "sha256"
"""How content is hashed, by its name in `hashlib`."""

CHECKPOINT_ID = "checkpoint"
"""Id of the one checkpoint that an entry has."""


@dataclass(frozen=True, slots=True)
class EntryPath:
    """A place under the root. No value of this type points outside it."""

    parts: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> EntryPath:
        """Parse an API path such as `notes/lorenz.ipynb`; the root is the empty string.

        Raises:
            InvalidArgument: if it is malformed, too long, or leaves the root.
        """
        if len(text.encode(errors="surrogatepass")) > MAX_PATH_BYTES:
            raise InvalidArgument("the path is too long", reason="BAD_PATH")
        return cls(tuple(_checked(part, text) for part in text.split("/") if part))

    def child(self, name: str) -> EntryPath:
        """Return the place of an entry directly inside this one.

        Raises:
            InvalidArgument: if the name is not one.
        """
        if not name or "/" in name:
            raise InvalidArgument(f"not a name: {name[:80]!r}", reason="BAD_PATH")
        return EntryPath((*self.parts, _checked(name, name)))

    @property
    def name(self) -> str:
        """The last segment; empty for the root."""
        return self.parts[-1] if self.parts else ""

    @property
    def parent(self) -> EntryPath:
        """The directory that holds the entry; the root is its own."""
        return EntryPath(self.parts[:-1])

    @property
    def is_root(self) -> bool:
        """Whether this is the root itself."""
        return not self.parts

    @property
    def is_hidden(self) -> bool:
        """Whether any segment begins with a dot."""
        return any(part.startswith(".") for part in self.parts)

    def holds(self, other: EntryPath) -> bool:
        """Return whether `other` is this place or lies below it."""
        return other.parts[: len(self.parts)] == self.parts

    def __str__(self) -> str:
        return "/".join(self.parts)


class EntryType(enum.Enum):
    """Kinds of entry."""

    FILE = "file"
    NOTEBOOK = "notebook"
    DIRECTORY = "directory"


class ContentFormat(enum.Enum):
    """What the bytes of a content are."""

    TEXT = "text"
    BINARY = "binary"
    NOTEBOOK = "notebook"
    ENTRIES = "entries"
    MODEL = "model"


class WritePart(enum.Enum):
    """Which part of a content is written."""

    WHOLE = "whole"
    FIRST = "first"
    NEXT = "next"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Entry:
    """A notebook, file or directory, without its content."""

    path: EntryPath
    type: EntryType
    size_bytes: int | None
    """None for a directory."""
    writable: bool
    create_time_ns: int
    """Nanoseconds since 1970, as far as the storage knows."""
    update_time_ns: int
    """Nanoseconds since 1970."""
    hash: str = ""
    """Hexadecimal digest of the stored bytes; empty if it was not asked for."""

    @property
    def mime_type(self) -> str:
        """MIME type guessed from a file's name, or empty."""
        return guess_mime_type(self.path.name) if self.type is EntryType.FILE else ""


@dataclass(frozen=True, slots=True)
class Precondition:
    """What must be true of the present version of an entry for it to be changed."""

    hash: str = ""
    """The hash that the stored bytes must have; anything goes if it is empty."""
    exists: bool | None = None
    """Whether there must be an entry, or must be none; None if either goes."""

    @classmethod
    def of_hash(cls, known: str) -> Precondition:
        """Require the version with a hash; any version, or none, if it is empty."""
        return cls(known, True) if known else ANY_VERSION

    def check_presence(self, *, is_there: bool) -> None:
        """Refuse an entry that must not be there, or the reverse.

        Raises:
            Aborted: if it is so.
        """
        if self.exists is False and is_there:
            raise Aborted("there is an entry already", reason="VERSION_MISMATCH")
        if self.exists and not is_there:
            raise Aborted("there is no entry any more", reason="VERSION_MISMATCH")

    def check_hash(self, present: str) -> None:
        """Refuse a version with another hash than the one required.

        Raises:
            Aborted: if it has.
        """
        if self.hash and self.hash != present:
            raise Aborted("the content is no longer the one known", reason="VERSION_MISMATCH")


ANY_VERSION = Precondition()
"""Nothing is required: whoever writes last wins, whole."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A saved earlier version of a file or notebook."""

    id: str
    update_time_ns: int
    """When the content it holds was last changed."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What came of a replacement."""

    entry: Entry
    created: bool
    """Whether no file was there before."""
    has_checkpoint: bool
    """Whether there is a checkpoint of it, as of then."""


@dataclass(frozen=True, slots=True)
class KernelPath:
    """Where a kernel for a document runs, on the storage."""

    working_directory: str
    document_location: str
    home_directory: str = ""
    """Where the user's home is; empty if there is none."""


@dataclass(frozen=True, slots=True)
class NotebookText:
    """A notebook as bytes, and what is wrong with it."""

    parts: Iterable[Bytes]
    """All bytes, in a row. Some may be made when they are asked for, each time anew."""
    validation_message: str
    """For people to read; empty if the notebook is valid."""
    settle: Callable[[], None] | None = field(default=None, compare=False)
    """Waits until what is known of the notebook besides its bytes is stored, too."""

    @property
    def data(self) -> bytes:
        """All bytes as one."""
        return b"".join(self.parts)


def is_name(text: str) -> bool:
    """Return whether an entry may be called so."""
    try:
        return EntryPath(()).child(text).name == text
    except InvalidArgument:
        return False


def type_of_name(name: str) -> EntryType:
    """Return the type that a name gives to something that is no directory."""
    return EntryType.NOTEBOOK if name.endswith(NOTEBOOK_SUFFIX) else EntryType.FILE


def guess_mime_type(name: str) -> str:
    """Return the MIME type that a name suggests, or an empty string."""
    # Only the last two suffixes count (`.tar.gz`), so that few guesses serve many names.
    suffixes = name.lstrip(".").split(".")[1:]
    return _guess(".".join(["name", *suffixes[-2:]]))


@functools.lru_cache(maxsize=1024)
def _guess(name: str) -> str:
    return mimetypes.guess_type(f"/{name}")[0] or ""


def _checked(part: str, text: str) -> str:
    if part == "..":
        raise InvalidArgument(
            f"{text[:80]!r} is outside root contents directory", reason="BAD_PATH"
        )
    if part == "." or "\0" in part or not is_unicode(part):
        raise InvalidArgument(f"{text[:80]!r} is not a valid path", reason="BAD_PATH")
    if len(part) > MAX_NAME_BYTES or len(part.encode()) > MAX_NAME_BYTES:
        raise InvalidArgument(f"the name is too long: {part[:80]!r}...", reason="BAD_PATH")
    return part


def is_unicode(text: str) -> bool:
    """Return whether a text can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
