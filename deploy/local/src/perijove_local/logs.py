"""The log files of the processes: bounded, and shown on demand."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from perijove_local.terminal import Terminal

MOST_BYTES = 8 * 1024 * 1024
_TAIL_BYTES = 4096
_CHUNK_BYTES = 256 * 1024


class Follower:
    """Reads what is appended to a file, in whole lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0

    def new_text(self) -> str:
        """Return the lines that were appended since the last call, or some of them."""
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                # A file that has shrunk was emptied: it begins anew.
                file.seek(self._position if self._position <= size else 0)
                whole, newline, rest = file.read(_CHUNK_BYTES).rpartition(b"\n")
                self._position = file.tell() - len(rest)
        except OSError:
            return ""
        return (whole + newline).decode(errors="replace")


class Logs:
    """The files `<name>.log` of a directory.

    Processes append to them directly, so that none depends on the launcher for
    it. One that has grown too large is copied to `<name>.log.1` and emptied:
    what is written in that moment is lost.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._followers: dict[str, Follower] = {}

    def path(self, name: str) -> Path:
        """Return the file of a process."""
        return self.directory / f"{name}.log"

    def bound(self) -> None:
        """Empty the files that have grown too large."""
        for path in self.directory.glob("*.log"):
            with suppress(OSError):
                if path.stat().st_size > MOST_BYTES:
                    shutil.copyfile(path, path.with_suffix(".log.1"))
                    os.truncate(path, 0)

    def tail(self, name: str, lines: int = 10) -> str:
        """Return the last lines of a process's log, indented."""
        try:
            with self.path(name).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
                text = file.read().decode(errors="replace")
        except OSError:
            return ""
        return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])

    def show_new(self, terminal: Terminal) -> None:
        """Show what was logged since the last call."""
        for path in sorted(self.directory.glob("*.log")):
            follower = self._followers.setdefault(path.name, Follower(path))
            terminal.passthrough(follower.new_text())
