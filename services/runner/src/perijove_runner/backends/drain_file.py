"""The drain of a runner in its state directory."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from perijove_runner.backends import notes
from perijove_runner.backends.replacing import replace, writing
from perijove_runner.draining import Drain

if TYPE_CHECKING:
    from pathlib import Path

_NAME = "drain.json"


class DrainFile:
    """A `DrainNote` in a directory."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / _NAME
        self._left = directory / notes.LEFT

    def load(self) -> Drain | None:
        """Return what is noted; also forget that an earlier runner has left."""
        self._left.unlink(missing_ok=True)
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=Drain)
        except (OSError, msgspec.MsgspecError):
            return None

    def save(self, drain: Drain) -> None:
        """Note a drain."""
        with writing():
            replace(self._file, msgspec.json.encode(drain))

    def remove(self) -> None:
        """Forget the drain."""
        self._file.unlink(missing_ok=True)

    def leave(self) -> None:
        """Forget the drain, and note that the runner has left."""
        # Without room for the note, the runner is started again, empty and undrained.
        with suppress(OSError):
            self._left.touch()
        self.remove()
