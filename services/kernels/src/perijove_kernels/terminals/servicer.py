"""The `TerminalsService` of the control plane: finds the runner, and asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import grpc
from google.protobuf.message import DecodeError
from perijove.terminals.v1 import terminals_pb2 as pb
from perijove.terminals.v1 import terminals_pb2_grpc as pb_grpc
from perijove_chassis import credentials
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.credentials import PrincipalKind
from perijove_chassis.errors import InvalidArgument
from perijove_chassis.permissions import EXECUTE, WRITE, any_of, to
from perijove_chassis.server import Service

from perijove_kernels.relay import join
from perijove_kernels.terminals import wire
from perijove_kernels.terminals.model import parse_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from perijove_chassis.settings import Secret
    from perijove_chassis.tls import Dialing

    from perijove_kernels.terminals.manager import TerminalManager
    from perijove_kernels.terminals.model import Terminal

    Context = grpc.aio.ServicerContext[Any, Any]

_SERVICE: Final = pb.DESCRIPTOR.services_by_name["TerminalsService"].full_name


class TerminalsServicer(pb_grpc.TerminalsServiceServicer):
    """Translates each RPC to one call of the manager; joins streams to those of runners."""

    def __init__(self, manager: TerminalManager, service_key: Secret, tls: Dialing | None) -> None:
        self._tls = tls
        self._manager = manager
        self._service_key = service_key

    async def CreateTerminal(
        self, request: pb.CreateTerminalRequest, _context: Context
    ) -> pb.CreateTerminalResponse:
        terminal, created = await self._manager.create(wire.launch_from_proto(request))
        return pb.CreateTerminalResponse(terminal=wire.terminal_to_proto(terminal), created=created)

    async def GetTerminal(
        self, request: pb.GetTerminalRequest, _context: Context
    ) -> pb.GetTerminalResponse:
        terminal = await self._manager.get(parse_name(request.name))
        return pb.GetTerminalResponse(terminal=wire.terminal_to_proto(terminal))

    async def ListTerminals(
        self, request: pb.ListTerminalsRequest, _context: Context
    ) -> pb.ListTerminalsResponse:
        terminals, token = await self._manager.all(request.page_size, request.page_token)
        return pb.ListTerminalsResponse(
            terminals=map(wire.terminal_to_proto, terminals), next_page_token=token
        )

    async def DeleteTerminal(
        self, request: pb.DeleteTerminalRequest, _context: Context
    ) -> pb.DeleteTerminalResponse:
        await self._manager.delete(parse_name(request.name))
        return pb.DeleteTerminalResponse()

    async def Attach(  # type: ignore[override]  # bytes, as they come
        self, requests: AsyncIterator[bytes], context: Context
    ) -> None:
        first = await anext(requests, b"")
        terminal = await self._manager.get(_name(first))
        # A connection of its own: what one client does not read is not in another's way.
        channel = self._dial(terminal)
        try:
            call = channel.stream_stream(f"/{_SERVICE}/Attach")()
            await join(first, requests, context, call)
        finally:
            await channel.close()

    def _dial(self, terminal: Terminal) -> Channel:
        name = credentials.runner_name(terminal.runner_id)
        key = credentials.derive_key(self._service_key, name)
        issuer = credentials.Issuer(key, "kernels", name)
        deadlines = Deadlines(by_method={"Attach": None})
        return Channel(terminal.runner_address, issuer, deadlines, tls=self._tls)


def terminals_service(
    manager: TerminalManager, service_key: Secret, tls: Dialing | None = None
) -> Service:
    """Return the row of `TerminalsService`: for the other services and for users."""
    servicer = TerminalsServicer(manager, service_key, tls)
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        name: grpc.unary_unary_rpc_method_handler(
            getattr(servicer, name),
            request_deserializer=getattr(pb, f"{name}Request").FromString,
            response_serializer=getattr(pb, f"{name}Response").SerializeToString,
        )
        for name in ("CreateTerminal", "GetTerminal", "ListTerminals", "DeleteTerminal")
    }
    # Neither side of a stream is (de)serialised: both are bytes.
    handlers["Attach"] = grpc.stream_stream_rpc_method_handler(servicer.Attach)

    def register(server: grpc.aio.Server) -> None:
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))

    return Service(
        _SERVICE,
        register,
        frozenset({PrincipalKind.SERVICE, PrincipalKind.USER}),
        permissions=to(WRITE, "terminals"),
        permissions_by_method={
            **dict.fromkeys(("GetTerminal", "ListTerminals"), any_of("terminals")),
            "Attach": to(EXECUTE, "terminals"),
        },
    )


def _name(first: bytes) -> str:
    try:
        request = pb.AttachRequest.FromString(first)
    except DecodeError:
        raise InvalidArgument("the first request is malformed") from None
    if not request.HasField("attach"):
        raise InvalidArgument("a stream begins with `attach`")
    return parse_name(request.attach.name)
