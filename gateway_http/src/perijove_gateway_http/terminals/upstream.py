"""The edge's end of the streams to a terminal, one after another.

A runner may end and come back, and a connection may break. Then the next stream
is opened from here: output goes on after the last byte that was delivered, and
input that is not known to be taken is sent again, which the other end notices.
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

import grpc
import structlog
from perijove.terminals.v1 import terminals_pb2 as pb
from perijove_chassis import errors, status

if TYPE_CHECKING:
    from collections.abc import Coroutine

log = structlog.get_logger()

MAX_WAITING_BYTES: Final = 1024 * 1024
"""Input that may wait to be taken before the client is read no further."""

_ATTACH_S: Final = 15.0
_RETURN_S: Final = 30.0
"""Seconds after the break of a stream in which another is tried for."""
_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 1.0
_CHUNK: Final = 64 * 1024


class Attach(Protocol):
    """Opens an `Attach` stream."""

    def __call__(self, *, wait_for_ready: bool = True) -> Any:  # noqa: ANN401 - untyped in grpc.aio
        """Open it; wait for a runner that cannot be reached, or let it fail at once."""


class TerminalUpstream:
    """A client's way to one terminal: reads as it comes, writes as it can."""

    def __init__(self, attach: Attach, name: str) -> None:
        """Make one; `attach` opens the first stream."""
        self._open_stream = attach
        self._name = name
        self._client_id = uuid.uuid4().hex
        self._resume: pb.ResumePoint | None = None
        self._size: pb.Size | None = None
        self._resized = False
        self._waiting = bytearray()
        self._taken = 0
        self._written = 0
        self._work = asyncio.Event()
        self._room = asyncio.Event()
        self._call: Any = None
        self._writing: asyncio.Task[None] | None = None
        self._give_up_at = 0.0
        self._pause_s = _FIRST_PAUSE_S

    async def attach(self) -> None:
        """Open the first stream.

        Raises:
            DomainError: whichever the runner raised; `Unavailable` if there is no answer.
        """
        await self._open(self._open_stream())

    async def read(self) -> pb.AttachResponse:
        """Return what comes next: output, a gap, or the end of the terminal.

        Raises:
            DomainError: whichever the runner raised; `Unavailable` if it was not
                to be reached again in time.
        """
        while True:
            try:
                with status.rpc_errors_as_domain():
                    response = await self._call.read()
            except errors.DomainError as error:
                await self._return(error)
                continue
            if response is grpc.aio.EOF:
                await self._return(errors.Unavailable("the terminal's runner closed the stream"))
                continue
            self._give_up_at = 0.0
            if response.input_taken:
                self._confirm(response.input_taken)
            if self._note_place(response):
                told: pb.AttachResponse = response
                return told

    async def type(self, data: bytes) -> None:
        """Queue input; wait while too much is queued."""
        while len(self._waiting) >= MAX_WAITING_BYTES:
            self._room.clear()
            await self._room.wait()
        self._waiting += data
        self._work.set()

    def resize(self, rows: int, columns: int) -> None:
        """Say what size the client shows; of several, the last one."""
        self._size = pb.Size(rows=rows, columns=columns)
        self._resized = True
        self._work.set()

    async def settled(self) -> None:
        """Return once all input is taken; somebody must go on reading."""
        while self._taken < self._end:
            self._room.clear()
            await self._room.wait()

    async def close(self) -> None:
        """End the stream."""
        await self._abandon()

    @property
    def _end(self) -> int:
        return self._taken + len(self._waiting)

    def _note_place(self, response: pb.AttachResponse) -> bool:
        """Note up to where output is delivered; return whether there is something to deliver."""
        match response.WhichOneof("payload"):
            case "output":
                position = response.output.position + len(response.output.data)
            case "gap":
                position = response.gap.next_position
            case "ended":
                return True
            case _:
                return False
        if self._resume:
            self._resume.position = position
        return True

    def _confirm(self, taken: int) -> None:
        del self._waiting[: taken - self._taken]
        self._taken = taken
        self._room.set()

    async def _open(self, call: Any) -> None:  # noqa: ANN401 - untyped in grpc.aio
        request = pb.Attach(
            name=self._name, client_id=self._client_id, resume=self._resume, size=self._size
        )
        try:
            async with asyncio.timeout(_ATTACH_S):
                with status.rpc_errors_as_domain():
                    await call.write(pb.AttachRequest(attach=request))
                    response = await call.read()
        except TimeoutError:
            call.cancel()
            raise errors.Unavailable(
                "the terminal's runner does not answer", reason="RUNNER_UNREACHABLE"
            ) from None
        except BaseException:
            call.cancel()
            raise
        if response is grpc.aio.EOF:
            raise errors.Unavailable("the terminal's runner closed the stream")
        attached = response.attached
        self._confirm(max(attached.input_taken, self._taken))
        self._written = self._taken
        self._resume = pb.ResumePoint(
            terminal_id=attached.terminal.terminal_id, position=attached.position
        )
        self._call = call
        self._work.set()
        self._writing = asyncio.ensure_future(self._write(call))

    async def _return(self, error: errors.DomainError) -> None:
        """Open the next stream after one has broken.

        Raises:
            DomainError: if the runner refuses, or time is up.
        """
        await self._abandon()
        now = asyncio.get_running_loop().time
        if not self._give_up_at:
            self._give_up_at, self._pause_s = now() + _RETURN_S, _FIRST_PAUSE_S
            log.info("terminal stream broken", name=self._name, why=str(error))
        while _may_pass(error) and now() < self._give_up_at:
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
            try:
                await self._open(self._open_stream(wait_for_ready=False))
            except errors.DomainError as refused:
                error = refused
            else:
                return
        raise error

    async def _abandon(self) -> None:
        if self._call:
            self._call.cancel()
        if self._writing:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
            self._writing = None

    async def _write(self, call: Any) -> None:  # noqa: ANN401 - untyped in grpc.aio
        """Write what is queued until the stream ends; `read` says why."""
        with suppress(grpc.RpcError, asyncio.InvalidStateError):
            while True:
                await self._work.wait()
                self._work.clear()
                if self._resized and self._size:
                    self._resized = False
                    await call.write(pb.AttachRequest(resize=self._size))
                while self._written < self._end:
                    await self._write_some(call)

    def _write_some(self, call: Any) -> Coroutine[Any, Any, None]:  # noqa: ANN401
        at = self._written - self._taken
        data = bytes(self._waiting[at : at + _CHUNK])
        typed = pb.Input(position=self._written, data=data)
        self._written += len(data)
        writing: Coroutine[Any, Any, None] = call.write(pb.AttachRequest(input=typed))
        return writing


def _may_pass(error: errors.DomainError) -> bool:
    return isinstance(error, errors.Unavailable | errors.DeadlineExceeded)
