"""What a conversion is asked for, and what it makes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from perijove_chassis.errors import InvalidArgument

from perijove_contents.model import MAX_NAME_BYTES

DEFAULT_NAME = "notebook"
"""What a notebook is called that has no name."""

_EXPORTER = re.compile(r"\w{1,100}")
_MIME_TYPE = re.compile(r"[A-Za-z0-9][\w.+-]*/[A-Za-z0-9][\w.+-]*", re.ASCII)
_EXTENSION = re.compile(r"(\.[A-Za-z0-9_+-]{1,20}){1,3}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f/\\]")
_PLAIN_TYPE, _PLAIN_EXTENSION = "text/plain", ".txt"
_LONGEST_EXTENSION = 63


@dataclass(frozen=True, slots=True)
class Exporter:
    """A format that notebooks can be converted to."""

    name: str
    mime_type: str
    """Of what it makes; empty if that depends on the notebook."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done with a notebook."""

    exporter: str
    stem: str
    """Name of the notebook without its ending."""
    update_time_ns: int | None = None
    """When it last changed, in nanoseconds since 1970; None if nobody knows."""
    sanitize_html: bool = False
    """Whether scripts are taken out, if the exporter can."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a conversion made, without its bytes."""

    mime_type: str
    """Without parameters."""
    file_name: str
    is_archive: bool
    size_bytes: int

    @classmethod
    def of(
        cls, stem: str, *, mime_type: str, extension: str, is_archive: bool, size_bytes: int
    ) -> Output:
        """Take what an exporter says, as far as it can be: notebooks have a say in it."""
        return cls(
            mime_type if _MIME_TYPE.fullmatch(mime_type) else _PLAIN_TYPE,
            stem + (extension if _EXTENSION.fullmatch(extension) else _PLAIN_EXTENSION),
            is_archive,
            size_bytes,
        )


def exporter_name(text: str) -> str:
    """Check the name of an exporter.

    Raises:
        InvalidArgument: if it is none.
    """
    if not _EXPORTER.fullmatch(text):
        raise InvalidArgument(f"not the name of an exporter: {text[:80]!r}")
    return text


def stem_of(name: str) -> str:
    """Return a name without its ending, fit to be that of a file."""
    cleaned = _CONTROL.sub("_", name)
    stem, _, _ = cleaned.rpartition(".")
    shortest = (stem or cleaned).encode(errors="replace")[: MAX_NAME_BYTES - _LONGEST_EXTENSION]
    return shortest.decode(errors="ignore").strip(". ") or DEFAULT_NAME
