"""The runner's side of a process that holds a terminal; the other one is `holder.py`."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from perijove_runner.terminals.backends import frames
from perijove_runner.terminals.store import Found, Shown, Status, Typed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perijove_runner.terminals.model import Size

_HELLO_S: Final = 15.0
_LEAVE_S: Final = 2.0
_MOST_FRAME: Final = 1024 * 1024


class HolderGoneError(Exception):
    """There is nobody at the socket."""


class HeldPty:
    """A `Pty` that a process of its own holds."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        hello: bytes,
        remove: Callable[[], None],
    ) -> None:
        """Take up a terminal; see `connect`."""
        pid, start, end, active, self.error = frames.HELLO.unpack_from(hello)
        taken = dict(frames.TAKEN.iter_unpack(hello[frames.HELLO.size :]))
        self._found = Found(start, end, active, taken)
        self._reader = reader
        self._writer = writer
        self._remove = remove
        self._process = _Process(pid)

    @property
    def found(self) -> Found:
        """What it was like when it was taken up."""
        return self._found

    async def read(self) -> Shown | Typed | Status | None:
        """Return what happens next; None if the process is gone."""
        while frame := await _read_frame(self._reader):
            kind, rest = frame
            match kind:
                case b"O":
                    return Shown(rest)
                case b"T":
                    return Typed(*frames.TAKEN.unpack(rest))
                case b"E":
                    return Status(*frames.STATUS.unpack(rest))
        return None

    async def type(self, client: int, position: int, data: bytes) -> None:
        """Type input of a client, but for what was taken before."""
        self._send(b"I", frames.INPUT.pack(client, position) + data)
        with suppress(OSError):
            await self._writer.drain()

    def resize(self, size: Size) -> None:
        """Make it another size."""
        self._send(b"S", frames.SIZE.pack(size.rows, size.columns))

    def signal(self, number: int) -> None:
        """Send a signal to the shell."""
        self._send(b"K", frames.SIGNAL.pack(number))

    async def forget(self) -> None:
        """Let the process end, make it if it must be, and remove its place."""
        self._send(b"F", b"")
        await self.release()
        await self._process.ended_within(_LEAVE_S)
        self._remove()

    async def release(self) -> None:
        """Leave it to a runner that comes after this one."""
        with suppress(OSError):
            async with asyncio.timeout(_LEAVE_S):
                await self._writer.drain()
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    def _send(self, kind: bytes, rest: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(frames.FRAME.pack(kind, len(rest)) + rest)


class _Process:
    """The process at the other end: of this runner, or of one before it."""

    def __init__(self, pid: int) -> None:
        self._over = asyncio.get_running_loop().create_future()
        try:
            # Nobody else has the pid: the process has just spoken.
            self._pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            self._pidfd = -1
            self._over.set_result(None)
        else:
            asyncio.get_running_loop().add_reader(self._pidfd, self._ended)

    async def ended_within(self, seconds: float) -> None:
        """Wait for its end, and kill it if it does not come in time."""
        await asyncio.wait({self._over}, timeout=seconds)
        if not self._over.done():
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            await self._over

    def _ended(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        with suppress(ChildProcessError):  # the supervisor reaps what this runner did not start
            os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG)
        os.close(self._pidfd)
        self._over.set_result(None)


async def connect(socket: Path, remove: Callable[[], None]) -> HeldPty:
    """Take up the terminal of the process that listens at a socket.

    Args:
        socket: The path.
        remove: Removes what is kept of the terminal.

    Raises:
        HolderGoneError: if there is none.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(str(socket))
    except OSError as error:
        raise HolderGoneError from error
    try:
        async with asyncio.timeout(_HELLO_S):
            frame = await _read_frame(reader)
    except TimeoutError:
        frame = None
    if frame is None:
        writer.close()
        raise HolderGoneError
    return HeldPty(reader, writer, frame[1], remove)


async def _read_frame(reader: asyncio.StreamReader) -> tuple[bytes, bytes] | None:
    try:
        kind, size = frames.FRAME.unpack(await reader.readexactly(frames.FRAME.size))
        if size > _MOST_FRAME:
            return None
        return kind, await reader.readexactly(size)
    except (asyncio.IncompleteReadError, OSError):
        return None
