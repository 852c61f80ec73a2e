"""The process that holds one terminal: a pseudo-terminal, its shell, and what was shown lately.

It outlives the runner, which comes back to it over a socket. So it has as
little reason to fail as can be: it is run as a script, needs nothing but the
standard library, and decides nothing.

It is told on its command line: the descriptor of the listening socket and its
path, how many bytes to keep, rows, columns, and the command. Over the socket
frames go both ways, each a letter, the length of the rest, and the rest. Of two
runners, the newer one is right.

To the runner: `H` as in `HELLO`, with what was taken of each client's input; `O`
output, which follows on what was sent before; `T` as in `TAKEN`; `E` as in
`STATUS`, when the shell has ended. To the holder: `I` as in `INPUT` and the
bytes; `S` rows and columns; `K` a signal for the shell; `F`: the end is known.

- The shell waits while a runner is there and does not take the output. While
  none is, output goes on, and the oldest is forgotten.
- If the shell ends while no runner is there, this process waits some time for one.
- If the socket's path is gone, nobody will come any more, and the shell is ended.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import struct
import sys
import termios
import time

FRAME = struct.Struct(">cI")
HELLO = struct.Struct(">IQQdI")
"""Process id of the holder, position of the oldest byte that is kept, position after the
newest one, time of the last activity, and why there is no shell (an errno), or zero."""
TAKEN = struct.Struct(">QQ")
"""A client's number, and how many bytes of its input are typed."""
INPUT = struct.Struct(">QQ")
"""A client's number, and the position of the bytes in its input."""
SIZE = struct.Struct(">HH")
STATUS = struct.Struct(">i")
"""Exit code of the shell, or the number of a signal below zero."""
SIGNAL = struct.Struct(">B")

CHUNK = 64 * 1024
AHEAD = 256 * 1024
"""Most bytes that are read for a runner that has not taken what came before."""
TYPED = 64 * 1024
"""Most bytes a runner may send for typing before earlier ones are typed."""

_LAST_WORDS = 1024 * 1024
_CLIENTS = 256
_LINGER_S = 60.0
_LOOK_S = 10.0
_AGAIN_S = 0.5
_USUAL = (
    *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGXFSZ),
    *(signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU),
)
"""Ignored by Python, or in what was started with nohup or in the background of a script."""
_IUTF8 = getattr(termios, "IUTF8", 0o40000)


class Kept:
    """The newest bytes that were shown, counted from the start."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = bytearray()
        self.start = 0

    @property
    def end(self) -> int:
        """Position after the newest byte."""
        return self.start + len(self._bytes)

    def add(self, data: bytes) -> None:
        """Keep more, and forget the oldest if that is too much."""
        self._bytes += data
        over = len(self._bytes) - self._most
        if over > 0:
            del self._bytes[:over]
            self.start += over

    def after(self, position: int, most: int) -> bytes:
        """Return what follows a position that is kept."""
        at = position - self.start
        return bytes(self._bytes[at : at + most])


class Typed:
    """What is to be typed, and what was of each client's input."""

    def __init__(self) -> None:
        self.waiting = bytearray()
        self.taken: dict[int, int] = {}
        self._written = 0
        self._accepted = 0
        self._marks: list[tuple[int, int, int]] = []

    def add(self, client: int, position: int, data: bytes) -> None:
        """Take input, but for what was taken before."""
        end = position + len(data)
        new = data[max(0, self.taken.pop(client, 0) - position) :]
        self.taken[client] = end
        if len(self.taken) > _CLIENTS:
            del self.taken[next(iter(self.taken))]
        self.waiting += new
        self._accepted += len(new)
        self._marks.append((self._accepted, client, end))

    def done(self, count: int) -> list[tuple[int, int]]:
        """Note that bytes are typed; return whose input that was, and up to where."""
        del self.waiting[:count]
        self._written += count
        known = []
        while self._marks and self._marks[0][0] <= self._written:
            _, client, end = self._marks.pop(0)
            known.append((client, end))
        return known


class Shell:
    """A process below a pseudo-terminal."""

    def __init__(self, command: list[str], rows: int, columns: int) -> None:
        self.master, slave = os.openpty()
        attributes = termios.tcgetattr(slave)
        attributes[0] |= _IUTF8
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        termios.tcsetwinsize(slave, (rows, columns))
        told, tell = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _become(command, slave, tell)
        os.close(slave)
        os.close(tell)
        self.error = int(os.read(told, 16) or b"0")
        os.close(told)
        self.pidfd = os.pidfd_open(self.pid)
        self.status: int | None = None
        self.hung_until = 0.0
        os.set_blocking(self.master, False)

    def read(self) -> bytes:
        """Return what it shows; nothing if that is nothing, or nobody has the terminal open."""
        try:
            return os.read(self.master, CHUNK)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self.hung_until = time.monotonic() + _AGAIN_S
            return b""

    def write(self, data: bytearray) -> int:
        """Type as much as can be; return how much."""
        try:
            return os.write(self.master, data[:CHUNK])
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)  # there is nobody any more to read it

    def signal(self, number: int) -> None:
        """Send a signal, if it has not ended."""
        if self.status is None:
            os.kill(self.pid, number)

    def reap(self) -> None:
        """Note how it ended."""
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        os.close(self.pidfd)


class Holder:
    """Carries bytes between a shell and a runner until the shell's end is known."""

    def __init__(self, listening: socket.socket, path: str, most: int, shell: Shell) -> None:
        self._listening = listening
        self._path = path
        self._shell = shell
        self._kept = Kept(most)
        self._typed = Typed()
        self._active = time.time()
        self._runner: socket.socket | None = None
        self._coming = bytearray()
        self._going = bytearray()
        self._sent = 0
        self._told = False
        self._over = False
        self._until = 0.0

    def run(self) -> None:
        """Do so."""
        while not self._over:
            poll = select.poll()
            for fd, events in self._interests().items():
                poll.register(fd, events)
            ready = dict(poll.poll(self._patience_s() * 1000))
            if self._shell.status is None and self._shell.pidfd in ready:
                self._end()
            elif self._shell.master in ready:
                self._serve_shell(ready[self._shell.master])
            if self._runner and self._runner.fileno() in ready:
                self._serve_runner(ready[self._runner.fileno()])
            if self._listening.fileno() in ready:
                self._admit()
            if self._runner is None:
                self._look()

    def _interests(self) -> dict[int, int]:
        found = {self._listening.fileno(): select.POLLIN}
        if self._runner:
            going = self._going or self._sent < self._kept.end or self._end_is_due()
            found[self._runner.fileno()] = select.POLLIN | (select.POLLOUT if going else 0)
        if self._shell.status is None:
            found[self._shell.pidfd] = select.POLLIN
            wanted = select.POLLOUT if self._typed.waiting else 0
            if self._runner is None or self._kept.end - self._sent < AHEAD:
                wanted |= select.POLLIN
            # Who is hung up is always ready.
            if wanted and time.monotonic() >= self._shell.hung_until:
                found[self._shell.master] = wanted
        return found

    def _patience_s(self) -> float:
        return _AGAIN_S if self._shell.hung_until > time.monotonic() else _LOOK_S

    def _serve_shell(self, events: int) -> None:
        if events & (select.POLLIN | select.POLLHUP) and (shown := self._shell.read()):
            self._show(shown)
        if events & select.POLLOUT:
            for client, end in self._typed.done(self._shell.write(self._typed.waiting)):
                self._send(b"T", TAKEN.pack(client, end))

    def _show(self, shown: bytes) -> None:
        self._kept.add(shown)
        self._active = time.time()

    def _end(self) -> None:
        """Take the shell's last words. Programs it left behind may go on, unheard."""
        self._shell.reap()
        until = self._kept.end + _LAST_WORDS
        while self._kept.end < until and (shown := self._shell.read()):
            self._kept.add(shown)
            if self._runner and self._sent < self._kept.start:
                self._sent = self._kept.start
        os.close(self._shell.master)
        self._until = time.monotonic() + _LINGER_S

    def _end_is_due(self) -> bool:
        return self._shell.status is not None and not self._told

    def _admit(self) -> None:
        if self._runner:
            self._runner.close()
        self._runner, _ = self._listening.accept()
        self._runner.setblocking(False)
        self._coming.clear()
        self._going.clear()
        self._told = False
        self._sent = self._kept.start
        kept = self._kept
        hello = HELLO.pack(os.getpid(), kept.start, kept.end, self._active, self._shell.error)
        self._send(b"H", hello + b"".join(TAKEN.pack(*one) for one in self._typed.taken.items()))

    def _serve_runner(self, events: int) -> None:
        try:
            if events & select.POLLOUT:
                self._flush()
            if events & ~select.POLLOUT:
                self._hear()
        except BlockingIOError:
            return
        except OSError:
            self._part()

    def _flush(self) -> None:
        assert self._runner  # noqa: S101 - whose socket is ready
        if not self._going and self._sent < self._kept.end:
            shown = self._kept.after(self._sent, CHUNK)
            self._sent += len(shown)
            self._send(b"O", shown)
        if not self._going and self._end_is_due():
            self._told = True
            self._send(b"E", STATUS.pack(self._shell.status))
        del self._going[: self._runner.send(self._going)]

    def _hear(self) -> None:
        assert self._runner  # noqa: S101 - whose socket is ready
        data = self._runner.recv(CHUNK)
        if not data:
            self._part()
            return
        self._coming += data
        while len(self._coming) >= FRAME.size:
            kind, size = FRAME.unpack_from(self._coming)
            if len(self._coming) < FRAME.size + size:
                break
            self._obey(kind, bytes(self._coming[FRAME.size : FRAME.size + size]))
            del self._coming[: FRAME.size + size]

    def _obey(self, kind: bytes, told: bytes) -> None:
        if kind == b"I":
            self._active = time.time()
            client, position = INPUT.unpack_from(told)
            self._typed.add(client, position, told[INPUT.size :])
        elif kind == b"S" and self._shell.status is None:
            self._active = time.time()
            termios.tcsetwinsize(self._shell.master, SIZE.unpack(told))
        elif kind == b"K":
            self._shell.signal(*SIGNAL.unpack(told))
        elif kind == b"F":
            self._over = True

    def _part(self) -> None:
        if self._runner:
            self._runner.close()
        self._runner = None
        if self._shell.status is not None:
            self._until = time.monotonic() + _LINGER_S

    def _look(self) -> None:
        ended = self._shell.status is not None
        if (ended and time.monotonic() >= self._until) or not os.path.exists(self._path):  # noqa: PTH110 - imports little
            self._shell.signal(signal.SIGHUP)
            self._over = True

    def _send(self, kind: bytes, rest: bytes) -> None:
        if self._runner:
            self._going += FRAME.pack(kind, len(rest)) + rest


def _become(command: list[str], slave: int, tell: int) -> None:
    """Become the shell; tell why, if that cannot be."""
    try:
        os.login_tty(slave)
        # What is ignored here a shell would ignore, too, and all that it starts.
        for number in _USUAL:
            signal.signal(number, signal.SIG_DFL)
        os.execvp(command[0], command)  # noqa: S606 - an argument list, no shell
    except OSError as error:
        os.write(tell, str(error.errno or errno.EINVAL).encode())
    finally:
        os._exit(127)


def main(arguments: list[str]) -> None:
    """Hold a terminal as the command line says."""
    fd, path, most, rows, columns, *command = arguments
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    listening = socket.socket(fileno=int(fd))
    listening.setblocking(False)
    os.set_inheritable(listening.fileno(), False)
    shell = Shell(command, int(rows), int(columns))
    os.chdir("/")
    Holder(listening, path, int(most), shell).run()


if __name__ == "__main__":
    main(sys.argv[1:])
