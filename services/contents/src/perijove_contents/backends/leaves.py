"""The large texts of a notebook, taken out of its JSON text and put back at the end.

Most of a large notebook is a few large outputs. What is done to it, from decoding
to formatting, looks at every character of them several times and changes nothing
but where the lines end. So short stand-ins take their places meanwhile.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perijove_contents.model import Bytes

_LINES = ":lines"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(str).decode


class Leaves:
    """Large texts, and the stand-ins that they have in a notebook."""

    def __init__(self, token: str, literals: list[memoryview]) -> None:
        """Take texts as JSON strings, the way they were sent.

        The stand-in of each is the token, a colon and its number.
        """
        self._token = token
        self._literals = literals
        self._by_stand_in = {f"{token}:{number}": text for number, text in enumerate(literals)}

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
                literal = self._by_stand_in[text.decode().removesuffix(_LINES)]
                yield _text_of(literal).encode()
            else:
                yield text

    def put_back(self, formatted: bytes) -> Iterable[Bytes]:
        """Return an indented JSON text with the large ones in place of their stand-ins.

        It comes in parts, each made when it is its turn: what looks at them one by one
        finds them in the cache of the processor. Of a string that is none it comes out
        there: to ask for its part raises `ValueError`.
        """
        return _Whole(formatted.split(b'"' + self._token.encode() + b":"), self._literals)


@dataclass(frozen=True, slots=True)
class _Whole:
    """An indented JSON text with large texts in it."""

    pieces: list[bytes]
    """The text, cut before the number of each large text."""
    literals: list[memoryview]

    def __iter__(self) -> Iterator[Bytes]:
        before, *rest = self.pieces
        yield before
        for piece in rest:
            stand_in, _, after = piece.partition(b'"')
            number, _, as_lines = stand_in.partition(b":")
            literal = self.literals[int(number)]
            yield from _as_lines(literal, before) if as_lines else (_as_stored(literal),)
            yield after
            before = after


def _text_of(literal: memoryview) -> str:
    try:
        return _decode(literal)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # It says why it is none; what only Python takes for one cannot be encoded.
        return str(json.loads(bytes(literal)))


def _extra(literal: memoryview, text: str) -> int:
    """Return by how many bytes a literal is longer than its text has characters.

    Each newline makes it longer by one byte at least, and so does whatever else is
    escaped or not ASCII. If it is just as many as there are newlines, there is
    nothing else.
    """
    return len(literal) - len(text) - len('""')


def _as_stored(literal: memoryview) -> Bytes:
    """Return a text as a JSON string, the way it is stored."""
    text = _text_of(literal)
    extra = _extra(literal, text)
    # To count takes longer than anything else here.
    return _encode(text) if extra and extra != text.count("\n") else literal


def _as_lines(literal: memoryview, before: bytes) -> list[bytes]:
    """Return the items of a list of lines, each on a line of its own, indented as the first."""
    between = b",\n" + before[before.rfind(b"\n") + 1 :]
    text = _text_of(literal)
    newline = b'\\n"' + between + b'"'
    encoded = text.encode()
    items = encoded.replace(b"\n", newline)
    newlines = (len(items) - len(encoded)) // (len(newline) - len(b"\n"))
    if _extra(literal, text) != newlines:
        return [between.join(map(_encode, text.splitlines(keepends=True)))]
    if text.endswith("\n"):
        # The last item would be an empty one.
        return [b'"', items[: -len(between) - 1]]
    return [b'"', items, b'"']
