"""What was run in a kernel, in a file: a line with the client's id, then one for each change.

A line is written by one call and not synced, as those of the relay: what the system
has taken survives the end of the process. The last line may be torn.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import msgspec
from perijove_chassis.errors import ResourceExhausted

from perijove_runner.backends.replacing import replace, writing
from perijove_runner.execution.model import RunRecord

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LEAST_BYTES: Final = 256 * 1024
_TIMES_BEGINNING: Final = 4


class RunNotesFile:
    """Notes in a file, which is begun anew when it is much longer than it need be."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left = 0
        self._encoder = msgspec.json.Encoder()

    def load(self) -> tuple[str, list[RunRecord]]:
        """Return the client's id, and the last state of each run, oldest first."""
        try:
            first, *lines = self._path.read_bytes().split(b"\n")[:-1]
            client_id = msgspec.json.decode(first, type=str)
        except (OSError, ValueError, msgspec.MsgspecError):
            return "", []
        decoder = msgspec.json.Decoder(RunRecord)
        records: dict[str, RunRecord] = {}
        for line in lines:
            try:
                record = decoder.decode(line)
            except msgspec.MsgspecError:
                break
            records[record.request_id] = record
        return client_id, [record for record in records.values() if not record.refused]

    def begin(self, client_id: str, records: Sequence[RunRecord]) -> None:
        """Keep these in place of all before, whole or not at all."""
        lines = b"".join(self._encoder.encode(part) + b"\n" for part in (client_id, *records))
        with writing():
            replace(self._path, lines)
        self._left = max(_LEAST_BYTES, _TIMES_BEGINNING * len(lines))

    def add(self, record: RunRecord) -> bool:
        """Keep a record; return whether there is room, or a new beginning is due."""
        line = self._encoder.encode(record) + b"\n"
        with writing():
            # Opened for each line: there are few, and nobody need close it.
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            try:
                if os.write(descriptor, line) != len(line):
                    raise ResourceExhausted("a note was cut short", reason="STORAGE_FULL")
            finally:
                os.close(descriptor)
        self._left -= len(line)
        return self._left > 0
