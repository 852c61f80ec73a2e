"""What a relay knows, in a file: a line with a snapshot, then one for each change.

A line is written by one call and not synced: what the system has taken survives
the end of the process, however sudden. The last line may be torn.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import msgspec
from perijove_chassis.errors import ResourceExhausted

from perijove_runner.backends.replacing import replace, writing
from perijove_runner.snapshot import RelayChange, RelaySnapshot, after

if TYPE_CHECKING:
    from pathlib import Path

_LEAST_BYTES: Final = 256 * 1024
_TIMES_SNAPSHOT: Final = 4


class RelayNotesFile:
    """Notes in a file, which is begun anew when it is much longer than a snapshot."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._left = 0
        self._encoder = msgspec.json.Encoder()

    def begin(self, snapshot: RelaySnapshot) -> None:
        """Keep a snapshot in place of all before, whole or not at all."""
        line = self._encoder.encode(snapshot) + b"\n"
        with writing():
            replace(self._path, line)
            self.close()
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._left = max(_LEAST_BYTES, _TIMES_SNAPSHOT * len(line))

    def add(self, change: RelayChange) -> bool:
        """Keep a change; return whether there is room, or a new beginning is due."""
        line = self._encoder.encode(change) + b"\n"
        with writing():
            if os.write(self._descriptor, line) != len(line):
                raise ResourceExhausted("a note was cut short", reason="STORAGE_FULL")
        self._left -= len(line)
        return self._left > 0

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def read(path: Path) -> RelaySnapshot | None:
    """Return what notes say; None if there are none that can be read."""
    try:
        first, *lines = path.read_bytes().split(b"\n")[:-1]
        snapshot = msgspec.json.decode(first, type=RelaySnapshot)
    except (OSError, ValueError, msgspec.MsgspecError):
        return None
    changes = []
    decoder = msgspec.json.Decoder(RelayChange)
    for line in lines:
        try:
            changes.append(decoder.decode(line))
        except msgspec.MsgspecError:
            break
    return after(snapshot, changes)
