"""What a relay knows, in a file: a line with a snapshot, then one for each change.

The file is mapped and has its full size from the start, so that a line costs a copy
and no system call: there are several for each cell. What is copied survives the end
of the process, however sudden; it is not synced. The last line may be torn, and
zeros follow it.
"""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING, Final

import msgspec

from perijove_runner.backends.replacing import replace_sized, writing
from perijove_runner.snapshot import RelayChange, RelaySnapshot, after

if TYPE_CHECKING:
    from pathlib import Path

_LEAST_BYTES: Final = 128 * 1024
_TIMES_SNAPSHOT: Final = 4
_END: Final = b"\0"


class RelayNotesFile:
    """Notes in a file, which is begun anew when it is full."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._encoder = msgspec.json.Encoder()
        self._map: mmap.mmap | None = None
        self._used = 0

    def begin(self, snapshot: RelaySnapshot) -> None:
        """Keep a snapshot in place of all before, whole or not at all."""
        line = self._encoder.encode(snapshot) + b"\n"
        size = len(line) + max(_LEAST_BYTES, _TIMES_SNAPSHOT * len(line))
        with writing():
            descriptor = replace_sized(self._path, line, size)
            try:
                fresh = mmap.mmap(descriptor, size)
            finally:
                os.close(descriptor)
        self.close()
        self._map, self._used = fresh, len(line)

    def add(self, change: RelayChange) -> bool:
        """Keep a change; return whether there was room. If not, a new beginning is due."""
        line = self._encoder.encode(change) + b"\n"
        end = self._used + len(line)
        if self._map is None or end > len(self._map):
            return False
        self._map[self._used : end] = line
        self._used = end
        return True

    def close(self) -> None:
        """Close the file."""
        if self._map is not None:
            self._map.close()
            self._map = None


def read(path: Path) -> RelaySnapshot | None:
    """Return what notes say; None if there are none that can be read."""
    try:
        written, _, _ = path.read_bytes().partition(_END)
        first, *lines = written.split(b"\n")[:-1]
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
