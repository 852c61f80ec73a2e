"""Notebooks and their conversions as files without a name, which no crash leaves behind."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Self

from perijove_contents.backends.border import os_errors_as_domain
from perijove_contents.backends.durable import write_all
from perijove_contents.store import CHUNK_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

    from perijove_contents.backends.threads import Threads
    from perijove_contents.conversion.model import Output
    from perijove_contents.model import Bytes

_SPOOL = "the conversion"


class Spool:
    """One such file, which a worker can be given."""

    fd: int
    """Valid while it is open."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self.fd = -1

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    async def open(self) -> None:
        """Make the file; to be closed again."""
        with os_errors_as_domain(_SPOOL):
            self.fd = await self._threads.run(_open)

    def close(self) -> None:
        """Let go of the file, which is its end."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    async def fill(self, content: AsyncIterable[Bytes]) -> None:
        """Write content from the beginning, and go back there."""
        async for chunk in content:
            with os_errors_as_domain(_SPOOL):
                await self._threads.run(write_all, self.fd, chunk)
        os.lseek(self.fd, 0, os.SEEK_SET)

    def size(self) -> int:
        """Return how many bytes are in it."""
        return os.fstat(self.fd).st_size

    async def chunks(self, size: int) -> AsyncIterator[bytes]:
        """Yield so many bytes from the beginning."""
        done = 0
        while done < size:
            data = await self._threads.run(os.pread, self.fd, min(CHUNK_BYTES, size - done), done)
            if not data:
                raise EOFError("a conversion was cut short")
            done += len(data)
            yield data


class SpooledOutput:
    """What a conversion made, in such a file."""

    def __init__(self, spool: Spool, output: Output) -> None:
        """Take over an open spool."""
        self.output = output
        self._spool = spool

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._spool.close()

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield all bytes."""
        return self._spool.chunks(self.output.size_bytes)


def _open() -> int:
    with tempfile.TemporaryFile(buffering=0) as file:
        return os.dup(file.fileno())
