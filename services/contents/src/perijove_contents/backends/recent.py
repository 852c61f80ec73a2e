"""Notebooks as they were last served, so that the same bytes are understood once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from perijove_contents.model import NotebookText


@dataclass(frozen=True, slots=True)
class _Kept:
    text: NotebookText
    as_of: object


class RecentNotebooks:
    """Keeps texts by the version of the file they were made of, up to a number of bytes.

    Whether a notebook is trusted does not depend on its file alone: a text is only
    good as of the same signatures.
    """

    def __init__(self, max_bytes: int) -> None:
        """Make an empty one.

        Args:
            max_bytes: What all texts together may take. The one that was not asked
                for the longest goes first, and one that is larger is not kept.
        """
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    def get(self, version: Hashable, as_of: object) -> NotebookText | None:
        """Return the text of a version, if it was kept as of these signatures."""
        kept = self._kept.get(version)
        if kept is None:
            return None
        if kept.as_of != as_of:
            self._drop(version)
            return None
        self._kept.move_to_end(version)
        return kept.text

    def put(self, version: Hashable, as_of: object, text: NotebookText) -> None:
        """Keep a text."""
        self._drop(version)
        if len(text.data) > self._max_bytes:
            return
        self._kept[version] = _Kept(text, as_of)
        self._bytes += len(text.data)
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, version: Hashable) -> None:
        kept = self._kept.pop(version, None)
        if kept:
            self._bytes -= len(kept.text.data)
