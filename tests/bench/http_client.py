"""HTTP and WebSocket clients that cost so little that they are not the limit.

Plain sockets with the kernel's defaults: no quick acknowledgements. The same code
speaks to every server.
"""

import asyncio
import base64
import os
import re
import ssl
import uuid
from typing import Self
from urllib.parse import urlsplit

from tests.bench.messages import Framing

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_SMALL, _MEDIUM = 126, 65536
_PIECE = 2**20


class HttpConnection:
    """One keep-alive connection; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect to the host and port of a URL."""
        parts = urlsplit(url)
        return cls(
            *await asyncio.open_connection(
                parts.hostname, parts.port, limit=2**20, ssl=trusting(url)
            )
        )

    async def send(self, request: bytes) -> bytes:
        """Send a request that is ready to go; returns the body.

        Raises:
            RuntimeError: if the answer is no success.
        """
        # In pieces: one write of all would copy it, and stop whoever else runs here meanwhile.
        for start in range(0, len(request), _PIECE):
            self._writer.write(request[start : start + _PIECE])
            await self._writer.drain()
        head = await self._reader.readuntil(b"\r\n\r\n")
        if found := _LENGTH.search(head):
            body = await self._reader.readexactly(int(found[1]))
        elif b"chunked" in head.lower():
            body = await self._chunks()
        else:
            body = b""
        if not head.startswith((b"HTTP/1.1 2", b"HTTP/1.1 304")):
            raise RuntimeError(f"{request[:100]!r}: {head[:60]!r} {body[:200]!r}")
        return body

    async def count_body(self, request: bytes) -> int:
        """Send a request that is ready to go; returns the size of the body and keeps none of it.

        Raises:
            RuntimeError: if the answer is no success, or says nothing of its size.
        """
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        found = _LENGTH.search(head)
        if not head.startswith(b"HTTP/1.1 200") or not found:
            raise RuntimeError(f"{request[:100]!r}: {head[:200]!r}")
        left = int(found[1])
        while left > 0 and (data := await self._reader.read(min(left, 2**20))):
            left -= len(data)
        return int(found[1]) - left

    async def _chunks(self) -> bytes:
        chunks = []
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            chunks.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)
        return b"".join(chunks)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


def trusting(url: str) -> ssl.SSLContext | None:
    """Return what a client of a URL needs to speak TLS, if it does: it believes anybody."""
    if not url.startswith("https:"):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def request(method: str, url: str, token: str, body: bytes = b"") -> bytes:
    """Return the bytes of a request."""
    parts = urlsplit(url)
    lines = [
        f"{method} {parts.path}{'?' + parts.query if parts.query else ''} HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Authorization: token {token}",
    ]
    if body:
        lines += [f"Content-Length: {len(body)}", "Content-Type: application/json"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class KernelSocket:
    """The WebSocket of one kernel; reads whole frames, or only counts a word in them."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, framing: Framing
    ) -> None:
        self.framing = framing
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(
        cls, url: str, token: str, kernel_id: str, framing: Framing, limit: int = 2**24
    ) -> Self:
        """Connect with a client session of its own; hold about as many bytes unread."""
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(
            parts.hostname, parts.port, limit=limit, ssl=trusting(url)
        )
        path = f"{parts.path}api/kernels/{kernel_id}/channels?session_id={uuid.uuid4().hex}"
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {parts.netloc}",
            f"Authorization: token {token}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        ]
        if framing.subprotocol:
            lines.append(f"Sec-WebSocket-Protocol: {framing.subprotocol}")
        writer.write("\r\n".join([*lines, "", ""]).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise RuntimeError(f"no WebSocket: {head[:80]!r}")
        return cls(reader, writer, framing)

    def send(self, payload: bytes) -> None:
        """Send one message as a client must: masked, here with zeros."""
        size = len(payload)
        if size < _SMALL:
            head = bytes([0x80 | size])
        elif size < _MEDIUM:
            head = bytes([0x80 | 126]) + size.to_bytes(2, "big")
        else:
            head = bytes([0x80 | 127]) + size.to_bytes(8, "big")
        self._writer.write(bytes([0x80 | self.framing.opcode]) + head + bytes(4) + payload)

    async def receive(self) -> bytes:
        """Return the payload of the next frame."""
        head = await self._reader.readexactly(2)
        size = head[1]
        if size == _SMALL:
            size = int.from_bytes(await self._reader.readexactly(2), "big")
        elif size == _SMALL + 1:
            size = int.from_bytes(await self._reader.readexactly(8), "big")
        return await self._reader.readexactly(size)

    async def read_slowly(self) -> None:
        """Read 10 bytes a second, until cancelled."""
        while await self._reader.read(10):  # noqa: ASYNC110 - the pause is the point
            await asyncio.sleep(1.0)

    async def count(self, word: bytes, number: int) -> None:
        """Read until a word has been seen so many times, at any place in the frames."""
        tail = b""
        while number > 0:
            data = tail + await self._reader.read(2**18)
            if len(data) == len(tail):
                raise RuntimeError(f"the server hung up, {number} messages are missing")
            number -= data.count(word)
            tail = data[-len(word) + 1 :]

    def close(self) -> None:
        """Hang up."""
        self._writer.close()
