"""Connection files in a directory, as Jupyter's kernels write them."""

from __future__ import annotations

import asyncio
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from perijove_runner.external.model import FoundKernel
from perijove_runner.model import ConnectionInfo

_MOST: Final = 200
_MAX_BYTES: Final = 64 * 1024
_CONNECT_S: Final = 1.0


class ConnectionDirectory:
    """A directory that others put connection files in, of kernels that they start."""

    def __init__(self, path: str) -> None:
        """Name the directory; it may come and go."""
        self._path = Path(path)

    async def look(self) -> list[FoundKernel]:
        """Return the kernels whose files can be read, and which listen; in order of the names.

        Of more than 200 files the first count.
        """
        found = await asyncio.to_thread(self._read_all)
        listening = await asyncio.gather(*(_listens(one.connection) for one in found))
        return [one for one, listens in zip(found, listening, strict=True) if listens]

    def _read_all(self) -> list[FoundKernel]:
        try:
            paths = sorted(path for path in self._path.iterdir() if path.name[0] != ".")
        except OSError:
            return []
        return [one for path in paths[:_MOST] if (one := self._read(path))]

    def _read(self, path: Path) -> FoundKernel | None:
        # It may be half written, or something else: the next look will tell.
        with suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
            # Not blocking: a pipe in the directory must not hold the reader.
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
            with os.fdopen(os.open(path, flags), "rb") as file:
                if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    connection = msgspec.json.decode(file.read(_MAX_BYTES), type=_File)
                    return FoundKernel(path.name, connection.info())
        return None


class _File(msgspec.Struct):
    shell_port: int
    iopub_port: int
    stdin_port: int
    control_port: int
    key: str
    hb_port: int = 0
    transport: str = "tcp"
    ip: str = "127.0.0.1"
    signature_scheme: str = "hmac-sha256"
    kernel_name: str = ""

    def info(self) -> ConnectionInfo:
        return ConnectionInfo(**msgspec.structs.asdict(self))


async def _listens(connection: ConnectionInfo) -> bool:
    try:
        async with asyncio.timeout(_CONNECT_S):
            port = connection.shell_port
            if connection.transport == "ipc":
                _, writer = await asyncio.open_unix_connection(f"{connection.ip}-{port}")
            elif connection.transport == "tcp":
                _, writer = await asyncio.open_connection(connection.ip, port)
            else:
                return False
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
    except (OSError, ValueError, OverflowError, TimeoutError):
        return False
    return True
