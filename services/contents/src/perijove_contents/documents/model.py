"""What a document of a front end is, and how it is called."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from perijove_chassis.errors import InvalidArgument

MAX_BYTES = 4 * 1024 * 1024
"""Largest document, and most content in one page of a listing."""

_MAX_ID = 512


class Collection(enum.Enum):
    """Kinds of document."""

    CONFIG = "config"
    SETTINGS = "settings"
    WORKSPACES = "workspaces"


_WORD = r"[A-Za-z0-9_~+-][A-Za-z0-9_~+. -]*"
_PATTERNS = {
    Collection.CONFIG: re.compile(_WORD),
    # A package, which may have a scope, and a plug-in of it.
    Collection.SETTINGS: re.compile(rf"(@{_WORD}/)?{_WORD}:{_WORD}"),
    # Its file is named after a digest: any text will do.
    Collection.WORKSPACES: re.compile(r"[^\x00]+"),
}


@dataclass(frozen=True, slots=True)
class DocumentKey:
    """Which document is meant. No value of this type leads out of its collection."""

    collection: Collection
    id: str

    @classmethod
    def parse(cls, collection: Collection, text: str) -> DocumentKey:
        """Check an id.

        Raises:
            InvalidArgument: if it is none of this collection.
        """
        if collection is Collection.WORKSPACES:
            # JupyterLab takes both forms for the same.
            text = text.removeprefix("/")
        if len(text) > _MAX_ID or not _PATTERNS[collection].fullmatch(text):
            raise InvalidArgument(f"not the id of a document: {text[:80]!r}")
        return cls(collection, text)

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class Document:
    """A text of a front end."""

    key: DocumentKey
    content: bytes
    create_time_ns: int
    """Nanoseconds since 1970, as far as the storage knows."""
    update_time_ns: int
    """Nanoseconds since 1970."""
