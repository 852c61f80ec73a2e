"""A shell below a pseudo-terminal. Known to the process that holds it, so it imports little."""

from __future__ import annotations

import errno
import os
import signal
import termios
import time

_CHUNK = 64 * 1024
_AGAIN_S = 0.5
_USUAL = (
    *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGXFSZ),
    *(signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU),
)
"""Ignored by Python, or in what was started with nohup or in the background of a script."""
_IUTF8 = getattr(termios, "IUTF8", 0o40000)


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
            return os.read(self.master, _CHUNK)
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
            return os.write(self.master, data[:_CHUNK])
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
