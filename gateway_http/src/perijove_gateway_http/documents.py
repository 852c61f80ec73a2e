"""Documents of front ends, as the edge asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
from perijove.contents.v1 import documents_pb2 as pb
from perijove_chassis import errors, status

if TYPE_CHECKING:
    from perijove.contents.v1.documents_pb2_grpc import DocumentsServiceAsyncStub

MAX_BYTES = 4 * 1024 * 1024
"""Largest document."""

_PAGE_SIZE = 1000
_MAX_PAGES = 20


async def get(
    stub: DocumentsServiceAsyncStub, collection: pb.Collection, document_id: str
) -> pb.Document | None:
    """Return a document, or None if there is none."""
    try:
        reply = await stub.GetDocument(
            pb.GetDocumentRequest(collection=collection, document_id=document_id)
        )
    except grpc.RpcError as error:
        if isinstance(status.error_of(error), errors.NotFound):
            return None
        raise
    return reply.document


async def get_all(stub: DocumentsServiceAsyncStub, collection: pb.Collection) -> list[pb.Document]:
    """Return the documents of a collection, at most 20000; usually one call."""
    documents: list[pb.Document] = []
    token = ""
    for _ in range(_MAX_PAGES):
        reply = await stub.ListDocuments(
            pb.ListDocumentsRequest(collection=collection, page_size=_PAGE_SIZE, page_token=token)
        )
        documents += reply.documents
        token = reply.next_page_token
        if not token:
            break
    return documents


async def put(
    stub: DocumentsServiceAsyncStub,
    collection: pb.Collection,
    document_id: str,
    content: bytes,
) -> None:
    """Store a document."""
    await stub.PutDocument(
        pb.PutDocumentRequest(collection=collection, document_id=document_id, content=content)
    )
