"""The `ChannelsService` of a runner."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import grpc
from perijove.kernels.v1 import channels_pb2 as pb
from perijove_chassis.credentials import PrincipalKind
from perijove_chassis.errors import InvalidArgument
from perijove_chassis.permissions import EXECUTE, to
from perijove_chassis.server import Service

from perijove_runner.client_session import Outbox
from perijove_runner.model import Channel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from perijove_runner.clients import ClientStream
    from perijove_runner.relay import KernelRelay

_GOODBYE_S: Final = 1.0
"""Seconds in which a client that has sent all is told what of it was taken."""


def channels_service(lookup: Callable[[str], KernelRelay]) -> Service:
    """Return the service, for the processes of Perijove alone.

    Args:
        lookup: Returns the relay of a kernel, or raises `NotFound`.
    """
    name = pb.DESCRIPTOR.services_by_name["ChannelsService"].full_name
    servicer = ChannelsServicer(lookup)
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "Connect": grpc.stream_stream_rpc_method_handler(
            servicer.Connect,
            request_deserializer=pb.ConnectRequest.FromString,
            # Responses are bytes already: see `encoding.py`.
            response_serializer=None,
        ),
        "ReadJournal": grpc.unary_unary_rpc_method_handler(
            servicer.ReadJournal,
            request_deserializer=pb.ReadJournalRequest.FromString,
            response_serializer=pb.ReadJournalResponse.SerializeToString,
        ),
    }

    def register(server: grpc.aio.Server) -> None:
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))

    access = frozenset({PrincipalKind.SERVICE})
    return Service(name, register, access, permissions=to(EXECUTE, "kernels"))


class ChannelsServicer:
    """Moves messages between gRPC streams and relays."""

    def __init__(self, lookup: Callable[[str], KernelRelay]) -> None:
        self._lookup = lookup

    async def Connect(
        self,
        requests: AsyncIterator[pb.ConnectRequest],
        context: grpc.aio.ServicerContext[Any, bytes],
    ) -> None:
        """Relay one client's messages until either side ends."""
        stream = await self._attach(await anext(requests, None))
        receiving: asyncio.Future[Any] = asyncio.ensure_future(_receive(requests, stream))
        sending: asyncio.Future[Any] = asyncio.ensure_future(_send(stream, context))
        forget = False
        try:
            done, _ = await asyncio.wait(
                {receiving, sending, stream.failed}, return_when=asyncio.FIRST_COMPLETED
            )
            for ended in done:
                forget = bool(ended.result()) or forget
            if receiving in done:
                stream.client_left()
                await asyncio.wait({sending, stream.failed}, timeout=_GOODBYE_S)
        finally:
            stream.close(forget=forget)
            receiving.cancel()
            sending.cancel()
            await asyncio.gather(receiving, sending, return_exceptions=True)

    async def _attach(self, first: pb.ConnectRequest | None) -> ClientStream:
        if first is None or not first.HasField("attach"):
            raise InvalidArgument("a stream begins with `attach`")
        attach = first.attach
        resume = (
            (attach.resume.epoch, attach.resume.sequence) if attach.HasField("resume") else None
        )
        outbox = None
        if attach.HasField("outbox"):
            given = attach.outbox
            outbox = Outbox(given.outbox_id, given.taken, given.returning)
        relay = self._lookup(attach.kernel_id)
        return await relay.attach(
            attach.client_session_id, resume, outbox, skips_spooled=attach.skips_spooled
        )

    async def ReadJournal(
        self,
        request: pb.ReadJournalRequest,
        context: grpc.aio.ServicerContext[pb.ReadJournalRequest, pb.ReadJournalResponse],
    ) -> pb.ReadJournalResponse:
        """Return a page of what a kernel said."""
        del context
        if not request.HasField("after"):
            raise InvalidArgument("a page needs a place to read after")
        relay = self._lookup(request.kernel_id)
        after = (request.after.epoch, request.after.sequence)
        return await relay.read_journal(request.client_session_id, after, request.last_sequence)


async def _receive(requests: AsyncIterator[pb.ConnectRequest], stream: ClientStream) -> bool:
    """Take what the client sends; return whether it will not come back."""
    async for request in requests:
        match request.WhichOneof("payload"):
            case "ack":
                stream.ack(request.ack.epoch, request.ack.sequence)
            case "batch":
                for message in request.batch.messages:
                    stream.send(_channel(message.channel), list(message.frames))
            case "detach":
                return True
            case _:
                raise InvalidArgument("a stream has one `attach`, and no empty requests")
    return False


async def _send(stream: ClientStream, context: grpc.aio.ServicerContext[Any, bytes]) -> None:
    """Send what the kernel says. While a write is under way, the next batch gathers."""
    try:
        while response := await stream.next_response():
            await context.write(response)
    except grpc.aio.InternalError:
        # The client went away in the middle of a write.
        return


def _channel(number: int) -> Channel:
    try:
        return Channel(number)
    except ValueError:
        raise InvalidArgument("a message needs a channel") from None
