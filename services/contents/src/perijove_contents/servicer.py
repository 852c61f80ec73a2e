"""`ContentsService` on the wire."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import grpc
from perijove.contents.v1 import contents_pb2 as pb
from perijove.contents.v1 import contents_pb2_grpc as pb_grpc
from perijove_chassis.errors import Aborted, DomainError, InvalidArgument
from perijove_chassis.pieces import Piece, Pieces

from perijove_contents import wire
from perijove_contents.content import whole
from perijove_contents.model import EntryPath, Precondition
from perijove_contents.reading_on import read_on

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from perijove_contents.manager import ContentsManager
    from perijove_contents.model import Bytes
    from perijove_contents.watching import WatchManager


PIECES: dict[str, Pieces[Any]] = {
    "ReadContent": Pieces(pb.ReadContentResponse, "chunk"),
    "WriteContent": Pieces(pb.WriteContentRequest, "chunk"),
}
"""How content travels."""


_COPIED_BYTES = 64 * 1024
"""Largest piece that takes longer to send by itself than to copy."""


class ContentsServicer(pb_grpc.ContentsServiceServicer):
    """Translates each RPC to one call of the manager. Decides nothing."""

    def __init__(self, manager: ContentsManager, watching: WatchManager) -> None:
        self._manager = manager
        self._watching = watching

    async def GetEntry(self, request: pb.GetEntryRequest, context: Any) -> pb.GetEntryResponse:
        found = self._manager.look if request.untold else self._manager.get
        entry = await found(
            EntryPath.parse(request.path),
            wire.type_from_proto(request.type),
            with_hash=request.include_hash,
        )
        return pb.GetEntryResponse(entry=wire.entry_to_proto(entry))

    async def ListEntries(
        self, request: pb.ListEntriesRequest, context: Any
    ) -> pb.ListEntriesResponse:
        entries, more = await self._manager.list(
            EntryPath.parse(request.path),
            after=request.page_token,
            limit=wire.page_size(request.page_size, default=1000, most=10_000),
        )
        return pb.ListEntriesResponse(
            entries=map(wire.entry_to_proto, entries),
            next_page_token=entries[-1].path.name if more else "",
        )

    async def ReadContent(  # type: ignore[override]
        self, request: pb.ReadContentRequest, context: Any
    ) -> AsyncIterator[pb.ReadContentResponse | Piece]:
        reading = self._manager.read(
            EntryPath.parse(request.path),
            wire.type_from_proto(request.type),
            wire.format_from_proto(request.format),
            with_hash=request.include_hash,
        )
        async with reading as content:
            # The header travels with a small first piece: a small read is one message.
            response = pb.ReadContentResponse(
                header=pb.ReadContentHeader(
                    entry=wire.entry_to_proto(content.entry),
                    format=wire.format_to_proto(content.format),
                    validation_message=content.validation_message,
                    size_bytes=content.size_bytes,
                )
            )
            if content.batches:
                async for batch in content.batches:
                    response.entries.extend(map(wire.entry_to_proto, batch))
                    yield response
                    response = pb.ReadContentResponse()
            if content.chunks:
                async for chunk in content.chunks:
                    if len(chunk) > _COPIED_BYTES:
                        if response.HasField("header"):
                            yield response
                            response = pb.ReadContentResponse()
                        yield Piece((chunk,))
                    else:
                        response.chunk = bytes(chunk)
                        yield response
                        response = pb.ReadContentResponse()
            if response.HasField("header"):
                yield response

    async def WriteContent(self, request_iterator: Any, context: Any) -> pb.WriteContentResponse:
        requests = aiter(request_iterator)
        first = await anext(requests, None)
        if first is None or not _has_header(first):
            raise InvalidArgument("the first message must carry a header")
        try:
            write = wire.write_from_proto(first.header)
            written = await self._manager.write(write, _chunks(first, requests, context))
        except DomainError:
            await read_on(requests, lambda request: len(_chunk_of(request)))
            raise
        return pb.WriteContentResponse(
            entry=wire.entry_to_proto(written.entry),
            created=written.created,
            validation_message=written.validation_message,
        )

    async def SaveContent(
        self, request: pb.SaveContentRequest, context: Any
    ) -> pb.SaveContentResponse:
        written = await self._manager.write(
            wire.write_from_proto(request.header), whole(request.content)
        )
        return pb.SaveContentResponse(
            entry=wire.entry_to_proto(written.entry),
            created=written.created,
            validation_message=written.validation_message,
        )

    async def CreateEntry(
        self, request: pb.CreateEntryRequest, context: Any
    ) -> pb.CreateEntryResponse:
        entry = await self._manager.create(
            EntryPath.parse(request.directory),
            wire.type_from_proto(request.type),
            request.extension,
        )
        return pb.CreateEntryResponse(entry=wire.entry_to_proto(entry))

    async def CopyEntry(self, request: pb.CopyEntryRequest, context: Any) -> pb.CopyEntryResponse:
        entry = await self._manager.copy(
            EntryPath.parse(request.path), EntryPath.parse(request.target_path)
        )
        return pb.CopyEntryResponse(entry=wire.entry_to_proto(entry))

    async def RenameEntry(
        self, request: pb.RenameEntryRequest, context: Any
    ) -> pb.RenameEntryResponse:
        entry = await self._manager.rename(
            EntryPath.parse(request.path),
            EntryPath.parse(request.new_path),
            Precondition.of_hash(request.if_hash),
        )
        return pb.RenameEntryResponse(entry=wire.entry_to_proto(entry))

    async def DeleteEntry(
        self, request: pb.DeleteEntryRequest, context: Any
    ) -> pb.DeleteEntryResponse:
        await self._manager.delete(
            EntryPath.parse(request.path), Precondition.of_hash(request.if_hash)
        )
        return pb.DeleteEntryResponse()

    async def CreateCheckpoint(
        self, request: pb.CreateCheckpointRequest, context: Any
    ) -> pb.CreateCheckpointResponse:
        checkpoint = await self._manager.create_checkpoint(EntryPath.parse(request.path))
        return pb.CreateCheckpointResponse(checkpoint=wire.checkpoint_to_proto(checkpoint))

    async def ListCheckpoints(
        self, request: pb.ListCheckpointsRequest, context: Any
    ) -> pb.ListCheckpointsResponse:
        wire.page_size(request.page_size, default=100, most=100)
        checkpoints = await self._manager.list_checkpoints(EntryPath.parse(request.path))
        return pb.ListCheckpointsResponse(checkpoints=map(wire.checkpoint_to_proto, checkpoints))

    async def RestoreCheckpoint(
        self, request: pb.RestoreCheckpointRequest, context: Any
    ) -> pb.RestoreCheckpointResponse:
        await self._manager.restore_checkpoint(
            EntryPath.parse(request.path),
            request.checkpoint_id,
            Precondition.of_hash(request.if_hash),
        )
        return pb.RestoreCheckpointResponse()

    async def DeleteCheckpoint(
        self, request: pb.DeleteCheckpointRequest, context: Any
    ) -> pb.DeleteCheckpointResponse:
        await self._manager.delete_checkpoint(EntryPath.parse(request.path), request.checkpoint_id)
        return pb.DeleteCheckpointResponse()

    async def TrustNotebook(
        self, request: pb.TrustNotebookRequest, context: Any
    ) -> pb.TrustNotebookResponse:
        await self._manager.trust(EntryPath.parse(request.path))
        return pb.TrustNotebookResponse()

    async def WatchEntries(
        self, request: pb.WatchEntriesRequest, context: Any
    ) -> AsyncIterator[pb.WatchEntriesResponse]:
        updates = self._watching.watch(EntryPath.parse(request.path), request.after)
        async with aclosing(updates) as following:  # type: ignore[type-var]
            async for update in following:
                yield wire.update_to_proto(update)

    async def GetKernelPath(
        self, request: pb.GetKernelPathRequest, context: Any
    ) -> pb.GetKernelPathResponse:
        found = await self._manager.kernel_path(EntryPath.parse(request.path))
        return pb.GetKernelPathResponse(
            working_directory=found.working_directory,
            document_location=found.document_location,
            home_directory=found.home_directory,
        )


async def _chunks(first: pb.WriteContentRequest, rest: Any, context: Any) -> AsyncIterator[Bytes]:
    said = first.header.size_bytes if first.header.HasField("size_bytes") else None
    taken = len(first.chunk)
    if taken:
        yield first.chunk
    while taken != said and (request := await anext(rest, None)):
        if _has_header(request):
            raise InvalidArgument("only the first message may carry a header")
        chunk = _chunk_of(request)
        taken += len(chunk)
        yield chunk
    if said is None:
        await _require_end(context)
    elif taken < said:
        raise Aborted("the stream ended before it carried what it was said to")
    elif taken > said:
        raise InvalidArgument("the stream carries more than it was said to")


def _has_header(request: pb.WriteContentRequest | memoryview) -> bool:
    return isinstance(request, pb.WriteContentRequest) and request.HasField("header")


def _chunk_of(request: pb.WriteContentRequest | memoryview) -> Bytes:
    return request if isinstance(request, memoryview) else request.chunk


async def _require_end(context: Any) -> None:
    """Refuse a stream that broke before it was closed.

    grpc.aio reports it as an ended one, and cancels the call only afterwards. To
    send something fails unless the client still listens.
    """
    try:
        await context.send_initial_metadata(())
    except grpc.aio.BaseError:
        raise Aborted("the stream broke before it was closed") from None
