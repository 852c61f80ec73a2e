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


class Logs:
    """The files `<name>.log` of a directory.

    Processes append to them directly, so that none depends on the launcher for
    it. One that has grown too large is copied to `<name>.log.1` and emptied:
    what is written in that moment is lost.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._shown: dict[str, int] = {}

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
            with suppress(OSError), path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                begin = self._shown.get(path.name, 0)
                file.seek(begin if begin <= size else 0)
                whole, newline, rest = file.read(_CHUNK_BYTES).rpartition(b"\n")
                self._shown[path.name] = file.tell() - len(rest)
                terminal.passthrough((whole + newline).decode(errors="replace"))
