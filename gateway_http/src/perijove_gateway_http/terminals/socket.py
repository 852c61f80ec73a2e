"""Between a WebSocket and a terminal, in the JSON arrays of terminado.

To the client: `["setup", {}]`, then `["stdout", text]`, and at the end of the terminal
`["disconnect", 1]`. From it: `["stdin", text]` and `["set_size", rows, columns, ...]`.
What is none of these is ignored.
"""

from __future__ import annotations

import asyncio
import codecs
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog
from aiohttp import WSCloseCode, WSMsgType
from perijove_chassis import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from perijove_gateway_http.terminals.upstream import TerminalUpstream

log = structlog.get_logger()

MAX_INCOMING_BYTES: Final = 10 * 1024 * 1024
"""Largest message a client may send, as in jupyter_server; a larger one closes the socket."""

PING_INTERVAL_S: Final = 30.0
PONG_WITHIN_S: Final = 90.0
"""Seconds after which a client that says nothing is given up."""

_ENDS: Final = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)
_MAX_SIDE: Final = 10_000
_MOST_MESSAGE_BYTES: Final = 100
_CLOSE_S: Final = 10.0
_GOODBYE_S: Final = 2.0
_SETUP: Final = '["setup",{}]'
_DISCONNECT: Final = '["disconnect",1]'

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[Any])


class TerminalSocket:
    """One client's WebSocket, joined to one terminal."""

    def __init__(
        self,
        request: web.Request,
        websocket: web.WebSocketResponse[bool],
        upstream: TerminalUpstream,
        active: Callable[[], None],
    ) -> None:
        """Join both ends.

        Args:
            request: The upgraded request.
            websocket: Prepared, without automatic pongs and heartbeat.
            upstream: Attached.
            active: Told whenever something is typed or shown.
        """
        self._request = request
        self._websocket = websocket
        self._upstream = upstream
        self._active = active
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._seen = time.monotonic()

    async def run(self) -> None:
        """Relay until either side ends."""
        from_terminal = asyncio.ensure_future(self._from_terminal())
        from_client = asyncio.ensure_future(self._from_client())
        keep_alive = asyncio.ensure_future(self._keep_alive())
        try:
            await asyncio.wait({from_terminal, from_client}, return_when=asyncio.FIRST_COMPLETED)
            if from_client.done():
                # What it has typed is typed, though it is gone.
                with suppress(TimeoutError):
                    async with asyncio.timeout(_GOODBYE_S):
                        await self._upstream.settled()
                return
            # Nobody else may read while the socket closes: the client answers that.
            await _cancel(from_client)
            code, why = from_terminal.result()
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await self._websocket.close(code=code, message=why)
        finally:
            await _cancel(from_terminal, from_client, keep_alive)

    async def _from_terminal(self) -> tuple[WSCloseCode, bytes]:
        """Send what is shown to the end; return how the socket is to be closed."""
        await self._send(_SETUP)
        try:
            while True:
                response = await self._upstream.read()
                match response.WhichOneof("payload"):
                    case "output":
                        await self._show(self._decode(response.output.data))
                    case "gap":
                        lost = response.gap.next_position - response.gap.first_position
                        await self._show(f"\r\n[Output was lost: {lost} bytes]\r\n")
                    case _:
                        return await self._say_end()
        except errors.NotFound:
            # It ended while its runner was away.
            return await self._say_end()
        except errors.DomainError as error:
            return WSCloseCode.SERVICE_RESTART, str(error).encode()[:_MOST_MESSAGE_BYTES]

    async def _say_end(self) -> tuple[WSCloseCode, bytes]:
        await self._send(_DISCONNECT)
        return WSCloseCode.OK, b""

    async def _show(self, text: str) -> None:
        if text:
            self._active()
            await self._send(_encoder.encode(("stdout", text)).decode())

    async def _send(self, text: str) -> None:
        # If the client is gone, `_from_client` sees it, too.
        with suppress(ConnectionError):
            await self._websocket.send_str(text)

    async def _from_client(self) -> None:
        while (message := await self._websocket.receive()).type not in _ENDS:
            self._seen = time.monotonic()
            match message.type:
                case WSMsgType.PING:
                    with suppress(ConnectionError):
                        await self._websocket.pong(message.data)
                case WSMsgType.BINARY | WSMsgType.TEXT:
                    self._active()
                    await self._obey(message.data)

    async def _obey(self, data: bytes) -> None:
        try:
            command = _decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            log.debug("no command of a terminal")
            return
        match command:
            case ["stdin", str(text), *_]:
                await self._upstream.type(text.encode())
            case ["set_size", int(rows), int(columns), *_]:
                if 0 < rows <= _MAX_SIDE and 0 < columns <= _MAX_SIDE:
                    self._upstream.resize(rows, columns)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(PING_INTERVAL_S)
            if time.monotonic() - self._seen > PONG_WITHIN_S:
                log.info("client is silent")
                if self._request.transport:
                    self._request.transport.abort()
                return
            # A client that reads nothing keeps even a ping waiting.
            with suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(PING_INTERVAL_S):
                    await self._websocket.ping()


async def _cancel(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
