"""The ZeroMQ sockets of one kernel.

Each socket's file descriptor is watched by the event loop. The descriptor is
edge-triggered: it speaks up once, and sending may swallow what it had to say.
So a socket is read until it is empty on every wake and after every send; a long
run of reads yields to the loop and goes on in its next turn.
"""

from __future__ import annotations

import asyncio
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import structlog
import zmq
from perijove_chassis.errors import ResourceExhausted

from perijove_runner.backends.signing import SIGNED_FRAMES, Signer
from perijove_runner.model import Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perijove_runner.model import ConnectionInfo

log = structlog.get_logger()

_READS_A_TURN: Final = 128
_BYTES_A_TURN: Final = 2 * 1024 * 1024
"""Bytes past which others have their turn: so large messages can be moved to disk meanwhile."""
_PAUSE_S: Final = 0.002
_SENDS_QUEUED: Final = 10_000
_DELIMITER: Final = b"<IDS|MSG>"
_POLL_S: Final = 0.002
_ACCEPT_S: Final = 1.0
_MAX_SOCKETS: Final = 65_535

# Plain integers: pyzmq looks its enums up on every call.
_NOBLOCK: Final = int(zmq.NOBLOCK)
_SNDMORE_NOBLOCK: Final = int(zmq.SNDMORE) | _NOBLOCK
_EVENTS: Final = int(zmq.EVENTS)
_POLLIN: Final = int(zmq.POLLIN)


class Receiver(Protocol):
    """Takes what a kernel says."""

    def __call__(self, channel: Channel, frames: Sequence[bytes]) -> None:
        """Take a verified message: header, parent, metadata, content, buffers."""


class KernelSockets:
    """Shell, control, stdin and iopub of one process of a kernel."""

    def __init__(
        self,
        connection: ConnectionInfo,
        identity: bytes,
        receive: Receiver,
        is_pressed: Callable[[], bool] = lambda: False,
    ) -> None:
        """Describe the sockets; `connect` makes them.

        Args:
            connection: Where the kernel listens.
            identity: What the kernel routes its replies by, on all sockets.
            receive: Called with every message, in the order of each socket.
            is_pressed: Asked in a long run of reads whether to pause for a moment.
        """
        # One for all kernels: it owns the threads that move the bytes.
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
        self._context.max_sockets = _MAX_SOCKETS
        self._connection = connection
        self._identity = identity
        self._receive = receive
        self._is_pressed = is_pressed
        self._signer = Signer(connection.key, connection.signature_scheme)
        self._watched: dict[Channel, _Watched] = {}

    async def connect(self) -> None:
        """Wait until the kernel listens, and connect.

        Waiting first saves the pause that ZeroMQ makes after a failed attempt.
        """
        connection = self._connection
        ports = {
            Channel.IOPUB: connection.iopub_port,
            Channel.SHELL: connection.shell_port,
            Channel.STDIN: connection.stdin_port,
            Channel.CONTROL: connection.control_port,
        }
        signer: Signer | None = self._signer
        if connection.transport == "ipc":
            await _appear([Path(f"{connection.ip}-{port}") for port in ports.values()])
            if _is_private(Path(connection.ip).parent):
                signer = None
        else:
            await _accept(connection.ip, list(ports.values()))
        for channel, port in ports.items():
            socket = self._open(channel, connection.url(port))
            self._watched[channel] = _Watched(
                socket, channel, signer, self._receive, self._is_pressed
            )

    def send(self, channel: Channel, frames: Sequence[bytes]) -> None:
        """Sign a message and send it.

        Raises:
            ResourceExhausted: if the kernel has not taken thousands of earlier ones.
        """
        self._watched[channel].send([_DELIMITER, self._signer.sign(frames), *frames])

    def drain(self) -> None:
        """Take what has arrived by now."""
        for watched in self._watched.values():
            watched.drain()

    def close(self) -> None:
        """Close the sockets; what they still hold is dropped."""
        for watched in self._watched.values():
            watched.close()
        self._watched.clear()

    def _open(self, channel: Channel, url: str) -> zmq.Socket[bytes]:
        if channel is Channel.IOPUB:
            socket = self._context.socket(zmq.SUB)
            # Past its own limit the kernel drops messages without a word. Since we always
            # read, it gets there only if its sending thread has no processor; the
            # journal is what bounds memory.
            socket.rcvhwm = 0
            socket.subscribe(b"")
        else:
            socket = self._context.socket(zmq.DEALER)
            socket.identity = self._identity
            socket.rcvhwm = 0
            socket.sndhwm = _SENDS_QUEUED
        socket.linger = 0
        socket.connect(url)
        return socket


async def _appear(paths: Sequence[Path]) -> None:
    # A look costs a microsecond, and no event tells more.
    while not all(path.exists() for path in paths):  # noqa: ASYNC110
        await asyncio.sleep(_POLL_S)


async def _accept(host: str, ports: Sequence[int]) -> None:
    # Tried by ZeroMQ itself, each would pause for a time of its own. What a kernel asks
    # while its shell is connected and its stdin is not, it drops without a word.
    for port in ports:
        while True:
            with suppress(OSError):  # a timeout is one
                async with asyncio.timeout(_ACCEPT_S):
                    _, writer = await asyncio.open_connection(host, port)
                writer.close()
                break
            await asyncio.sleep(_POLL_S)


def _is_private(directory: Path) -> bool:
    """Return whether only this user has sockets there: whoever can speak has the key, too."""
    found = directory.stat()
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)


class _Watched:
    """One socket, read whenever there is something to read.

    Without a signer it takes messages unseen.
    """

    def __init__(
        self,
        socket: zmq.Socket[bytes],
        channel: Channel,
        signer: Signer | None,
        receive: Receiver,
        is_pressed: Callable[[], bool],
    ) -> None:
        self._socket = socket
        self._channel = channel
        self._signer = signer
        self._receive = receive
        self._is_pressed = is_pressed
        self._loop = asyncio.get_running_loop()
        self._again: asyncio.Handle | None = None
        self._refused = 0
        self._fd = socket.fileno()
        self._loop.add_reader(self._fd, self._read)
        self._schedule()

    def send(self, frames: list[bytes]) -> None:
        socket = self._socket
        try:
            # Only the first frame can be refused: ZeroMQ takes a message whole.
            for frame in frames[:-1]:
                socket.send(frame, _SNDMORE_NOBLOCK)
            socket.send(frames[-1], _NOBLOCK)
        except zmq.Again:
            raise ResourceExhausted(
                "the kernel does not take any more requests", reason="LIMIT_EXCEEDED"
            ) from None
        finally:
            self._schedule()

    def drain(self) -> None:
        while self._read_some():
            pass

    def close(self) -> None:
        self._loop.remove_reader(self._fd)
        if self._again:
            self._again.cancel()
        self._socket.close()

    def _schedule(self) -> None:
        if self._again is None:
            self._again = self._loop.call_soon(self._read)

    def _read(self) -> None:
        if self._again:
            self._again.cancel()
            self._again = None
        if self._is_pressed():
            # The descriptor would call again at once, and for as long as this waits.
            self._loop.remove_reader(self._fd)
            self._again = self._loop.call_later(_PAUSE_S, self._go_on)
        elif self._read_some():
            self._schedule()

    def _go_on(self) -> None:
        self._loop.add_reader(self._fd, self._read)
        self._read()

    def _read_some(self) -> bool:
        """Read until empty or for a turn; return whether there may be more."""
        receive = self._socket.recv
        size = 0
        for number in range(_READS_A_TURN):
            # Messages come one by one or in floods. Asking costs less than an exception,
            # but more than nothing: a second one tells that there are many.
            if number == 1 and not int(self._socket.get(_EVENTS)) & _POLLIN:
                return False
            try:
                frame = receive(_NOBLOCK, copy=False)
            except zmq.Again:
                return False
            # Frames know whether more follow; asking the socket costs more.
            frames = [frame.bytes]
            while frame.more:
                frame = receive(_NOBLOCK, copy=False)
                frames.append(frame.bytes)
            self._take(frames)
            if self._socket.closed:
                return False
            size += len(frames[-1])
            if size > _BYTES_A_TURN:
                break
        return True

    def _take(self, frames: list[bytes]) -> None:
        try:
            start = frames.index(_DELIMITER) + 2
        except ValueError:
            self._refuse("a message from the kernel has no delimiter")
            return
        message = frames[start:]
        if len(message) < SIGNED_FRAMES:
            self._refuse("a message from the kernel is cut short")
        elif self._signer and not self._signer.verify(frames[start - 1], message):
            self._refuse("a message from the kernel has a wrong signature")
        else:
            self._receive(self._channel, message)

    def _refuse(self, why: str) -> None:
        self._refused += 1
        # The first of them tells the story; a flood of lines would hide it.
        if self._refused == 1:
            log.warning(why, channel=self._channel.name.lower())
