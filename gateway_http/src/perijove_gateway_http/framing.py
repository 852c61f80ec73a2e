"""Kernel messages as WebSocket messages, in both formats that clients speak.

`v1.kernel.websocket.jupyter.org` is a binary table of offsets, 64-bit
little-endian, before the channel's name and the message's frames, untouched.
The legacy format is one JSON object; with buffers it is a binary table of
offsets, 32-bit big-endian, before that object and the buffers. What goes to the
client is spliced together from the JSON the kernel wrote, never parsed; what
comes from it is cut apart the same way.
"""

from __future__ import annotations

import re
import struct
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import msgspec
from perijove.kernels.v1 import channels_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Sequence

V1: Final = "v1.kernel.websocket.jupyter.org"
"""The subprotocol of the binary format."""

_NAMES: Final[dict[int, bytes]] = {
    pb.CHANNEL_SHELL: b"shell",
    pb.CHANNEL_IOPUB: b"iopub",
    pb.CHANNEL_STDIN: b"stdin",
    pb.CHANNEL_CONTROL: b"control",
}
_CHANNELS: Final = {
    "shell": pb.CHANNEL_SHELL,
    "stdin": pb.CHANNEL_STDIN,
    "control": pb.CHANNEL_CONTROL,
}
_PARTS: Final = 4
_MOST_PARTS: Final = 100_000
_FINAL: Final = 0x80
_TEXT: Final = 0x1
_BINARY: Final = 0x2
_PING: Final = 0x9
_SHORT: Final = 126
_MEDIUM: Final = 1 << 16

_MSG_ID: Final = re.compile(rb'"msg_id"\s*:\s*("(?:[^"\\]|\\.)*")')
_MSG_TYPE: Final = re.compile(rb'"msg_type"\s*:\s*("(?:[^"\\]|\\.)*")')

_EMPTY: Final = msgspec.Raw(b"{}")


class FramingError(ValueError):
    """A client's message is not in the format that was agreed on."""


class _Legacy(msgspec.Struct):
    header: msgspec.Raw
    content: msgspec.Raw
    parent_header: msgspec.Raw = _EMPTY
    metadata: msgspec.Raw = _EMPTY
    channel: str | None = "shell"


class V1Framing:
    """The format of `v1.kernel.websocket.jupyter.org`."""

    def join(self, channel: int, frames: Sequence[bytes]) -> list[bytes]:
        """Return a message as the parts of one WebSocket frame."""
        name = _NAMES[channel]
        count = len(frames) + 2
        offset = 8 * (count + 1)
        table = [count, offset, offset := offset + len(name)]
        table.extend([offset := offset + len(frame) for frame in frames])
        head = websocket_head(_BINARY, offset)
        return [head, struct.pack(f"<{count + 1}Q", *table), name, *frames]

    def split(self, data: bytes) -> pb.KernelMessage:
        """Return what a client sent.

        Raises:
            FramingError: if it is malformed or names no channel to the kernel.
        """
        if len(data) < 8:  # noqa: PLR2004 - one integer
            raise FramingError("too short")
        count = int.from_bytes(data[:8], "little")
        if not _PARTS < count <= _MOST_PARTS or len(data) < 8 * (count + 1):
            raise FramingError("no table of offsets")
        offsets = struct.unpack_from(f"<{count}Q", data, 8)
        if offsets[0] != 8 * (count + 1):
            raise FramingError("a table of another length")
        name, *frames = _cut(data, offsets)
        return _message(name.decode(errors="replace"), frames)


class LegacyFraming:
    """The format of clients that name no subprotocol."""

    def join(self, channel: int, frames: Sequence[bytes]) -> list[bytes]:
        """Return a message as the parts of one WebSocket frame."""
        header, parent, metadata, content, *buffers = frames
        members = [
            *(b'{"header":', header, b',"msg_id":', _value(_MSG_ID, header)),
            *(b',"msg_type":', _value(_MSG_TYPE, header), b',"parent_header":', parent),
            *(b',"metadata":', metadata, b',"content":', content),
        ]
        end = b',"channel":"' + _NAMES[channel] + b'"}'
        if not buffers:
            # Browsers drop the connection over a text that is no UTF-8.
            text = _as_utf8(b"".join((*members, b',"buffers":[]', end)))
            return [websocket_head(_TEXT, len(text)), text]
        parts = [b"".join((*members, end)), *buffers]
        offset = 4 * (len(parts) + 1)
        table = [len(parts)]
        for part in parts:
            table.append(offset)
            offset += len(part)
        head = websocket_head(_BINARY, offset)
        return [head, struct.pack(f">{len(table)}I", *table), *parts]

    def split(self, data: bytes) -> pb.KernelMessage:
        """Return what a client sent in a text message.

        Raises:
            FramingError: if it is malformed or names no channel to the kernel.
        """
        return self._parse(data, [])

    def split_binary(self, data: bytes) -> pb.KernelMessage:
        """Return what a client sent with buffers.

        Raises:
            FramingError: if it is malformed or names no channel to the kernel.
        """
        if len(data) < 4:  # noqa: PLR2004 - one integer
            raise FramingError("too short")
        count = int.from_bytes(data[:4], "big")
        if not 0 < count <= _MOST_PARTS or len(data) < 4 * (count + 1):
            raise FramingError("no table of offsets")
        offsets = struct.unpack_from(f">{count}I", data, 4)
        text, *buffers = _cut(data, (*offsets, len(data)))
        return self._parse(text, buffers)

    def _parse(self, text: bytes, buffers: list[bytes]) -> pb.KernelMessage:
        try:
            parsed = msgspec.json.decode(text, type=_Legacy)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise FramingError("not a message in JSON") from None
        parts = (parsed.header, parsed.parent_header, parsed.metadata, parsed.content)
        return _message(parsed.channel or "shell", [*map(bytes, parts), *buffers])


Framing = V1Framing | LegacyFraming


def websocket_head(opcode: int, length: int) -> bytes:
    """Return the head of a whole, unmasked WebSocket frame."""
    first = _FINAL | opcode
    if length < _SHORT:
        return bytes((first, length))
    if length < _MEDIUM:
        return struct.pack(">BBH", first, 126, length)
    return struct.pack(">BBQ", first, 127, length)


def ping(payload: bytes) -> bytes:
    """Return a whole WebSocket ping."""
    return websocket_head(_PING, len(payload)) + payload


def _cut(data: bytes, offsets: Sequence[int]) -> list[bytes]:
    if offsets[-1] > len(data):
        raise FramingError("an offset past the end")
    pairs = list(pairwise(offsets))
    if any(start > stop for start, stop in pairs):
        raise FramingError("offsets that go back")
    return [data[start:stop] for start, stop in pairs]


def _message(name: str, frames: Sequence[bytes]) -> pb.KernelMessage:
    channel = _CHANNELS.get(name)
    if channel is None:
        raise FramingError(f"no channel to the kernel: {name[:20]!r}")
    if len(frames) < _PARTS:
        raise FramingError("too few parts")
    return pb.KernelMessage(channel=channel, frames=frames)


def _value(pattern: re.Pattern[bytes], header: bytes) -> bytes:
    found = pattern.search(header)
    return found[1] if found else b'""'


def _as_utf8(text: bytes) -> bytes:
    if text.isascii():
        return text
    try:
        text.decode()
    except UnicodeDecodeError:
        return text.decode(errors="replace").encode()
    return text
