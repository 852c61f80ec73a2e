"""What `GET api/contents` asks for in its query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from perijove.contents.v1 import contents_pb2 as pb

from perijove_gateway_http.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

ENTRY_TYPES = {
    "directory": pb.ENTRY_TYPE_DIRECTORY,
    "file": pb.ENTRY_TYPE_FILE,
    "notebook": pb.ENTRY_TYPE_NOTEBOOK,
}
FORMATS = {"text": pb.CONTENT_FORMAT_TEXT, "base64": pb.CONTENT_FORMAT_BINARY}


class ContentsQuery(msgspec.Struct, frozen=True):
    """What of an entry is asked for, and as what."""

    type: pb.EntryType
    format: pb.ContentFormat
    content: bool
    hash: bool

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> ContentsQuery:
        """Read a query; what it does not say has a default.

        Raises:
            Problem: 400 if a value is none that it may have.
        """
        # Of a repeated argument the last one counts, unlike in `dict(query)`; spaces around do not.
        given = {name: value.strip() for name, value in query.items()}
        kind, fmt = given.get("type"), given.get("format")
        if fmt is not None and fmt not in FORMATS:
            raise Problem(400, f"Format {fmt!r} is invalid")
        content, with_hash = given.get("content", "1"), given.get("hash", "0")
        if content not in ("0", "1"):
            raise Problem(400, f"Content {content!r} is invalid")
        if with_hash not in ("0", "1"):
            raise Problem(400, f"Hash argument {with_hash!r} is invalid. It must be '0' or '1'.")
        wanted = pb.ENTRY_TYPE_UNSPECIFIED
        if kind is not None:
            wanted = ENTRY_TYPES.get(kind, pb.ENTRY_TYPE_FILE)
        return cls(
            wanted,
            pb.CONTENT_FORMAT_UNSPECIFIED if fmt is None else FORMATS[fmt],
            content == "1",
            with_hash == "1",
        )
