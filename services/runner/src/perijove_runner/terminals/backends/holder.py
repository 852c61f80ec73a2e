"""The process that holds one terminal: a pseudo-terminal, its shell, and what was shown lately.

It outlives the runner, which comes back to it over a socket. So it has as
little reason to fail as can be: it needs nothing but the standard library, and
decides nothing. It is told on its command line: the descriptor of the listening
socket and its path, how many bytes to keep, rows, columns, and the command. Of
two runners, the newer one is right. What they say to each other: `frames.py`.

- The shell waits while a runner is there and does not take the output. While
  none is, output goes on, and the oldest is forgotten.
- If the shell ends while no runner is there, this process waits some time for one.
- If the socket's path is gone, nobody will come any more, and the shell is ended.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import termios
import time

from perijove_runner.terminals.backends import frames
from perijove_runner.terminals.backends.shell import Shell
from perijove_runner.terminals.scrollback import Scrollback

_LAST_WORDS = 1024 * 1024
_CLIENTS = 256
_LINGER_S = 60.0
_LOOK_S = 10.0
_AGAIN_S = 0.5


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


class Holder:
    """Carries bytes between a shell and a runner until the shell's end is known."""

    def __init__(self, listening: socket.socket, path: str, most: int, shell: Shell) -> None:
        self._listening = listening
        self._path = path
        self._shell = shell
        self._kept = Scrollback(0, most)
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
            if self._runner is None or self._kept.end - self._sent < frames.AHEAD:
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
                self._send(b"T", frames.TAKEN.pack(client, end))

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
        hello = frames.HELLO.pack(
            os.getpid(), kept.start, kept.end, self._active, self._shell.error
        )
        self._send(
            b"H", hello + b"".join(frames.TAKEN.pack(*one) for one in self._typed.taken.items())
        )

    def _serve_runner(self, events: int) -> None:
        try:
            # First what it has said: it may be gone by now, and nothing can be sent.
            if events & ~select.POLLOUT:
                self._hear()
            if self._runner and events & select.POLLOUT:
                self._flush()
        except BlockingIOError:
            return
        except OSError:
            self._part()

    def _flush(self) -> None:
        if not self._going and self._sent < self._kept.end:
            shown = self._kept.after(self._sent, frames.CHUNK)
            self._sent += len(shown)
            self._send(b"O", shown)
        if not self._going and self._end_is_due():
            self._told = True
            self._send(b"E", frames.STATUS.pack(self._shell.status))
        if self._runner:
            del self._going[: self._runner.send(self._going)]

    def _hear(self) -> None:
        data = self._runner.recv(frames.CHUNK) if self._runner else b""
        if not data:
            self._part()
            return
        self._coming += data
        while len(self._coming) >= frames.FRAME.size:
            kind, size = frames.FRAME.unpack_from(self._coming)
            if len(self._coming) < frames.FRAME.size + size:
                break
            self._obey(kind, bytes(self._coming[frames.FRAME.size : frames.FRAME.size + size]))
            del self._coming[: frames.FRAME.size + size]

    def _obey(self, kind: bytes, told: bytes) -> None:
        if kind == b"I":
            self._active = time.time()
            client, position = frames.INPUT.unpack_from(told)
            self._typed.add(client, position, told[frames.INPUT.size :])
        elif kind == b"S" and self._shell.status is None:
            self._active = time.time()
            termios.tcsetwinsize(self._shell.master, frames.SIZE.unpack(told))
        elif kind == b"K":
            self._shell.signal(*frames.SIGNAL.unpack(told))
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
            self._going += frames.FRAME.pack(kind, len(rest)) + rest


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
