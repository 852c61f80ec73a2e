"""`ConversionService` on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perijove.contents.v1 import conversion_pb2 as pb
from perijove.contents.v1 import conversion_pb2_grpc as pb_grpc
from perijove_chassis.errors import DomainError, InvalidArgument

from perijove_contents.conversion import wire
from perijove_contents.model import EntryPath
from perijove_contents.reading_on import read_on

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from perijove_contents.conversion.manager import ConversionManager


class ConversionServicer(pb_grpc.ConversionServiceServicer):
    """Translates each RPC to one call of the manager. Decides nothing."""

    def __init__(self, manager: ConversionManager) -> None:
        self._manager = manager

    async def ListExporters(
        self, request: pb.ListExportersRequest, context: Any
    ) -> pb.ListExportersResponse:
        exporters = await self._manager.list_exporters()
        return pb.ListExportersResponse(exporters=map(wire.exporter_to_proto, exporters))

    async def ConvertNotebook(
        self, request: pb.ConvertNotebookRequest, context: Any
    ) -> AsyncIterator[pb.ConvertNotebookResponse]:
        found = await self._manager.convert_entry(
            request.exporter, EntryPath.parse(request.path), sanitize_html=request.sanitize_html
        )
        async with found.converted as converted:
            # The header travels with the first piece: a small answer is one message.
            response = pb.ConvertNotebookResponse(
                header=wire.output_to_proto(converted.output, found.update_time_ns)
            )
            async for chunk in converted.chunks():
                response.chunk = chunk
                yield response
                response = pb.ConvertNotebookResponse()
            if response.HasField("header"):
                yield response

    async def ConvertContent(
        self, request_iterator: Any, context: Any
    ) -> AsyncIterator[pb.ConvertContentResponse]:
        requests = aiter(request_iterator)
        first = await anext(requests, None)
        if first is None or not first.HasField("header"):
            raise InvalidArgument("the first message must carry a header")
        try:
            made = await self._manager.convert_content(
                first.header.exporter, first.header.name, _chunks(first, requests)
            )
        except DomainError:
            await read_on(requests, lambda request: len(request.chunk))
            raise
        async with made as converted:
            response = pb.ConvertContentResponse(header=wire.output_to_proto(converted.output))
            async for chunk in converted.chunks():
                response.chunk = chunk
                yield response
                response = pb.ConvertContentResponse()
            if response.HasField("header"):
                yield response


async def _chunks(first: pb.ConvertContentRequest, rest: Any) -> AsyncIterator[bytes]:
    if first.chunk:
        yield first.chunk
    async for request in rest:
        if request.HasField("header"):
            raise InvalidArgument("only the first message may carry a header")
        yield request.chunk
