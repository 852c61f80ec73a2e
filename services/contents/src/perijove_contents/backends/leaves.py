"""The large texts of a notebook, taken out of its JSON text and put back at the end.

Most of a large notebook is a few large outputs. What is done to it, from decoding
to formatting, looks at every character of them several times and changes nothing
but where the lines end. So short stand-ins take their places meanwhile.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perijove_contents.model import Bytes

LARGE_BYTES = 16 * 1024
"""Shortest text that is taken out."""

_BYTES_PER_QUOTE = 512
"""Where quotes are more frequent than this, to look for them takes longer than it saves."""

_LONGEST_ESCAPE = 64
_LINES = ":lines"
_COLON = re.compile(rb"[ \t\r\n]*+:")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(str).decode


@dataclass(frozen=True, slots=True)
class _Leaf:
    text: str
    literal: memoryview
    """The text as a JSON string, the way it was sent."""

    @property
    def extra(self) -> int:
        """By how many bytes the literal is longer than the text has characters.

        Each newline makes it longer by one byte at least, and so does whatever else
        is escaped or not ASCII. If it is just as many as there are newlines, there
        is nothing else.
        """
        return len(self.literal) - len(self.text) - len('""')

    def as_stored(self) -> Bytes:
        """Return the text as a JSON string, the way it is stored."""
        # To count takes longer than anything else here.
        if self.extra and self.extra != self.text.count("\n"):
            return _encode(self.text)
        return self.literal


class Leaves:
    """Large texts, and the stand-ins that they have in a notebook."""

    def __init__(self, token: str, leaves: list[_Leaf]) -> None:
        """Take texts; the stand-in of each is the token and its number."""
        self._token = token
        self._leaves = leaves
        self._by_stand_in = {f"{token}:{number}": leaf for number, leaf in enumerate(leaves)}

    def lines(self, text: str) -> list[str]:
        """Return the lines of a text with their ends; of a stand-in, a mark to do it later."""
        if text in self._by_stand_in:
            return [text + _LINES]
        return text.splitlines(keepends=True)

    def filled_in(self, texts: Iterable[bytes]) -> Iterator[bytes]:
        """Yield texts, with the large ones in place of their stand-ins, whole."""
        token = self._token.encode()
        for text in texts:
            if text.startswith(token):
                yield self._by_stand_in[text.decode().removesuffix(_LINES)].text.encode()
            else:
                yield text

    def put_back(self, formatted: bytes) -> Iterable[Bytes]:
        """Return an indented JSON text with the large ones in place of their stand-ins.

        It comes in parts, each made when it is its turn: what looks at them one by one
        finds them in the cache of the processor.
        """
        return _Whole(formatted.split(b'"' + self._token.encode() + b":"), self._leaves)


@dataclass(frozen=True, slots=True)
class _Whole:
    """An indented JSON text with large texts in it."""

    pieces: list[bytes]
    """The text, cut before the number of each large text."""
    leaves: list[_Leaf]

    def __iter__(self) -> Iterator[Bytes]:
        before, *rest = self.pieces
        yield before
        for piece in rest:
            stand_in, _, after = piece.partition(b'"')
            number, _, as_lines = stand_in.partition(b":")
            leaf = self.leaves[int(number)]
            yield from _as_lines(leaf, before) if as_lines else (leaf.as_stored(),)
            yield after
            before = after


def take_out(data: bytes) -> tuple[bytes, Leaves | None]:
    """Return the JSON text of a notebook with stand-ins for its large texts.

    Returns:
        The text and what was taken out of it; as it was and None, if there is
        nothing large, or it has to be looked at more closely.
    """
    found = _large_strings(data) if len(data) > LARGE_BYTES else None
    if not found:
        return data, None
    token = f"large-text-{secrets.token_hex(16)}"
    leaves: list[_Leaf] = []
    parts: list[bytes] = []
    done = 0
    for start, end in found:
        try:
            literal = memoryview(data)[start:end]
            leaves.append(_Leaf(_decode(literal), literal))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return data, None
        parts += data[done:start], f'"{token}:{len(leaves) - 1}"'.encode()
        done = end
    return b"".join([*parts, data[done:]]), Leaves(token, leaves)


def _large_strings(data: bytes) -> list[tuple[int, int]] | None:
    """Return where large strings begin and end that are values; None if there are many quotes."""
    found = []
    left = max(1000, len(data) // _BYTES_PER_QUOTE)
    end = -1
    while (start := data.find(b'"', end + 1)) >= 0:
        end = data.find(b'"', start + 1)
        while end >= 0 and _is_escaped(data, start, end):
            end = data.find(b'"', end + 1)
            left -= 1
        left -= 2
        if left < 0 or end < 0:
            return None
        if end - start >= LARGE_BYTES and not _COLON.match(data, end + 1):
            found.append((start, end + 1))
    return found


def _is_escaped(data: bytes, start: int, quote: int) -> bool:
    # Longer runs of backslashes are taken for an end that is none; then no text decodes.
    before = data[max(start + 1, quote - _LONGEST_ESCAPE) : quote]
    return (len(before) - len(before.rstrip(b"\\"))) % 2 == 1


def _as_lines(leaf: _Leaf, before: bytes) -> list[bytes]:
    """Return the items of a list of lines, each on a line of its own, indented as the first."""
    between = b",\n" + before[before.rfind(b"\n") + 1 :]
    text = leaf.text.encode()
    newline = b'\\n"' + between + b'"'
    items = text.replace(b"\n", newline)
    newlines = (len(items) - len(text)) // (len(newline) - len(b"\n"))
    if leaf.extra != newlines:
        return [between.join(map(_encode, leaf.text.splitlines(keepends=True)))]
    if leaf.text.endswith("\n"):
        # The last item would be an empty one.
        return [b'"', items[: -len(between) - 1]]
    return [b'"', items, b'"']
