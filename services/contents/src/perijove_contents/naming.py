"""Which names the service chooses: for untitled entries and for copies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perijove_contents.model import NOTEBOOK_SUFFIX, EntryType

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TRIES = 10_000
"""How many names are tried before giving up."""

_COPY = re.compile(r"-Copy\d*$")


@dataclass(frozen=True, slots=True)
class Untitled:
    """What entries are called that nobody has named."""

    notebook: str = "Untitled"
    file: str = "untitled"
    directory: str = "Untitled Folder"

    def names(self, kind: EntryType, extension: str) -> Iterator[str]:
        """Yield names for a new entry, best first: `untitled.txt`, `untitled1.txt`, ..."""
        match kind:
            case EntryType.DIRECTORY:
                stem, suffix = _split(f"{self.directory}{extension}")
                return _numbered(stem, " ", suffix)
            case EntryType.NOTEBOOK:
                return _numbered(self.notebook, "", NOTEBOOK_SUFFIX)
            case EntryType.FILE:
                stem, suffix = _split(f"{self.file}{extension}")
                return _numbered(stem, "", suffix)


AS_JUPYTER = Untitled()


def copy_names(name: str) -> Iterator[str]:
    """Yield names for a copy, best first: `a.txt`, `a-Copy1.txt`, ...

    The copy of a copy counts on: that of `a-Copy2.txt` is the next free one.
    """
    stem, suffix = _split(name)
    return _numbered(_COPY.sub("", stem) or stem, "-Copy", suffix)


def _split(name: str) -> tuple[str, str]:
    # The number goes before all suffixes (`archive-Copy1.tar.gz`), but a dot
    # in the name of a notebook is seldom meant as one.
    if name.endswith(NOTEBOOK_SUFFIX):
        return name.removesuffix(NOTEBOOK_SUFFIX), NOTEBOOK_SUFFIX
    stem, dot, suffix = name.partition(".")
    return stem, dot + suffix


def _numbered(stem: str, mark: str, suffix: str) -> Iterator[str]:
    yield stem + suffix
    for number in range(1, MAX_TRIES):
        yield f"{stem}{mark}{number}{suffix}"
