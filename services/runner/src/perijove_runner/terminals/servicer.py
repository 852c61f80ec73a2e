"""The `TerminalsService` of a runner."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
from perijove.terminals.v1 import terminals_pb2 as pb
from perijove.terminals.v1 import terminals_pb2_grpc as pb_grpc
from perijove_chassis.credentials import PrincipalKind
from perijove_chassis.errors import InvalidArgument
from perijove_chassis.paging import page
from perijove_chassis.permissions import EXECUTE, WRITE, any_of, to
from perijove_chassis.server import Service

from perijove_runner.terminals import wire
from perijove_runner.terminals.model import parse_client_id, parse_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from perijove_runner.terminals.clients import TerminalClient
    from perijove_runner.terminals.manager import TerminalManager
    from perijove_runner.terminals.model import Terminal

    Context = grpc.aio.ServicerContext[Any, Any]


class TerminalsServicer(pb_grpc.TerminalsServiceServicer):
    """Translates each RPC to one call of the manager. Decides nothing."""

    def __init__(self, manager: TerminalManager, writer: wire.Writer) -> None:
        self._manager = manager
        self._writer = writer

    async def CreateTerminal(
        self, request: pb.CreateTerminalRequest, context: Context
    ) -> pb.CreateTerminalResponse:
        del context
        terminal, created = await self._manager.create(wire.launch_from_proto(request))
        return pb.CreateTerminalResponse(terminal=self._writer.terminal(terminal), created=created)

    async def GetTerminal(
        self, request: pb.GetTerminalRequest, context: Context
    ) -> pb.GetTerminalResponse:
        del context
        terminal = self._manager.get(parse_name(request.name))
        return pb.GetTerminalResponse(terminal=self._writer.terminal(terminal))

    async def ListTerminals(
        self, request: pb.ListTerminalsRequest, context: Context
    ) -> pb.ListTerminalsResponse:
        del context
        shown, token = page(
            self._manager.all(), _start_order, request.page_size, request.page_token
        )
        return pb.ListTerminalsResponse(
            terminals=map(self._writer.terminal, shown), next_page_token=token
        )

    async def DeleteTerminal(
        self, request: pb.DeleteTerminalRequest, context: Context
    ) -> pb.DeleteTerminalResponse:
        del context
        await self._manager.delete(parse_name(request.name))
        return pb.DeleteTerminalResponse()

    async def Attach(  # type: ignore[override]  # it writes instead of yielding
        self, request_iterator: AsyncIterator[pb.AttachRequest], context: Context
    ) -> None:
        client = await self._attach(await anext(request_iterator, None), context)
        receiving = asyncio.ensure_future(_receive(request_iterator, client))
        sending = asyncio.ensure_future(_send(client, context))
        try:
            # A client that has nothing more to type still reads.
            await asyncio.wait({receiving, sending}, return_when=asyncio.FIRST_COMPLETED)
            if receiving.done():
                receiving.result()
            await sending
        finally:
            client.close()
            receiving.cancel()
            sending.cancel()
            await asyncio.gather(receiving, sending, return_exceptions=True)

    async def _attach(self, first: pb.AttachRequest | None, context: Context) -> TerminalClient:
        if first is None or not first.HasField("attach"):
            raise InvalidArgument("a stream begins with `attach`")
        attach = first.attach
        size = wire.size_from_proto(attach.size) if attach.HasField("size") else None
        terminal, client, resumed = self._manager.attach(
            parse_name(attach.name),
            parse_client_id(attach.client_id),
            wire.resume_from_proto(attach),
            size,
        )
        attached = pb.Attached(
            terminal=self._writer.terminal(terminal),
            resumed=resumed,
            position=client.position,
            input_taken=client.taken,
        )
        try:
            await context.write(pb.AttachResponse(attached=attached))
        except BaseException:
            client.close()
            raise
        return client


def terminals_service(manager: TerminalManager, writer: wire.Writer) -> Service:
    """Return the service for a server: for the processes of Perijove alone."""
    return Service(
        name=pb.DESCRIPTOR.services_by_name["TerminalsService"].full_name,
        register=lambda server: pb_grpc.add_TerminalsServiceServicer_to_server(
            TerminalsServicer(manager, writer), server
        ),
        access=frozenset({PrincipalKind.SERVICE}),
        permissions=to(WRITE, "terminals"),
        permissions_by_method={
            **dict.fromkeys(("GetTerminal", "ListTerminals"), any_of("terminals")),
            "Attach": to(EXECUTE, "terminals"),
        },
    )


async def _receive(requests: AsyncIterator[pb.AttachRequest], client: TerminalClient) -> None:
    """Take what the client sends until it has sent all."""
    async for request in requests:
        match request.WhichOneof("payload"):
            case "input":
                await client.type(request.input.position, request.input.data)
            case "resize":
                client.resize(wire.size_from_proto(request.resize))
            case _:
                raise InvalidArgument("a stream has one `attach`, and no empty requests")


async def _send(client: TerminalClient, context: Context) -> None:
    """Send what is shown to the end. While a write is under way, more gathers."""
    try:
        while news := await client.next():
            await context.write(wire.response(news))
    except grpc.aio.InternalError:
        # The client went away in the middle of a write.
        return


def _start_order(terminal: Terminal) -> str:
    return f"{terminal.create_time:020.6f} {terminal.name}"
