"""A request body that is looked at, and passed on, while it arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove_gateway_http.problems import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import StreamReader

PIECE_BYTES = 256 * 1024
"""About how much is passed on at once, never twice as much: less costs more calls,
more costs waiting."""


class Incoming:
    """Reads a body once, in pieces or as a whole; its beginning can be seen before.

    What is read raises `Problem` 413 when the body has more bytes than are allowed;
    the rest stays unread.
    """

    def __init__(self, stream: StreamReader, max_bytes: int) -> None:
        self._stream = stream
        # The next piece arrives while one is passed on.
        self._stream.set_read_chunk_size(2 * PIECE_BYTES)
        self._left = max_bytes
        self._ahead = b""

    async def peek(self, size: int) -> bytes:
        """Return the beginning, at most `size` bytes of it; less only if there is no more."""
        while len(self._ahead) < size and (chunk := await self._next()):
            self._ahead += chunk
        return self._ahead[:size]

    async def parts(self) -> AsyncIterator[list[bytes]]:
        """Yield all of it, each time as much as a gRPC message is to carry, as it came."""
        parts, size = [], 0
        chunk, self._ahead = self._ahead, b""
        while chunk := chunk or await self._next():
            # Hardly ever more than one.
            for start in range(0, len(chunk), PIECE_BYTES):
                parts.append(chunk[start : start + PIECE_BYTES])
                size += len(parts[-1])
                if size >= PIECE_BYTES:
                    yield parts
                    parts, size = [], 0
            chunk = b""
        if size:
            yield parts

    async def whole(self) -> bytes:
        """Return all of it."""
        return b"".join([part async for parts in self.parts() for part in parts])

    async def _next(self) -> bytes:
        # As it is there: several of them would be joined, and each copy counts.
        chunk = b""
        while not chunk and not self._stream.at_eof():
            chunk, _ = await self._stream.readchunk()
        self._left -= len(chunk)
        if self._left < 0:
            raise Problem(413, "the request body is too large")
        return chunk
