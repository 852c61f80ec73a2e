"""Where a runner keeps what of its terminals, below its state directory.

t/<12 hex digits>/    one terminal, private to the user
    record.json       what the next runner needs to know of it
    s                 the socket of the process that holds it: who can be reached
                      there lives, and who cannot is gone
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import msgspec

from perijove_runner.backends.replacing import replace, writing
from perijove_runner.terminals.model import TerminalRecord


class TerminalPlaces:
    """The directories of terminals."""

    def __init__(self, state_dir: str) -> None:
        """Name them; nothing is made yet."""
        self._root = Path(state_dir, "t")

    def socket(self, terminal_id: str) -> Path:
        """Return the socket of the process that holds a terminal."""
        return self._place(terminal_id) / "s"

    def make(self, record: TerminalRecord) -> None:
        """Make a terminal's place.

        Raises:
            ResourceExhausted: if it cannot be written.
        """
        with writing():
            place = self._place(record.terminal_id)
            place.mkdir(mode=0o700, parents=True)
            replace(place / "record.json", msgspec.json.encode(record))

    def remove(self, terminal_id: str) -> None:
        """Remove a terminal's place."""
        shutil.rmtree(self._place(terminal_id), ignore_errors=True)

    def records(self) -> list[TerminalRecord]:
        """Return what is kept, in order of the terminals' start. What cannot be read is removed."""
        found = []
        for place in self._root.iterdir() if self._root.is_dir() else ():
            try:
                text = (place / "record.json").read_bytes()
                found.append(msgspec.json.decode(text, type=TerminalRecord))
            except (OSError, msgspec.MsgspecError):
                shutil.rmtree(place, ignore_errors=True)
        return sorted(found, key=lambda record: record.create_time)

    def _place(self, terminal_id: str) -> Path:
        return self._root / hashlib.sha256(terminal_id.encode()).hexdigest()[:12]
