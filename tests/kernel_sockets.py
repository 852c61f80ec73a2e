"""A client of the kernel WebSocket in both formats, message by message."""

from __future__ import annotations

import asyncio
import json
import struct
import uuid
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType

from tests.jupyter_ws import PROTOCOL, pack

if TYPE_CHECKING:
    import aiohttp

DEADLINE_S = 60.0


class Socket:
    """A client in either format."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self.websocket = websocket
        self.is_v1 = websocket.protocol == PROTOCOL

    async def send(
        self, channel: str, msg_type: str, content: Any, buffers: tuple[bytes, ...] = ()
    ) -> str:
        msg_id = uuid.uuid4().hex
        header = {"msg_id": msg_id, "msg_type": msg_type, "session": "s", "version": "5.3"}
        header |= {"username": "ü", "date": "2026-01-01T00:00:00Z"}
        if self.is_v1:
            parts = [json.dumps(part).encode() for part in (header, {}, {}, content)]
            await self.websocket.send_bytes(pack(channel, [*parts, *buffers]))
            return msg_id
        message = {
            "header": header,
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
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": allow_stdin,
            "stop_on_error": True,
        }
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

    async def output(self, code: str) -> str:
        """Return what code prints."""
        asked = await self.execute(code)
        return printed(await self.until_done(asked), asked)


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


def answers(messages: list[dict[str, Any]], msg_id: str) -> list[dict[str, Any]]:
    """Return the messages that belong to a request."""
    return [message for message in messages if message["parent_header"].get("msg_id") == msg_id]


def printed(messages: list[dict[str, Any]], msg_id: str) -> str:
    """Return what a request printed."""
    return "".join(
        message["content"]["text"]
        for message in answers(messages, msg_id)
        if message["header"]["msg_type"] == "stream" and message["content"]["name"] == "stdout"
    )


async def all_within(socket: Socket, seconds: float) -> list[dict[str, Any]]:
    """Return what arrives within some seconds: to see what does not."""
    found = []
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                found.append(await socket.next())
    return found
