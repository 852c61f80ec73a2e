"""Converters between the wire and the model."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp
from perijove.contents.v1 import contents_pb2 as pb
from perijove_chassis.errors import InvalidArgument

from perijove_contents.content import Write
from perijove_contents.model import (
    HASH_ALGORITHM,
    Checkpoint,
    ContentFormat,
    Entry,
    EntryPath,
    EntryType,
    Precondition,
    WritePart,
)
from perijove_contents.watching import ChangeType, WatchUpdate

_NS = 1_000_000_000

_TYPES = {
    pb.ENTRY_TYPE_UNSPECIFIED: None,
    pb.ENTRY_TYPE_FILE: EntryType.FILE,
    pb.ENTRY_TYPE_NOTEBOOK: EntryType.NOTEBOOK,
    pb.ENTRY_TYPE_DIRECTORY: EntryType.DIRECTORY,
}
_FORMATS = {
    pb.CONTENT_FORMAT_UNSPECIFIED: None,
    pb.CONTENT_FORMAT_TEXT: ContentFormat.TEXT,
    pb.CONTENT_FORMAT_BINARY: ContentFormat.BINARY,
    pb.CONTENT_FORMAT_NOTEBOOK: ContentFormat.NOTEBOOK,
    pb.CONTENT_FORMAT_ENTRIES: ContentFormat.ENTRIES,
    pb.CONTENT_FORMAT_MODEL: ContentFormat.MODEL,
}
_PARTS = {
    pb.WRITE_PART_UNSPECIFIED: WritePart.WHOLE,
    pb.WRITE_PART_WHOLE: WritePart.WHOLE,
    pb.WRITE_PART_FIRST: WritePart.FIRST,
    pb.WRITE_PART_NEXT: WritePart.NEXT,
    pb.WRITE_PART_LAST: WritePart.LAST,
}
_CHANGES_TO_PROTO = {
    ChangeType.CREATED: pb.CHANGE_TYPE_CREATED,
    ChangeType.MODIFIED: pb.CHANGE_TYPE_MODIFIED,
    ChangeType.DELETED: pb.CHANGE_TYPE_DELETED,
}
_TYPES_TO_PROTO = {value: key for key, value in _TYPES.items()}
_FORMATS_TO_PROTO = {value: key for key, value in _FORMATS.items()}


def entry_to_proto(entry: Entry) -> pb.Entry:
    """Return the message for an entry."""
    return pb.Entry(
        path=str(entry.path),
        type=_TYPES_TO_PROTO[entry.type],
        size_bytes=entry.size_bytes,
        writable=entry.writable,
        create_time=timestamp(entry.create_time_ns),
        update_time=timestamp(entry.update_time_ns),
        mime_type=entry.mime_type,
        hash=entry.hash,
        hash_algorithm=HASH_ALGORITHM if entry.hash else "",
    )


def checkpoint_to_proto(checkpoint: Checkpoint) -> pb.Checkpoint:
    """Return the message for a checkpoint."""
    return pb.Checkpoint(
        checkpoint_id=checkpoint.id, update_time=timestamp(checkpoint.update_time_ns)
    )


def update_to_proto(update: WatchUpdate) -> pb.WatchEntriesResponse:
    """Return the message for what a watcher is told at once."""
    return pb.WatchEntriesResponse(
        resync=update.resync,
        changes=[
            pb.EntryChange(type=_CHANGES_TO_PROTO[change.type], path=str(change.path))
            for change in update.changes
        ],
        position=update.position,
    )


def format_to_proto(format_: ContentFormat) -> pb.ContentFormat:
    """Return the enum value for a format."""
    return _FORMATS_TO_PROTO[format_]


def type_from_proto(value: pb.EntryType) -> EntryType | None:
    """Return the type an enum value stands for; None if it was not said.

    Raises:
        InvalidArgument: if it stands for none.
    """
    try:
        return _TYPES[value]
    except KeyError:
        raise InvalidArgument("there is no such entry type", reason="BAD_TYPE") from None


def format_from_proto(value: pb.ContentFormat) -> ContentFormat | None:
    """Return the format an enum value stands for; None if it was not said.

    Raises:
        InvalidArgument: if it stands for none.
    """
    try:
        return _FORMATS[value]
    except KeyError:
        raise InvalidArgument("there is no such content format", reason="BAD_FORMAT") from None


def write_from_proto(header: pb.WriteContentHeader) -> Write:
    """Return what a header says is to be written.

    Raises:
        InvalidArgument: if it cannot be.
    """
    if header.part not in _PARTS:
        raise InvalidArgument("there is no such part of a content", reason="BAD_FORMAT")
    return Write.plan(
        EntryPath.parse(header.path),
        type=type_from_proto(header.type),
        format=format_from_proto(header.format),
        part=_PARTS[header.part],
        required=_required(header),
        want_hash=header.include_hash,
    )


def _required(header: pb.WriteContentHeader) -> Precondition:
    if not header.HasField("if_exists"):
        return Precondition.of_hash(header.if_hash)
    return Precondition(header.if_hash, header.if_exists)


def page_size(asked: int, *, default: int, most: int) -> int:
    """Return how many items a page holds.

    Raises:
        InvalidArgument: if a negative number was asked for.
    """
    if asked < 0:
        raise InvalidArgument("a page cannot hold a negative number of items")
    return min(asked or default, most)


def timestamp(nanoseconds: int) -> Timestamp:
    """Return the message for a time in nanoseconds since 1970."""
    return Timestamp(seconds=nanoseconds // _NS, nanos=nanoseconds % _NS)
