"""Converters between the wire and the model."""

from __future__ import annotations

from perijove.contents.v1 import documents_pb2 as pb
from perijove_chassis.errors import InvalidArgument

from perijove_contents.documents.model import Collection, Document, DocumentKey
from perijove_contents.wire import timestamp

_COLLECTIONS = {
    pb.COLLECTION_CONFIG: Collection.CONFIG,
    pb.COLLECTION_SETTINGS: Collection.SETTINGS,
    pb.COLLECTION_WORKSPACES: Collection.WORKSPACES,
}
_COLLECTIONS_TO_PROTO = {value: key for key, value in _COLLECTIONS.items()}


def document_to_proto(document: Document, *, with_content: bool = True) -> pb.Document:
    """Return the message for a document."""
    return pb.Document(
        collection=_COLLECTIONS_TO_PROTO[document.key.collection],
        document_id=document.key.id,
        content=document.content if with_content else b"",
        create_time=timestamp(document.create_time_ns),
        update_time=timestamp(document.update_time_ns),
    )


def collection_from_proto(value: pb.Collection) -> Collection:
    """Return the collection an enum value stands for.

    Raises:
        InvalidArgument: if it stands for none.
    """
    try:
        return _COLLECTIONS[value]
    except KeyError:
        raise InvalidArgument("there is no such collection") from None


def key_from_proto(collection: pb.Collection, document_id: str) -> DocumentKey:
    """Return which document is meant.

    Raises:
        InvalidArgument: if it cannot be told.
    """
    return DocumentKey.parse(collection_from_proto(collection), document_id)
