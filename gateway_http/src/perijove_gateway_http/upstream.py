"""The edge's end of one message stream to a runner."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

import grpc
from perijove.kernels.v1 import channels_pb2 as pb
from perijove_chassis import errors, status

if TYPE_CHECKING:
    from collections.abc import Callable

QUEUE_BYTES: Final = 1024 * 1024
"""Bytes from the client that wait for the runner; past it the client is not read."""

_BATCH_MESSAGES: Final = 128
_GOODBYE_S: Final = 2.0


class Call(Protocol):
    """What is used of a gRPC stream."""

    async def read(self) -> Any:  # noqa: ANN401 - a response, or grpc.aio.EOF
        """Read the next response."""

    async def write(self, request: pb.ConnectRequest) -> None:
        """Write a request."""

    async def done_writing(self) -> None:
        """Say that no request follows."""

    def cancel(self) -> bool:
        """End the stream."""


class Upstream:
    """One `Connect` stream: reads as it comes, writes as it can.

    What is to be written gathers while a write is under way; of the
    acknowledgements only the newest is ever written.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._messages: list[pb.KernelMessage] = []
        self._bytes = 0
        self._ack: pb.Ack | None = None
        self._work = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._finishing = False
        self._ended = False
        self.epoch = 0
        self.place = (0, 0)

    @classmethod
    async def attach(
        cls, connect: Callable[[], Call], attach: pb.Attach, timeout_s: float
    ) -> Upstream:
        """Open a stream and wait until the kernel is ready.

        Raises:
            DomainError: whichever the runner raised; `Unavailable` if there is no answer.
        """
        call = connect()
        try:
            async with asyncio.timeout(timeout_s):
                with status.rpc_errors_as_domain():
                    await call.write(pb.ConnectRequest(attach=attach))
                    response = await call.read()
        except TimeoutError:
            call.cancel()
            raise errors.Unavailable(
                "the kernel's runner does not answer", reason="RUNNER_UNREACHABLE"
            ) from None
        except BaseException:
            call.cancel()
            raise
        if response is grpc.aio.EOF:
            raise errors.Unavailable("the kernel's runner has closed the stream")
        upstream = cls(call)
        upstream.epoch = response.attached.epoch
        upstream.place = (response.attached.epoch, response.attached.sequence)
        return upstream

    async def read(self) -> pb.ConnectResponse | None:
        """Return the next response, or nothing at the end.

        Raises:
            DomainError: whichever ended the stream. It is `Unavailable` if a
                write was under way just then: grpc.aio lets the failure of the
                write stand for the status. A client that reconnects hears more.
        """
        with status.rpc_errors_as_domain():
            response = await self._call.read()
        if response is grpc.aio.EOF:
            return None
        found: pb.ConnectResponse = response
        return found

    async def send(self, message: pb.KernelMessage) -> None:
        """Queue a message for the kernel; wait while too many bytes are queued.

        It is dropped if the stream has ended.
        """
        await self._room.wait()
        if self._ended:
            return
        self._messages.append(message)
        self._bytes += message.ByteSize()
        if self._bytes > QUEUE_BYTES:
            self._room.clear()
        self._work.set()

    def ack(self, epoch: int, sequence: int) -> None:
        """Acknowledge all up to a sequence number, as soon as can be."""
        self._ack = pb.Ack(epoch=epoch, sequence=sequence)
        self._work.set()

    async def write(self) -> None:
        """Write what is queued until `finish`, or until the stream ends; `read` says why."""
        try:
            while not self._finishing:
                await self._work.wait()
                self._work.clear()
                await self._write_queued()
            await self._call.done_writing()
        except (grpc.RpcError, asyncio.InvalidStateError):
            return
        finally:
            self._ended = True
            self._room.set()

    def finish(self) -> None:
        """Let `write` write what is left and say that no more follows.

        The client session stays: its client may come back.
        """
        self._finishing = True
        self._work.set()

    async def close(self) -> None:
        """End the stream, after `finish` once the runner has taken what was written.

        It is not cancelled before: that could overtake the last acknowledgement.
        """
        try:
            if self._finishing:
                async with asyncio.timeout(_GOODBYE_S):
                    while await self._call.read() is not grpc.aio.EOF:
                        pass
        except (TimeoutError, grpc.RpcError, asyncio.InvalidStateError):
            pass
        finally:
            self._call.cancel()

    async def _write_queued(self) -> None:
        while self._messages or self._ack:
            # First what the next process would otherwise deliver again.
            ack, self._ack = self._ack, None
            if ack:
                await self._call.write(pb.ConnectRequest(ack=ack))
            if self._messages:
                batch = pb.KernelMessageBatch(messages=self._take())
                await self._call.write(pb.ConnectRequest(batch=batch))

    def _take(self) -> list[pb.KernelMessage]:
        taken: list[pb.KernelMessage] = []
        size = 0
        while self._messages and len(taken) < _BATCH_MESSAGES:
            size += self._messages[0].ByteSize()
            if taken and size > QUEUE_BYTES:
                break
            taken.append(self._messages.pop(0))
        self._bytes -= sum(message.ByteSize() for message in taken)
        if self._bytes <= QUEUE_BYTES:
            self._room.set()
        return taken
