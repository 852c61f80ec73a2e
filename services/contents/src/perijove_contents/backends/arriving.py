"""The JSON text of a notebook on its way in: large texts are taken out of it meanwhile."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from perijove_contents.backends.leaves import Leaves

if TYPE_CHECKING:
    from perijove_contents.model import Bytes

LARGE_BYTES = 16 * 1024
"""Shortest text that is taken out."""

_AT_ONCE_BYTES = 256 * 1024
"""How much is waited for before it is looked at."""

_BYTES_PER_QUOTE = 128
"""Where quotes are more frequent than this, to look for them takes longer than it saves."""

_FEW_QUOTES = 1000
_USUAL_ESCAPE = 64
_AFTER = re.compile(rb"[ \t\r\n]*+([^ \t\r\n])")


class _TooManyQuotesError(Exception):
    """Most of a text are short strings."""


class Arriving:
    """Takes in a text in pieces, and has soon after the last one what is to be done with it."""

    def __init__(self, most_bytes: int | None = None) -> None:
        """Begin with nothing.

        Args:
            most_bytes: Of a text that is longer nothing is taken out; None if of any.
        """
        self.pieces: list[Bytes] = []
        """All of the text, as it came."""
        self.size = 0
        """How many bytes it has."""
        self._most = most_bytes
        self._token = f"large-text-{secrets.token_hex(16)}"
        self._takes_out = True
        self._rest: list[bytes] = []
        self._literals: list[memoryview] = []
        self._quotes = 0
        self._unread: list[Bytes] = []
        self._unread_bytes = 0
        self._wanted_bytes = _AT_ONCE_BYTES

    def add(self, piece: Bytes) -> None:
        """Take in the next piece. Takes a third of a millisecond for each megabyte."""
        self.pieces.append(piece)
        self.size += len(piece)
        if self._most is not None and self.size > self._most:
            self._give_up()
        if not self._takes_out:
            return
        self._unread.append(piece)
        self._unread_bytes += len(piece)
        if self._unread_bytes >= self._wanted_bytes:
            self._read()

    @property
    def rest_bytes(self) -> int:
        """How long the text is without what was taken out so far."""
        return self.size - sum(map(len, self._literals))

    def whole(self) -> bytes:
        """Return all of the text."""
        return b"".join(self.pieces)

    def parted(self) -> tuple[bytes, Leaves] | None:
        """Return the whole text with stand-ins for its large texts, and these.

        Returns:
            None if there is nothing large in it, or it has to be looked at more closely.
        """
        if self._unread and self.size > LARGE_BYTES:
            self._read()
        if self._unread_bytes or not self._literals:
            return None
        return b"".join(self._rest), Leaves(self._token, self._literals)

    def _read(self) -> None:
        data = b"".join(self._unread)
        try:
            read = self._take_out(data)
        except _TooManyQuotesError:
            self._give_up()
            return
        # A string that goes on is looked at again from its beginning, when there is twice as much.
        self._unread = [data[read:]]
        self._unread_bytes = len(data) - read
        self._wanted_bytes = max(_AT_ONCE_BYTES, 2 * self._unread_bytes)

    def _take_out(self, data: bytes) -> int:
        """Take large strings out of a run of bytes that begins outside of strings.

        Returns:
            Where a string begins of which the end, or what follows, is yet to come; else
            where the end is.

        Raises:
            _TooManyQuotesError: if that takes too long.
        """
        done, end = 0, -1
        while (start := data.find(b'"', end + 1)) >= 0:
            end = self._end_of_string(data, start)
            if end < 0:
                break
            if end - start < LARGE_BYTES:
                continue
            after = _AFTER.match(data, end + 1)
            if not after:
                break
            # A key has its place by what it is.
            if after[1] != b":":
                stand_in = f'"{self._token}:{len(self._literals)}"'
                self._literals.append(memoryview(data)[start : end + 1])
                self._rest += data[done:start], stand_in.encode()
                done = end + 1
        read = start if start >= 0 else len(data)
        self._rest.append(data[done:read])
        return read

    def _end_of_string(self, data: bytes, start: int) -> int:
        end = data.find(b'"', start + 1)
        while end >= 0 and _is_escaped(data, start, end):
            self._count(1)
            end = data.find(b'"', end + 1)
        self._count(2)
        return end

    def _count(self, quotes: int) -> None:
        self._quotes += quotes
        if self._quotes > _FEW_QUOTES + self.size // _BYTES_PER_QUOTE:
            raise _TooManyQuotesError

    def _give_up(self) -> None:
        self._takes_out = False
        self._rest, self._literals, self._unread, self._unread_bytes = [], [], [], 0


def _is_escaped(data: bytes, start: int, quote: int) -> bool:
    reach = _USUAL_ESCAPE
    while True:
        before = data[max(start + 1, quote - reach) : quote]
        backslashes = len(before) - len(before.rstrip(b"\\"))
        if backslashes < reach:
            return backslashes % 2 == 1
        reach *= 2
