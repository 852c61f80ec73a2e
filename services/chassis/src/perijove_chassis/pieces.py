"""Runs of bytes in gRPC messages, copied no more often than they have to be.

Protobuf copies a run of bytes when a message is given it, when the message is
serialized, when it is parsed, and each time it is read from the message. Content
travels in messages that hold nothing else, from the second one on: these are put
together, and taken apart, here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.message import Message

M = TypeVar("M", bound="Message")

_LENGTH_DELIMITED = 2
_MORE = 0x80
_LONGEST_HEAD = 11


@dataclass(frozen=True, slots=True)
class Piece:
    """A message with a run of bytes, given in parts."""

    parts: Sequence[bytes | memoryview]
    rest: Message | None = None
    """The message without the run; None if it holds nothing else."""


class Pieces(Generic[M]):
    """Serializes and parses messages of a type, of which most are a `Piece`.

    On the wire nothing is special about them.
    """

    def __init__(self, kind: type[M], field: str) -> None:
        """Take the type, and the name of its field for a run of bytes, numbered below 16."""
        self._kind = kind
        number = kind.DESCRIPTOR.fields_by_name[field].number
        self._tag = bytes((number << 3 | _LENGTH_DELIMITED,))

    def serialize(self, message: M | Piece) -> bytes:
        """Return a message as it travels."""
        if isinstance(message, Piece):
            size = sum(map(len, message.parts))
            rest = message.rest.SerializeToString() if message.rest else b""
            return b"".join((rest, self._tag, _varint(size), *message.parts))
        return message.SerializeToString()

    def parse(self, data: bytes) -> M | memoryview:
        """Return a message that has travelled; of one with the run only, the run itself.

        Raises:
            DecodeError: if it is none.
        """
        if data[:1] == self._tag:
            size = 0
            for place, byte in enumerate(data[1:_LONGEST_HEAD]):
                size |= byte % _MORE << 7 * place
                if byte < _MORE:
                    start = place + 2
                    if start + size == len(data):
                        return memoryview(data)[start:]
                    break
        return self._kind.FromString(data)


def _varint(number: int) -> bytes:
    groups = []
    while number >= _MORE:
        groups.append(number % _MORE | _MORE)
        number >>= 7
    return bytes((*groups, number))
