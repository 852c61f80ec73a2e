"""Which entries people see."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

from perijove_chassis.errors import InvalidArgument, NotFound

from perijove_contents.model import is_unicode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perijove_contents.model import EntryPath

UNLISTED = ("__pycache__", "*.pyc", "*.pyo", ".DS_Store", "*~")
"""What Python, editors and desktops leave behind."""

_MAGIC = frozenset("*?[")


class Visibility:
    """Tells what is hidden, and so is not there, from what listings leave out.

    Who reads is told of a hidden entry that it is absent, so that probing reveals
    nothing; who changes is refused.
    """

    def __init__(self, *, shows_hidden: bool = False, unlisted: Iterable[str] = UNLISTED) -> None:
        """Take what people may differ in.

        Args:
            shows_hidden: Whether names that begin with a dot are like any other.
            unlisted: Patterns, as of a shell, of names that listings leave out
                though their entries can be reached.
        """
        patterns = set(unlisted)
        self._shows_hidden = shows_hidden
        # A listing asks of each name: what most patterns are needs no regular expression.
        self._names = {one for one in patterns if not _MAGIC & set(one)}
        ends = {one for one in patterns if one.startswith("*") and not _MAGIC & set(one[1:])}
        self._ends = tuple(one[1:] for one in ends)
        rest = patterns - self._names - ends
        self._rest = re.compile("|".join(map(fnmatch.translate, rest))) if rest else None

    def hides(self, path: EntryPath) -> bool:
        """Return whether an entry at a path would not be there for anybody."""
        return path.is_hidden and not self._shows_hidden

    def lists(self, name: str) -> bool:
        """Return whether an entry of this name is shown in listings.

        A name that is no UTF-8 is not: it cannot travel.
        """
        if name.startswith(".") and not self._shows_hidden:
            return False
        if not name.isascii() and not is_unicode(name):
            return False
        if name in self._names or name.endswith(self._ends):
            return False
        return self._rest is None or self._rest.match(name) is None

    def require(self, path: EntryPath) -> None:
        """Let nobody read what is hidden.

        Raises:
            NotFound: if the entry is.
        """
        if self.hides(path):
            raise NotFound(f"File or directory does not exist: {path}", reason="NO_SUCH_ENTRY")

    def require_changeable(self, verb: str, *paths: EntryPath) -> None:
        """Let nobody change what is hidden.

        Raises:
            InvalidArgument: if one of the entries is.
        """
        for path in paths:
            if self.hides(path):
                raise InvalidArgument(
                    f"Cannot {verb} file or directory '/{path}': it is hidden", reason="BAD_PATH"
                )


USUAL = Visibility()
"""What Jupyter shows."""
