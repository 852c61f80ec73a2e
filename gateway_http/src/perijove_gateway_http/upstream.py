"""The edge's end of the message streams to a runner, one after another.

A runner may end and come back, and a connection may break. Then the next stream
is opened from here, under the same client session: it reads on after the last
message that was delivered, and sends what the runner has not taken. The client
at the other end sees at most a gap in the output. When it takes too long, or the
runner refuses, the last error stands.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

import grpc
import structlog
from perijove.kernels.v1 import channels_pb2 as pb
from perijove_chassis import errors, status

from perijove_gateway_http.arrivals import Arrival
from perijove_gateway_http.at_once import Begun
from perijove_gateway_http.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from perijove_gateway_http.arrivals import Arrivals

log = structlog.get_logger()

ATTACH_S: Final = 65.0
"""Seconds that a runner has to answer: somewhat more than it lets a client wait."""
RETURN_S: Final = 30.0
"""Seconds after the break of a stream in which another is tried for."""

_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 1.0
_GOODBYE_S: Final = 2.0


class Call(Protocol):
    """What is used of a gRPC stream."""

    async def read(self) -> Any:  # noqa: ANN401 - bytes, or grpc.aio.EOF
        """Read the next serialized `ConnectResponse`."""

    def write(self, request: pb.ConnectRequest) -> Coroutine[Any, Any, None]:
        """Write a request; begun, it is on its way."""

    async def done_writing(self) -> None:
        """Say that no request follows."""

    def cancel(self) -> bool:
        """End the stream."""


class Connect(Protocol):
    """Opens a `Connect` stream."""

    def __call__(self, *, wait_for_ready: bool = True) -> Call:
        """Open it; wait for a runner that cannot be reached, or let it fail at once."""


class Upstream:
    """A client's way to one kernel: reads as it comes, writes as it can.

    What is to be written gathers while a write is under way; of the
    acknowledgements only the newest is ever written.
    """

    def __init__(
        self, connect: Connect, arrivals: Arrivals, kernel_id: str, session_id: str
    ) -> None:
        """Make one; `attach` opens the first stream.

        Args:
            connect: Opens a stream to the kernel's runner.
            arrivals: Takes what arrives.
            kernel_id: Id of the kernel.
            session_id: Id of the client session.
        """
        self._connect = connect
        self._arrivals = arrivals
        self._kernel_id = kernel_id
        self._session_id = session_id
        self._work = asyncio.Event()
        self._outbox = Outbox(self._begin)
        self._ack: pb.Ack | None = None
        self._may_write = False
        self._begun: Begun | None = None
        self._finishing = asyncio.Event()
        self._call: Call | None = None
        self._writing: asyncio.Task[None] | None = None
        self._give_up_at = 0.0
        self._pause_s = _FIRST_PAUSE_S
        self.epoch = 0
        self.place = (0, 0)
        """Epoch and sequence number up to which all is delivered."""

    async def attach(self) -> None:
        """Open the first stream and wait until the kernel is ready.

        Raises:
            DomainError: whichever the runner raised; `Unavailable` if there is no answer.
        """
        attached = await self._open(self._connect())
        self.place = (attached.epoch, attached.sequence)

    async def read(self) -> Arrival | None:
        """Return what arrives next, or nothing at the end, which `finish` asks for.

        Raises:
            DomainError: whichever the runner raised; `Unavailable` if it was not
                to be reached again in time.
        """
        while True:
            try:
                with status.rpc_errors_as_domain():
                    raw = await self._reading().read()
            except errors.DomainError as error:
                await self._return(error)
                continue
            if raw is grpc.aio.EOF:
                if self._finishing.is_set() and not self._outbox:
                    return None
                # A stream that breaks under a write ends like one that was finished.
                await self._return(errors.Unavailable("the kernel's runner has closed the stream"))
                continue
            self._give_up_at = 0.0
            arrival = self._arrivals.take(raw)
            if arrival.response.taken:
                self._outbox.confirm(arrival.response.taken)
            return arrival

    async def send(self, message: pb.KernelMessage) -> None:
        """Queue a message for the kernel; wait while too many bytes are queued.

        It is dropped once `read` has raised an error.
        """
        await self._outbox.put(message)

    def ack(self, epoch: int, sequence: int, *, at_once: bool = False) -> None:
        """Acknowledge all up to a sequence number, as soon as can be.

        Args:
            epoch: Of the sequence number.
            sequence: Of the last message.
            at_once: Whether to do so before this returns, unless a write is under
                way: what is written when the process is killed arrives.
        """
        self.place = (epoch, sequence)
        self._ack = pb.Ack(epoch=epoch, sequence=sequence)
        if at_once:
            self._begin()
        else:
            self._work.set()

    def finish(self) -> None:
        """Write what is left, and say that no more follows.

        The client session stays: its client may come back.
        """
        self._finishing.set()
        self._work.set()

    async def close(self) -> None:
        """End the stream, after `finish` once the runner has taken what was written.

        It is not cancelled before: that could overtake the last acknowledgement.
        """
        try:
            if self._finishing.is_set() and self._call:
                async with asyncio.timeout(_GOODBYE_S):
                    while await self._call.read() is not grpc.aio.EOF:
                        pass
        except (TimeoutError, grpc.RpcError, asyncio.InvalidStateError):
            pass
        finally:
            await self._abandon()

    async def _open(self, call: Call, *, returning: bool = False) -> pb.Attached:
        try:
            async with asyncio.timeout(ATTACH_S):
                with status.rpc_errors_as_domain():
                    await call.write(pb.ConnectRequest(attach=self._attach(returning=returning)))
                    raw = await call.read()
        except TimeoutError:
            call.cancel()
            raise errors.Unavailable(
                "the kernel's runner does not answer", reason="RUNNER_UNREACHABLE"
            ) from None
        except BaseException:
            call.cancel()
            raise
        if raw is grpc.aio.EOF:
            raise errors.Unavailable("the kernel's runner has closed the stream")
        attached = Arrival(raw).response.attached
        self.epoch = attached.epoch
        self._outbox.rewind(attached.taken)
        self._call = call
        self._work.set()
        self._writing = asyncio.ensure_future(self._write(call))
        return attached

    def _attach(self, *, returning: bool) -> pb.Attach:
        attach = pb.Attach(
            kernel_id=self._kernel_id,
            client_session_id=self._session_id,
            outbox=pb.Outbox(
                outbox_id=self._outbox.outbox_id, taken=self._outbox.taken, returning=returning
            ),
        )
        if returning:
            attach.resume.epoch, attach.resume.sequence = self.place
        return attach

    def _reading(self) -> Call:
        if self._call is None:
            raise errors.Unavailable("there is no stream")
        return self._call

    async def _return(self, error: errors.DomainError) -> None:
        """Open the next stream after one has broken.

        grpc.aio hides why a stream ended if a write was under way just then. A
        stream that was ended for a reason is refused for it when it returns.

        Raises:
            DomainError: if the runner refuses, or time is up.
        """
        await self._abandon()
        now = asyncio.get_running_loop().time
        if not self._give_up_at:
            self._give_up_at, self._pause_s = now() + RETURN_S, _FIRST_PAUSE_S
            log.info("stream broken", kernel_id=self._kernel_id, why=str(error))
        while _may_pass(error) and now() < self._give_up_at and self._has_work():
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
            try:
                await self._open(self._connect(wait_for_ready=False), returning=True)
            except errors.DomainError as refused:
                error = refused
            else:
                return
        self._outbox.close()
        raise error

    def _has_work(self) -> bool:
        """Return whether there is a client, or something that it left to be sent."""
        return bool(self._outbox) or not self._finishing.is_set()

    async def _abandon(self) -> None:
        if self._call:
            self._call.cancel()
            self._call = None
        if self._writing:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
            self._writing = self._begun = None
        self._may_write = False
        # The next stream begins there anyway.
        self._ack = None

    async def _write(self, call: Call) -> None:
        """Write what is queued until `finish`, or until the stream ends; `read` says why."""
        with suppress(grpc.RpcError, asyncio.InvalidStateError):
            while not self._finishing.is_set():
                self._may_write = not self._work.is_set()
                await self._work.wait()
                self._may_write = False
                self._work.clear()
                if self._begun:
                    begun, self._begun = self._begun, None
                    await begun
                await self._write_queued(call)
            await self._write_queued(call)
            await call.done_writing()

    async def _write_queued(self, call: Call) -> None:
        while request := self._next_request():
            await call.write(request)

    def _begin(self) -> None:
        """Write the next of what is queued now, unless a write is under way."""
        if self._may_write and self._call and (request := self._next_request()):
            self._may_write = False
            self._begun = Begun(self._call.write(request))
        self._work.set()

    def _next_request(self) -> pb.ConnectRequest | None:
        # First what the next process would otherwise deliver again.
        if ack := self._ack:
            self._ack = None
            return pb.ConnectRequest(ack=ack)
        if messages := self._outbox.batch():
            return pb.ConnectRequest(batch=pb.KernelMessageBatch(messages=messages))
        return None


def _may_pass(error: errors.DomainError) -> bool:
    return isinstance(error, errors.Unavailable | errors.DeadlineExceeded)
