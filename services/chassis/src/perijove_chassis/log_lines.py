"""Log lines on their way out of the process."""

from __future__ import annotations

import asyncio
import atexit
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

_MOST_WAITING = 1000


class LogLines:
    """Writes lines to a file: those of one turn of the event loop together, after it.

    What is answered in that turn does not wait for its line. A line that says that
    something went wrong is written at once, and so is each where no loop runs. A
    process that is killed loses the lines of its last turn, and nobody fails because
    a line cannot be written.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Write to a file, which is closed by nobody; the rest at the end of the process."""
        self._file = file
        self._waiting: list[bytes] = []
        self._is_scheduled = False
        self._lock = threading.Lock()
        atexit.register(self.flush)

    def info(self, line: str) -> None:
        """Write a line soon."""
        with self._lock:
            self._waiting.append(line.encode(errors="backslashreplace"))
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
            return
        if len(self._waiting) >= _MOST_WAITING:
            self.flush()
        elif not self._is_scheduled:
            self._is_scheduled = True
            loop.call_soon(self.flush)

    debug = info

    def error(self, line: str) -> None:
        """Write a line now."""
        self.info(line)
        self.flush()

    warning = critical = error

    def flush(self) -> None:
        """Write what waits."""
        with self._lock, suppress(OSError, ValueError):
            lines, self._waiting, self._is_scheduled = self._waiting, [], False
            if lines:
                self._file.write(b"\n".join((*lines, b"")))
                self._file.flush()
