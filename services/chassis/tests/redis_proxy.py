"""Stands between a client and Redis: slow, or gone in the worst moment, as networks are."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from ssl import SSLContext

COMMANDS = (b"EVAL", b"EVALSHA", b"XREAD")
"""What connections are set up with passes as it is."""


class RedisProxy:
    """Passes on what is said on a unix socket.

    With `breaks`, that share of all commands is executed, but the connection ends before
    the reply: the client must send the same again. A second time it gets its reply.
    """

    def __init__(self, socket: str, folder: Path, breaks: float = 0.0) -> None:
        self.url = f"unix://{folder}/proxy.sock"
        self.breaks = breaks
        self.broken = 0
        """How often a reply was withheld."""
        self.meanwhile: Callable[[], Awaitable[object]] | None = None
        """What happens between such a command and its repetition."""
        self.gate = asyncio.Event()
        """Replies pass only while it is set."""
        self.gate.set()
        self._path = f"{folder}/proxy.sock"
        self._socket = socket
        self._withheld: set[bytes] = set()
        self._server: asyncio.Server | None = None
        self._passing: set[asyncio.Task[None]] = set()

    async def start(self, tls: SSLContext | None = None) -> None:
        """Listen on a unix socket; with TLS, on a port."""
        if tls is None:
            self._server = await asyncio.start_unix_server(self._accept, self._path)
            return
        self._server = await asyncio.start_server(self._accept, "localhost", 0, ssl=tls)
        self.url = f"rediss://localhost:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        assert self._server
        self._server.close()
        for task in tuple(self._passing):
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def _accept(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(client, to_client))
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        asked = bytearray()
        ends = [to_client]
        try:
            server, to_server = await asyncio.open_unix_connection(self._socket)
            ends.append(to_server)
            there = asyncio.create_task(self._pass_there(client, to_server, asked))
            try:
                await self._pass_back(server, to_client, asked)
            finally:
                there.cancel()
                await asyncio.gather(there, return_exceptions=True)
        except OSError:
            pass  # one end is gone, so the other one goes, too
        finally:
            for end in ends:
                end.transport.abort()
                with suppress(OSError):
                    await end.wait_closed()

    async def _pass_there(
        self, client: asyncio.StreamReader, to_server: asyncio.StreamWriter, asked: bytearray
    ) -> None:
        while data := await client.read(65536):
            asked += data
            to_server.write(data)
        to_server.close()

    async def _pass_back(
        self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter, asked: bytearray
    ) -> None:
        while data := await server.read(65536):
            await self.gate.wait()
            if self._withholds(bytes(asked)):
                if self.meanwhile:
                    await self.meanwhile()
                return
            asked.clear()
            to_client.write(data)
            await to_client.drain()

    def _withholds(self, asked: bytes) -> bool:
        name = (asked.split(b"\r\n", 3) + [b""] * 3)[2]
        if name not in COMMANDS:
            return False
        if asked in self._withheld:
            self._withheld.discard(asked)
            return False
        if random.random() >= self.breaks:  # noqa: S311 - no secret
            return False
        self._withheld.add(asked)
        self.broken += 1
        return True
