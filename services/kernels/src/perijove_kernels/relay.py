"""Relays message streams for clients that cannot reach the runners.

It parses the first request only, to know which kernel is meant; everything
else passes as the bytes it came in. A stream here is one stream there.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from perijove.kernels.v1 import channels_pb2 as pb
from perijove_chassis import credentials
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.credentials import PrincipalKind
from perijove_chassis.errors import InvalidArgument, Unavailable
from perijove_chassis.permissions import EXECUTE, to
from perijove_chassis.server import Service
from perijove_chassis.status import rpc_errors_as_domain

from perijove_kernels.model import parse_kernel_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from perijove_chassis.settings import Secret
    from perijove_chassis.tls import Dialing

    from perijove_kernels.model import Kernel

    Context = grpc.aio.ServicerContext[Any, bytes]

M = TypeVar("M", bound=Message)

_SERVICE: Final = pb.DESCRIPTOR.services_by_name["ChannelsService"].full_name
_CONNECT: Final = f"/{_SERVICE}/Connect"
_READ_JOURNAL: Final = f"/{_SERVICE}/ReadJournal"
_ATTACH_S: Final = 65.0
"""Somewhat longer than a runner lets a client wait for a starting kernel."""


def channels(
    find: Callable[[str], Awaitable[Kernel]], service_key: Secret, tls: Dialing | None = None
) -> Service:
    """Return the row of `ChannelsService`: for the other services and for users.

    Args:
        find: Returns a kernel by its id, or raises `NotFound`.
        service_key: Signs the calls to the runners.
        tls: How runners on other machines are dialled.
    """
    servicer = RelayingChannelsServicer(find, service_key, tls)
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        # Neither side is (de)serialised: both are bytes.
        "Connect": grpc.stream_stream_rpc_method_handler(servicer.Connect),
        "ReadJournal": grpc.unary_unary_rpc_method_handler(servicer.ReadJournal),
    }

    def register(server: grpc.aio.Server) -> None:
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))

    access = frozenset({PrincipalKind.SERVICE, PrincipalKind.USER})
    return Service(_SERVICE, register, access, permissions=to(EXECUTE, "kernels"))


class RelayingChannelsServicer:
    """Joins each client's stream to one to the kernel's runner."""

    def __init__(
        self,
        find: Callable[[str], Awaitable[Kernel]],
        service_key: Secret,
        tls: Dialing | None,
    ) -> None:
        self._tls = tls
        self._find = find
        self._service_key = service_key

    async def Connect(self, requests: AsyncIterator[bytes], context: Context) -> None:
        """Relay one client's messages until either side ends."""
        first = await anext(requests, None)
        kernel = await self._find(_kernel_id(first))
        if first is None or not kernel.runner_address:
            raise Unavailable("the kernel's runner cannot be reached", reason="RUNNER_UNREACHABLE")
        # A connection of its own: clients out here are few, and a large batch
        # of one does not stand in the way of another's.
        channel = self._dial(kernel)
        try:
            await join(first, requests, context, channel.stream_stream(_CONNECT)())
        finally:
            await channel.close()

    async def ReadJournal(self, request: bytes, context: Context) -> bytes:
        """Pass on a page of what a kernel said."""
        del context
        kernel = await self._find(
            parse_kernel_id(_parsed(request, pb.ReadJournalRequest).kernel_id)
        )
        if not kernel.runner_address:
            raise Unavailable("the kernel's runner cannot be reached", reason="RUNNER_UNREACHABLE")
        channel = self._dial(kernel)
        try:
            with rpc_errors_as_domain():
                page: bytes = await channel.unary_unary(_READ_JOURNAL)(request)
                return page
        finally:
            await channel.close()

    def _dial(self, kernel: Kernel) -> Channel:
        name = credentials.runner_name(kernel.runner_id)
        key = credentials.derive_key(self._service_key, name)
        issuer = credentials.Issuer(key, "kernels", name)
        deadlines = Deadlines(by_method={"Connect": None})
        return Channel(kernel.runner_address, issuer, deadlines, tls=self._tls)


async def join(first: bytes, requests: AsyncIterator[bytes], context: Context, call: Any) -> None:  # noqa: ANN401 - untyped in grpc.aio
    """Join a client's stream to one to a runner, until either ends.

    Raises:
        DomainError: whichever the runner raised.
    """
    upwards = asyncio.ensure_future(_up(first, requests, call))
    try:
        await _down(call, context)
    except grpc.aio.InternalError:
        # The client went away in the middle of a write.
        return
    finally:
        upwards.cancel()
        await asyncio.gather(upwards, return_exceptions=True)


async def _up(first: bytes, requests: AsyncIterator[bytes], call: Any) -> None:  # noqa: ANN401
    """Pass on what the client sends. If the runner is gone, `_down` says why."""
    await call.write(first)
    async for request in requests:
        await call.write(request)
    await call.done_writing()


async def _down(call: Any, context: Context) -> None:  # noqa: ANN401
    """Pass on what the kernel says, and how it ends.

    Raises:
        DomainError: whichever the runner raised.
    """
    with rpc_errors_as_domain():
        try:
            async with asyncio.timeout(_ATTACH_S):
                response = await call.read()
        except TimeoutError:
            raise Unavailable(
                "the kernel's runner does not answer", reason="RUNNER_UNREACHABLE"
            ) from None
        while response is not grpc.aio.EOF:
            await context.write(response)
            response = await call.read()


def _kernel_id(first: bytes | None) -> str:
    request = _parsed(first or b"", pb.ConnectRequest)
    if not request.HasField("attach"):
        raise InvalidArgument("a stream begins with `attach`")
    return parse_kernel_id(request.attach.kernel_id)


def _parsed(request: bytes, kind: type[M]) -> M:
    try:
        return kind.FromString(request)
    except DecodeError:
        raise InvalidArgument("the request is malformed") from None
