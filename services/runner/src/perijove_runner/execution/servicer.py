"""`ExecutionService` on the wire."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import grpc
from perijove.kernels.v1 import execution_pb2 as pb
from perijove.kernels.v1 import execution_pb2_grpc as pb_grpc
from perijove_chassis.credentials import PrincipalKind
from perijove_chassis.errors import InvalidArgument
from perijove_chassis.permissions import EXECUTE, to
from perijove_chassis.server import Service

from perijove_runner.execution import asking, wire
from perijove_runner.execution.model import parse_subshell_id, parse_wanted
from perijove_runner.model import parse_kernel_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from perijove_runner.execution.manager import Attachment, ExecutionManager

    Context = grpc.aio.ServicerContext[Any, Any]

_NAME = pb.DESCRIPTOR.services_by_name["ExecutionService"].full_name


def execution_service(manager: ExecutionManager) -> Service:
    """Return the service, for the processes of Perijove alone."""
    servicer = ExecutionServicer(manager)
    return Service(
        _NAME,
        lambda server: pb_grpc.add_ExecutionServiceServicer_to_server(servicer, server),
        frozenset({PrincipalKind.SERVICE}),
        permissions=to(EXECUTE, "kernels"),
    )


class ExecutionServicer(pb_grpc.ExecutionServiceServicer):
    """Translates each RPC to one call of the manager. Decides nothing."""

    def __init__(self, manager: ExecutionManager) -> None:
        self._manager = manager

    # It writes to the context, and yields nothing: it has to read at the same time.
    async def Execute(  # type: ignore[override]
        self, requests: AsyncIterator[pb.ExecuteRequest], context: Context
    ) -> None:
        """Attach a call to a run, and send what comes of it."""
        first = await anext(requests, None)
        if first is None or not first.HasField("execution"):
            raise InvalidArgument("a stream begins with `execution`")
        asked = first.execution
        attachment = await self._manager.execute(
            wire.execution(asked),
            parse_wanted(asked.after_position, asked.max_output_bytes),
            context.time_remaining(),
        )
        try:
            await _converse(attachment, requests, context)
        finally:
            attachment.close()

    async def Complete(self, request: pb.CompleteRequest, context: Context) -> pb.CompleteResponse:
        reply = await self._ask("complete", request, asking.complete_content(request), context)
        return asking.complete_response(reply)

    async def Inspect(self, request: pb.InspectRequest, context: Context) -> pb.InspectResponse:
        reply = await self._ask("inspect", request, asking.inspect_content(request), context)
        return asking.inspect_response(reply)

    async def History(self, request: pb.HistoryRequest, context: Context) -> pb.HistoryResponse:
        reply = await self._ask("history", request, asking.history_content(request), context)
        return asking.history_response(reply)

    async def IsComplete(
        self, request: pb.IsCompleteRequest, context: Context
    ) -> pb.IsCompleteResponse:
        reply = await self._ask("is_complete", request, {"code": request.code}, context)
        return asking.is_complete_response(reply)

    async def CreateSubshell(
        self, request: pb.CreateSubshellRequest, context: Context
    ) -> pb.CreateSubshellResponse:
        reply = await self._subshells("create_subshell", request, {}, context)
        return pb.CreateSubshellResponse(subshell_id=str(reply.get("subshell_id", "")))

    async def DeleteSubshell(
        self, request: pb.DeleteSubshellRequest, context: Context
    ) -> pb.DeleteSubshellResponse:
        content: dict[str, object] = {"subshell_id": parse_subshell_id(request.subshell_id)}
        await self._subshells("delete_subshell", request, content, context)
        return pb.DeleteSubshellResponse()

    async def ListSubshells(
        self, request: pb.ListSubshellsRequest, context: Context
    ) -> pb.ListSubshellsResponse:
        reply = await self._subshells("list_subshell", request, {}, context)
        return pb.ListSubshellsResponse(subshell_ids=reply.get("subshell_id") or ())

    async def _ask(
        self,
        kind: str,
        request: Any,  # noqa: ANN401 - of four kinds
        content: dict[str, object],
        context: Context,
    ) -> dict[str, Any]:
        return await self._manager.ask(
            parse_kernel_id(request.kernel_id),
            kind,
            content,
            context.time_remaining(),
            subshell_id=parse_subshell_id(request.subshell_id),
        )

    async def _subshells(
        self,
        kind: str,
        request: Any,  # noqa: ANN401
        content: dict[str, object],
        context: Context,
    ) -> dict[str, Any]:
        kernel_id = parse_kernel_id(request.kernel_id)
        return await self._manager.subshells(kernel_id, kind, content, context.time_remaining())


async def _converse(
    attachment: Attachment, requests: AsyncIterator[pb.ExecuteRequest], context: Context
) -> None:
    """Send what comes of a run, and take what the client says meanwhile, if anything."""
    sending: asyncio.Future[None] = asyncio.ensure_future(_send(attachment, context))
    receiving: asyncio.Future[None] = asyncio.ensure_future(_receive(requests, attachment))
    try:
        waiting = {sending, receiving, attachment.failed}
        while not sending.done() and not attachment.failed.done():
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for ended in done:
                ended.result()
    finally:
        sending.cancel()
        receiving.cancel()
        await asyncio.gather(sending, receiving, return_exceptions=True)


async def _send(attachment: Attachment, context: Context) -> None:
    accepted = pb.Accepted(
        request_id=attachment.request_id, created=attachment.created, epoch=attachment.epoch
    )
    try:
        await context.write(pb.ExecuteResponse(accepted=accepted))
        async with aclosing(attachment.outputs()) as outputs:
            async for placed in outputs:
                await context.write(wire.response(placed))
    except grpc.aio.InternalError:
        # The client went away in the middle of a write.
        return


async def _receive(requests: AsyncIterator[pb.ExecuteRequest], attachment: Attachment) -> None:
    async for request in requests:
        match request.WhichOneof("payload"):
            case "input_answer":
                attachment.answer(request.input_answer.input_id, request.input_answer.value)
            case "interrupt":
                attachment.interrupt()
            case _:
                raise InvalidArgument("a stream has one `execution`, and no empty requests")
