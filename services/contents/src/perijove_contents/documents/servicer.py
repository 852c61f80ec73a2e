"""`DocumentsService` on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perijove.contents.v1 import documents_pb2 as pb
from perijove.contents.v1 import documents_pb2_grpc as pb_grpc

from perijove_contents.documents import wire
from perijove_contents.wire import page_size

if TYPE_CHECKING:
    from perijove_contents.documents.manager import DocumentsManager


class DocumentsServicer(pb_grpc.DocumentsServiceServicer):
    """Translates each RPC to one call of the manager. Decides nothing."""

    def __init__(self, manager: DocumentsManager) -> None:
        self._manager = manager

    async def GetDocument(
        self, request: pb.GetDocumentRequest, context: Any
    ) -> pb.GetDocumentResponse:
        key = wire.key_from_proto(request.collection, request.document_id)
        document = await self._manager.get(key)
        return pb.GetDocumentResponse(document=wire.document_to_proto(document))

    async def ListDocuments(
        self, request: pb.ListDocumentsRequest, context: Any
    ) -> pb.ListDocumentsResponse:
        documents, more = await self._manager.list(
            wire.collection_from_proto(request.collection),
            after=request.page_token,
            limit=page_size(request.page_size, default=100, most=1000),
        )
        return pb.ListDocumentsResponse(
            documents=map(wire.document_to_proto, documents),
            next_page_token=documents[-1].key.id if more else "",
        )

    async def PutDocument(
        self, request: pb.PutDocumentRequest, context: Any
    ) -> pb.PutDocumentResponse:
        key = wire.key_from_proto(request.collection, request.document_id)
        document = await self._manager.put(key, request.content)
        return pb.PutDocumentResponse(document=wire.document_to_proto(document, with_content=False))

    async def MergeDocument(
        self, request: pb.MergeDocumentRequest, context: Any
    ) -> pb.MergeDocumentResponse:
        key = wire.key_from_proto(request.collection, request.document_id)
        document = await self._manager.merge(key, request.patch)
        return pb.MergeDocumentResponse(document=wire.document_to_proto(document))

    async def DeleteDocument(
        self, request: pb.DeleteDocumentRequest, context: Any
    ) -> pb.DeleteDocumentResponse:
        await self._manager.delete(wire.key_from_proto(request.collection, request.document_id))
        return pb.DeleteDocumentResponse()
