"""Between a WebSocket and a kernel's runner.

A batch from the runner becomes one write to the socket, and is acknowledged
with the very next system call: what was written when this process is killed still
reaches the client, and is not sent again. A ping follows every batch. If the client goes
away without the pong, it may not have had what was written, so the
acknowledgement is taken back to the last pong, and a client that returns under
the same session id gets the rest again.

The socket outlives the runner: see `upstream.py`. Its client sees no more of a
runner's end than the text that names the gap.
"""

from __future__ import annotations

import asyncio
import struct
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog
from aiohttp import WSCloseCode, WSMsgType, web
from perijove.kernels.v1 import channels_pb2 as pb
from perijove_chassis import errors

from perijove_gateway_http import framing
from perijove_gateway_http.at_once import write_at_once

if TYPE_CHECKING:
    from perijove_gateway_http.arrivals import Arrival
    from perijove_gateway_http.framing import Framing
    from perijove_gateway_http.upstream import Upstream

log = structlog.get_logger()

MAX_INCOMING_BYTES: Final = 48 * 1024 * 1024
"""Largest message a client may send; a larger one closes the socket with 1009.
jupyter_server takes 10 MiB. A gRPC message may have 64 MiB, and holds this."""

PING_INTERVAL_S: Final = 30.0
PONG_WITHIN_S: Final = 90.0
"""Seconds after which a client that says nothing is given up."""

_PLACE: Final = struct.Struct(">QQ")
_ENDS: Final = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)
_NOT_MANY: Final = 10
_MOST_MESSAGE_BYTES: Final = 100
_CLOSE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class _Goodbye:
    code: WSCloseCode
    message: bytes


class ChannelsSocket:
    """One client's WebSocket, joined to one kernel."""

    def __init__(
        self,
        request: web.Request,
        websocket: web.WebSocketResponse[bool],
        upstream: Upstream,
        protocol: Framing,
    ) -> None:
        """Join both ends.

        Args:
            request: The upgraded request.
            websocket: Prepared, without automatic pongs and heartbeat.
            upstream: Attached.
            protocol: The format agreed on.
        """
        self._request = request
        self._websocket = websocket
        self._upstream = upstream
        self._framing = protocol
        self._last_parent = b"{}"
        self._written = self._confirmed = upstream.place
        self._seen = time.monotonic()
        self._dropped = 0
        self._gone = False

    async def run(self) -> None:
        """Relay until either side ends, then leave the client session in order."""
        from_kernel = asyncio.ensure_future(self._from_kernel())
        from_client = asyncio.ensure_future(self._from_client())
        keep_alive = asyncio.ensure_future(self._keep_alive())
        try:
            await asyncio.wait({from_kernel, from_client}, return_when=asyncio.FIRST_COMPLETED)
            goodbye = from_kernel.result() if from_kernel.done() else None
            if goodbye and not from_client.done():
                # Nobody else may read while the socket closes: the client answers that.
                await _cancel(from_client)
                with suppress(TimeoutError):
                    async with asyncio.timeout(_CLOSE_S):
                        await self._websocket.close(code=goodbye.code, message=goodbye.message)
                return
            # Else the client decides when it is over: even without a kernel the socket stays.
            by_us = await from_client
            if by_us:
                # The close is under way; what was written reaches the client before it.
                await asyncio.wait({from_kernel}, timeout=_CLOSE_S)
            elif self._written != self._confirmed:
                self._upstream.ack(*self._confirmed)
        finally:
            # Cancelling a read cancels the stream: let it end first.
            self._upstream.finish()
            await asyncio.wait({from_kernel}, timeout=_CLOSE_S)
            await _cancel(from_kernel, from_client, keep_alive)

    async def _from_kernel(self) -> _Goodbye | None:
        """Write what the kernel says to the end; return how the socket is to be closed, if so."""
        try:
            while arrival := await self._upstream.read():
                # If the client is gone, `_from_client` sees it, too. What it has sent is
                # still to be taken, and only who reads on hears that it was.
                with suppress(ConnectionError):
                    await self._hand_over(arrival)
        except errors.DomainError as error:
            if error.reason != "NO_SUCH_KERNEL":
                return _goodbye(error)
            # A deleted kernel leaves its sockets open and silent.
            self._gone = True
        return None

    async def _hand_over(self, arrival: Arrival) -> None:
        match arrival.response.WhichOneof("payload"):
            case "batch":
                await self._deliver(arrival)
            case "gap":
                await self._announce(arrival.response.gap)
            case "epoch_begun":
                self._upstream.epoch = arrival.response.epoch_begun.epoch

    async def _from_client(self) -> bool:
        """Take what the client sends; return whether it was not the client that closed."""
        while (message := await self._websocket.receive()).type not in _ENDS:
            self._seen = time.monotonic()
            match message.type:
                case WSMsgType.PING:
                    with suppress(ConnectionError):
                        await self._websocket.pong(message.data)
                case WSMsgType.PONG:
                    self._confirm(message.data)
                case WSMsgType.BINARY | WSMsgType.TEXT if not self._gone:
                    await self._pass_on(message.type, message.data)
        return message.type is WSMsgType.CLOSING

    async def _pass_on(self, kind: WSMsgType, data: bytes) -> None:
        split = self._framing.split
        if kind is WSMsgType.BINARY and isinstance(self._framing, framing.LegacyFraming):
            split = self._framing.split_binary
        try:
            message = split(data)
        except framing.FramingError as error:
            self._dropped += 1
            if self._dropped <= _NOT_MANY:
                log.warning("message dropped", why=str(error))
            return
        await self._upstream.send(message)

    async def _deliver(self, arrival: Arrival) -> None:
        last = arrival.response.batch.messages[-1]
        self._last_parent = last.frames[1]
        framed = arrival.framed(self._framing)
        await self._write([framed], (self._upstream.epoch, last.sequence))

    async def _announce(self, gap: pb.Gap) -> None:
        """Write a gap. What is told once need not be told again, so it is acknowledged, too."""
        place = (gap.epoch, gap.last_sequence) if gap.last_sequence else None
        await self._write(self._explain(gap), place)

    async def _write(self, parts: list[bytes], place: tuple[int, int] | None) -> None:
        """Write frames and a ping to the socket at once, and wait while its buffer is full.

        Raises:
            ConnectionError: if the socket takes no more.
        """
        transport = self._request.transport
        if transport is None or transport.is_closing() or self._websocket.closed:
            raise ConnectionResetError
        if place:
            parts.append(framing.ping(_PLACE.pack(*place)))
        is_written = write_at_once(transport, parts)
        if place:
            self._written = place
            self._upstream.ack(*place, at_once=is_written)
        await self._request.writer.drain()

    def _confirm(self, payload: bytes) -> None:
        if len(payload) == _PLACE.size:
            self._confirmed = _PLACE.unpack(payload)

    def _explain(self, gap: pb.Gap) -> list[bytes]:
        """Return a gap as output of the cell that ran last, where a person sees it."""
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": "stream",
            "username": "perijove",
            "session": uuid.uuid4().hex,
            "date": time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime()),
            "version": "5.3",
        }
        content = {"name": "stderr", "text": f"\n[Output was lost. {gap.message}]\n"}
        encode = msgspec.json.encode
        frames = [encode(header), self._last_parent, b"{}", encode(content)]
        return self._framing.join(pb.CHANNEL_IOPUB, frames)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(PING_INTERVAL_S)
            if time.monotonic() - self._seen > PONG_WITHIN_S:
                log.info("client is silent")
                if self._request.transport:
                    self._request.transport.abort()
                return
            with suppress(ConnectionError):
                await self._websocket.ping()


def _goodbye(error: errors.DomainError) -> _Goodbye:
    """Return how to close a socket so that its client does what helps."""
    match error.reason:
        case "STREAM_REPLACED":
            # Final to front ends: else two of them would push each other out for ever.
            code = WSCloseCode.OK
        case "LIMIT_EXCEEDED":
            code = WSCloseCode.TRY_AGAIN_LATER
        case _:
            code = WSCloseCode.SERVICE_RESTART
    return _Goodbye(code, str(error).encode()[:_MOST_MESSAGE_BYTES])


async def _cancel(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
