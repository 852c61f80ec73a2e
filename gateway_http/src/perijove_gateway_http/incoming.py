"""A request body that is looked at, and passed on, while it arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove_gateway_http.problems import Problem
from perijove_gateway_http.streaming import pieces

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import StreamReader

PIECE_BYTES = 256 * 1024
"""About how much is passed on at once: less costs more calls, more costs waiting."""


class Incoming:
    """Reads a body once, in pieces or as a whole; its beginning can be seen before.

    What is read raises `Problem` 413 when the body has more bytes than are allowed;
    the rest stays unread.
    """

    def __init__(self, stream: StreamReader, max_bytes: int) -> None:
        self._stream = stream
        self._stream.set_read_chunk_size(PIECE_BYTES)
        self._left = max_bytes
        self._ahead = b""

    async def peek(self, size: int) -> bytes:
        """Return the beginning, at most `size` bytes of it; less only if there is no more."""
        while len(self._ahead) < size and (chunk := await self._next()):
            self._ahead += chunk
        return self._ahead[:size]

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield all of it, in pieces of about `PIECE_BYTES` that a gRPC message can carry."""
        # Joined once: each copy of a large body counts.
        pending, size = [self._ahead], len(self._ahead)
        self._ahead = b""
        while chunk := await self._next():
            pending.append(chunk)
            size += len(chunk)
            if size >= PIECE_BYTES:
                for piece in pieces(b"".join(pending)):
                    yield piece
                pending, size = [], 0
        for piece in pieces(b"".join(pending)):
            yield piece

    async def whole(self) -> bytes:
        """Return all of it."""
        return b"".join([piece async for piece in self.pieces()])

    async def _next(self) -> bytes:
        chunk = await self._stream.readany()
        self._left -= len(chunk)
        if self._left < 0:
            raise Problem(413, "the request body is too large")
        return chunk
