"""Messages as bytes on the wire, encoded once for every client.

Protobuf writes a message as a run of fields, and two runs after one another are
a valid message whose repeated fields are joined. So a `KernelMessageBatch` is
the concatenation of its `messages` entries, and each entry can be made once,
when the message arrives from the kernel, kept in the journal as it is, and
copied into the batch of every client that gets it. What is left to write for
each batch is the field number and length of `ConnectResponse.batch`.

This is the one place where the wire format is written by hand. A test holds it
against the generated classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove.kernels.v1 import channels_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHELL = pb.CHANNEL_SHELL
IOPUB = pb.CHANNEL_IOPUB
STDIN = pb.CHANNEL_STDIN
CONTROL = pb.CHANNEL_CONTROL

_LENGTH_DELIMITED = 2
_CHANNEL_TAG = bytes([pb.KernelMessage.CHANNEL_FIELD_NUMBER << 3])
_SEQUENCE_TAG = bytes([pb.KernelMessage.SEQUENCE_FIELD_NUMBER << 3])
_FRAME_TAG = bytes([pb.KernelMessage.FRAMES_FIELD_NUMBER << 3 | _LENGTH_DELIMITED])
_ENTRY_TAG = bytes([pb.KernelMessageBatch.MESSAGES_FIELD_NUMBER << 3 | _LENGTH_DELIMITED])
_BATCH_TAG = bytes([pb.ConnectResponse.BATCH_FIELD_NUMBER << 3 | _LENGTH_DELIMITED])
_TAKEN_TAG = bytes([pb.ConnectResponse.TAKEN_FIELD_NUMBER << 3])

_SEVEN_BITS = 0x7F
_MORE = 0x80
_SHORT = 1 << 14


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > _SEVEN_BITS:
        out.append(number & _SEVEN_BITS | _MORE)
        number >>= 7
    out.append(number)
    return bytes(out)


# Nearly every frame is shorter than this, and a look-up is cheaper than a loop.
_SHORT_VARINTS = tuple(_varint(number) for number in range(_SHORT))
_FRAME_PREFIXES = tuple(_FRAME_TAG + varint for varint in _SHORT_VARINTS)
_CONTINUED = tuple(
    bytes((number & _SEVEN_BITS | _MORE, number >> 7 | _MORE)) for number in range(_SHORT)
)


def _number(number: int) -> bytes:
    """Return a sequence number or count: it soon outgrows the short ones."""
    if number < _SHORT:
        return _SHORT_VARINTS[number]
    if number < _SHORT * _SHORT:
        return _CONTINUED[number & (_SHORT - 1)] + _SHORT_VARINTS[number >> 14]
    return _varint(number)


def entry(channel: int, sequence: int, frames: Iterable[bytes]) -> bytes:
    """Return a message as an entry of `KernelMessageBatch.messages`.

    Args:
        channel: A value of the `Channel` enum.
        sequence: Position in the kernel's epoch.
        frames: The message's frames.
    """
    parts = [_CHANNEL_TAG, _SHORT_VARINTS[channel], _SEQUENCE_TAG, _number(sequence)]
    for frame in frames:
        length = len(frame)
        parts.append(_FRAME_PREFIXES[length] if length < _SHORT else _FRAME_TAG + _varint(length))
        parts.append(frame)
    length = sum(map(len, parts))
    parts.insert(0, _SHORT_VARINTS[length] if length < _SHORT else _varint(length))
    parts.insert(0, _ENTRY_TAG)
    return b"".join(parts)


def batch_response(entries: Sequence[bytes]) -> bytes:
    """Return a serialized `ConnectResponse` that carries entries as one batch."""
    return b"".join((_BATCH_TAG, _varint(sum(map(len, entries))), *entries))


def taken(count: int) -> bytes:
    """Return what a serialized `ConnectResponse` ends with, to say what was taken."""
    return _TAKEN_TAG + _number(count)


def attached_response(*, epoch: int, resumed: bool, sequence: int, taken: int) -> bytes:
    """Return a serialized `ConnectResponse` that answers `attach`."""
    attached = pb.Attached(epoch=epoch, resumed=resumed, sequence=sequence, taken=taken)
    return pb.ConnectResponse(attached=attached).SerializeToString()


def epoch_begun_response(epoch: int) -> bytes:
    """Return a serialized `ConnectResponse` that begins an epoch."""
    return pb.ConnectResponse(epoch_begun=pb.EpochBegun(epoch=epoch)).SerializeToString()


def gap_response(*, epoch: int, first: int, last: int, cause: str, message: str) -> bytes:
    """Return a serialized `ConnectResponse` that says what was lost.

    Args:
        epoch: Epoch of the missing messages.
        first: First missing sequence number, or zero if it is not known.
        last: Last missing sequence number, or zero if it is not known.
        cause: Name of a `GapCause` value without its prefix.
        message: The cause in a sentence.
    """
    gap = pb.Gap(
        epoch=epoch,
        first_sequence=first,
        last_sequence=last,
        cause=f"GAP_CAUSE_{cause}",
        message=message,
    )
    return pb.ConnectResponse(gap=gap).SerializeToString()
