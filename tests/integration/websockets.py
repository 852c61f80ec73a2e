"""Clients of the kernel WebSocket, in both formats, and what they talk to."""

from __future__ import annotations

import asyncio
import json
import struct
import uuid
from contextlib import AsyncExitStack, suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import WSMsgType

from tests.integration.edges import runner_of
from tests.jupyter_ws import pack
from tests.relays import DEADLINE_S

if TYPE_CHECKING:
    from perijove_runner.relay import KernelRelay

V1 = "v1.kernel.websocket.jupyter.org"
KERNEL_ID = "0-0-0-0-1"


class Stack:
    """An edge, and a runner that can be taken away and brought back."""

    def __init__(self, url: str, address: str, relays: dict[str, KernelRelay]) -> None:
        self.url = url
        self.relays = relays
        self._address = address
        self._runner = AsyncExitStack()

    async def start_runner(self) -> None:
        await self._runner.enter_async_context(runner_of(self.relays, self._address))

    async def stop_runner(self) -> None:
        await self._runner.aclose()


class Socket:
    """A client in either format."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self.websocket = websocket
        self.is_v1 = websocket.protocol == V1

    async def send(
        self, channel: str, msg_type: str, content: Any, buffers: tuple[bytes, ...] = ()
    ) -> str:
        msg_id = uuid.uuid4().hex
        header = {"msg_id": msg_id, "msg_type": msg_type, "session": "s", "version": "5.3"}
        if self.is_v1:
            parts = [json.dumps(part).encode() for part in (header, {}, {}, content)]
            await self.websocket.send_bytes(pack(channel, [*parts, *buffers]))
            return msg_id
        message = {
            "header": header | {"username": "ü", "date": "2026-01-01T00:00:00Z"},
            "parent_header": {},
            "metadata": {},
            "content": content,
            "channel": channel,
        }
        if buffers:
            await self.websocket.send_bytes(pack_legacy(message, buffers))
        else:
            await self.websocket.send_str(json.dumps(message, ensure_ascii=False))
        return msg_id

    async def execute(self, code: str, *, allow_stdin: bool = False) -> str:
        content = {"code": code, "silent": False, "allow_stdin": allow_stdin}
        return await self.send("shell", "execute_request", content)

    async def next(self) -> dict[str, Any]:
        # Not `wait_for`, which may take a cancellation for itself.
        async with asyncio.timeout(DEADLINE_S):
            message = await self.websocket.receive()
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            raise EOFError(message.type, self.websocket.close_code)
        return parse(message.data, v1=self.is_v1)

    async def until_closed(self) -> None:
        with suppress(EOFError, ConnectionError):
            while True:
                await self.next()

    async def until_done(self, msg_id: str) -> list[dict[str, Any]]:
        found, idle, reply = [], False, False
        while not (idle and reply):
            message = await self.next()
            found.append(message)
            if message["parent_header"].get("msg_id") == msg_id:
                idle = idle or message["content"].get("execution_state") == "idle"
                reply = reply or message["header"]["msg_type"].endswith("_reply")
        return found

    async def run(self, code: str) -> list[dict[str, Any]]:
        return await self.until_done(await self.execute(code))


def parse(data: str | bytes, *, v1: bool) -> dict[str, Any]:
    """Parse as jupyter_client's formats say."""
    if isinstance(data, str):
        return dict(json.loads(data))
    if not v1:
        [count] = struct.unpack_from(">I", data)
        offsets = [*struct.unpack_from(f">{count}I", data, 4), len(data)]
        parts = [data[a:b] for a, b in pairwise(offsets)]
        return dict(json.loads(parts[0])) | {"buffers": parts[1:]}
    [count] = struct.unpack_from("<Q", data)
    offsets = struct.unpack_from(f"<{count}Q", data, 8)
    parts = [data[a:b] for a, b in pairwise(offsets)]
    names = ("header", "parent_header", "metadata", "content")
    message = {name: json.loads(part) for name, part in zip(names, parts[1:5], strict=True)}
    return message | {"channel": parts[0].decode(), "buffers": parts[5:]}


def pack_legacy(message: dict[str, Any], buffers: tuple[bytes, ...]) -> bytes:
    parts = [json.dumps(message).encode(), *buffers]
    offsets = [4 * (len(parts) + 1)]
    for part in parts[:-1]:
        offsets.append(offsets[-1] + len(part))
    return struct.pack(f">{len(parts) + 1}I", len(parts), *offsets) + b"".join(parts)


def text(messages: list[dict[str, Any]]) -> str:
    return "".join(m["content"]["text"] for m in messages if m["header"]["msg_type"] == "stream")


class Reader:
    """Reads without a pause, as browsers do: a ping is answered as soon as it is there."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.words: list[str] = []
        self._changed = asyncio.Event()
        self._task = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        with suppress(EOFError, ConnectionError):
            while True:
                self.words += text([await self.socket.next()]).split()
                self._changed.set()

    async def until(self, count: int) -> None:
        """Return when so many words were read, or the last one."""
        async with asyncio.timeout(DEADLINE_S):
            while len(self.words) < count and "end" not in self.words:
                self._changed.clear()
                await self._changed.wait()

    async def leave(self, how: str) -> list[str]:
        """Break the connection and return what was read until then."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if how == "abort":
            self.socket.websocket._response.connection.transport.abort()
        await self.socket.websocket.close()
        return self.words


async def quiet(socket: Socket) -> None:
    """Take what is still under way, until nothing comes any more."""
    with suppress(TimeoutError):
        while (await socket.websocket.receive(timeout=1)).type is WSMsgType.BINARY:
            pass
