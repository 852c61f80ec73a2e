"""One process for each unix socket."""

from __future__ import annotations

import fcntl
import os
import sys
from contextlib import suppress
from pathlib import Path


class Listening:
    """Holds the lock of a unix socket while it is bound.

    A second bind on a live unix path would succeed, and steal it.
    """

    def __init__(self, listen: str) -> None:
        """Take what is listened on; anything but a unix socket needs no lock."""
        self._path = listen.removeprefix("unix:") if listen.startswith("unix:") else ""

    def __enter__(self) -> None:
        if not self._path:
            return
        # Kept open until the process ends: that is what holds the lock.
        lock = os.open(self._path + ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"another process serves {self._path}")
        with suppress(FileNotFoundError):
            Path(self._path).unlink()

    def __exit__(self, *_: object) -> None:
        if self._path:
            Path(self._path).chmod(0o600)
