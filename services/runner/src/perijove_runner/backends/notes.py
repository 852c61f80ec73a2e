"""Notes of how processes ended, from whoever reaps them to whoever wants to know.

The runner makes an empty note for each process it launches. If the process
outlives that runner, the supervisor reaps it and writes its end into the note.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

DIRECTORY = "p"
"""Name of the notes' directory in a state directory."""
LEFT = "left"
"""Name of the empty file there that says that the runner has left for good."""


def make(path: Path) -> None:
    """Make an empty note."""
    path.touch(mode=0o600)


def drop(path: Path) -> None:
    """Remove a note, if it is there."""
    path.unlink(missing_ok=True)


def write(path: Path, *, exit_code: int | None, signal: int | None) -> None:
    """Write how the process ended, whole or not at all, if it has a note."""
    if not path.exists():
        return
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({"exit_code": exit_code, "signal": signal}), encoding="ascii")
    draft.replace(path)


def read(path: Path) -> tuple[int | None, int | None] | None:
    """Return exit code and signal; None if nothing is written yet."""
    with suppress(OSError, ValueError, KeyError):
        note = json.loads(path.read_text(encoding="ascii"))
        return note["exit_code"], note["signal"]
    return None
