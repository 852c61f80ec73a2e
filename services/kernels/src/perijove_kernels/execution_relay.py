"""Relays the runs of programs to the runners, so that one address is enough.

It parses requests only as far as to know which kernel is meant; everything else
passes as the bytes it came in, with the time that the caller has left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import grpc
from google.protobuf import message_factory
from google.protobuf.message import DecodeError
from perijove.kernels.v1 import execution_pb2 as pb
from perijove_chassis.credentials import PrincipalKind
from perijove_chassis.errors import InvalidArgument
from perijove_chassis.permissions import EXECUTE, to
from perijove_chassis.server import Service
from perijove_chassis.status import rpc_errors_as_domain

from perijove_kernels.model import parse_kernel_id
from perijove_kernels.relay import join

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from google.protobuf.descriptor import MethodDescriptor
    from google.protobuf.message import Message

    from perijove_kernels.lines import Lines
    from perijove_kernels.model import Kernel

    M = TypeVar("M", bound=Message)
    Context = grpc.aio.ServicerContext[Any, bytes]

_SERVICE: Final = pb.DESCRIPTOR.services_by_name["ExecutionService"]
_ANSWER_S: Final = 65.0
"""Somewhat longer than a runner waits for an answer."""


def execution(find: Callable[[str], Awaitable[Kernel]], lines: Lines) -> Service:
    """Return the row of `ExecutionService`: for the other services and for users.

    Args:
        find: Returns a kernel by its id, or raises `NotFound`.
        lines: Connections to the runners.
    """
    relay = RelayingExecutionServicer(find, lines)
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        # Neither side is (de)serialised: both are bytes.
        method.name: grpc.unary_unary_rpc_method_handler(relay.asking(method))
        for method in _SERVICE.methods
        if not method.server_streaming
    }
    handlers["Execute"] = grpc.stream_stream_rpc_method_handler(relay.Execute)
    generic = grpc.method_handlers_generic_handler(_SERVICE.full_name, handlers)
    return Service(
        _SERVICE.full_name,
        lambda server: server.add_generic_rpc_handlers((generic,)),
        frozenset({PrincipalKind.SERVICE, PrincipalKind.USER}),
        permissions=to(EXECUTE, "kernels"),
    )


class RelayingExecutionServicer:
    """Passes each call on to the kernel's runner."""

    def __init__(self, find: Callable[[str], Awaitable[Kernel]], lines: Lines) -> None:
        self._find = find
        self._lines = lines

    async def Execute(self, requests: AsyncIterator[bytes], context: Context) -> None:
        """Relay one client's part in a run until either side ends."""
        first = await anext(requests, b"")
        request = _parsed(pb.ExecuteRequest, first)
        if not request.HasField("execution"):
            raise InvalidArgument("a stream begins with `execution`")
        kernel = await self._find(parse_kernel_id(request.execution.kernel_id))
        async with self._lines.to(kernel) as channel:
            execute = channel.stream_stream(f"/{_SERVICE.full_name}/Execute")
            call = execute(timeout=context.time_remaining())
            try:
                await join(first, requests, context, call)
            finally:
                call.cancel()

    def asking(self, method: MethodDescriptor) -> Callable[[bytes, Context], Awaitable[bytes]]:
        """Return the handler of a unary method."""
        name = f"/{_SERVICE.full_name}/{method.name}"
        request_class = message_factory.GetMessageClass(method.input_type)

        async def ask(raw: bytes, context: Context) -> bytes:
            request: Any = _parsed(request_class, raw)
            kernel = await self._find(parse_kernel_id(request.kernel_id))
            left = context.time_remaining()
            async with self._lines.to(kernel) as channel:
                with rpc_errors_as_domain():
                    reply: bytes = await channel.unary_unary(name)(
                        raw, timeout=_ANSWER_S if left is None else left
                    )
            return reply

        return ask


def _parsed(request_class: type[M], raw: bytes) -> M:
    try:
        return request_class.FromString(raw)
    except DecodeError:
        raise InvalidArgument("the request is malformed") from None
