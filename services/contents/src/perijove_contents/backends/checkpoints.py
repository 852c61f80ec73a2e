"""One checkpoint per file, kept where Jupyter keeps it."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from perijove_chassis.errors import NotFound

from perijove_contents.backends.atomic import AtomicFile, open_file, require_file
from perijove_contents.model import CHECKPOINT_ID, Checkpoint, EntryPath
from perijove_contents.store import CHUNK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

DIRECTORY = ".ipynb_checkpoints"
"""Name of the directory, beside the files, that holds their checkpoints."""


class CheckpointFiles:
    """Copies of files in a directory beside them. Every method blocks."""

    def __init__(self, directory_mode: int) -> None:
        self._directory_mode = directory_mode

    def create(self, location: str) -> Checkpoint:
        """Keep the present content of a file."""
        place = self.place_of(location)
        with open(open_file(location), "rb", buffering=0) as source:
            status = os.fstat(source.fileno())
            directory = os.path.dirname(place)
            with suppress(FileExistsError):
                os.mkdir(directory)
                os.chmod(directory, self._directory_mode)
            copy = AtomicFile(place, 0)
            try:
                for data in _blocks(source.fileno()):
                    copy.write(data)
                # The time says how old the content is, not the copy.
                copy.set_times_and_mode(status)
                copy.replace()
            finally:
                copy.close()
        return Checkpoint(CHECKPOINT_ID, status.st_mtime_ns)

    def list(self, location: str) -> list[Checkpoint]:
        """Return the checkpoints of a file that is there."""
        try:
            require_file(os.stat(location))
            status = require_file(os.stat(self.place_of(location)))
        except OSError:
            return []
        return [Checkpoint(CHECKPOINT_ID, status.st_mtime_ns)]

    def restore(self, path: EntryPath, location: str, checkpoint_id: str) -> None:
        """Replace the content of a file by that of a checkpoint."""
        require_file(os.stat(location))
        try:
            fd = open_file(self._existing(path, location, checkpoint_id))
        except FileNotFoundError:
            raise _no_such(path, checkpoint_id) from None
        file = AtomicFile(location, 0)
        with open(fd, "rb", buffering=0) as source:
            try:
                for data in _blocks(source.fileno()):
                    file.write(data)
                file.replace()
            finally:
                file.close()

    def delete(self, path: EntryPath, location: str, checkpoint_id: str) -> None:
        """Delete a checkpoint."""
        try:
            os.unlink(self._existing(path, location, checkpoint_id))
        except (FileNotFoundError, NotADirectoryError):
            raise _no_such(path, checkpoint_id) from None

    def forget(self, location: str) -> None:
        """Delete the checkpoints of a file that is gone."""
        with suppress(OSError):
            os.unlink(self.place_of(location))

    def follow(self, location: str, new_location: str) -> None:
        """Move the checkpoints of a file that was moved."""
        old, new = self.place_of(location), self.place_of(new_location)
        if not os.path.lexists(old):
            # Otherwise a stranger's checkpoint would be taken for this file's.
            self.forget(new_location)
            return
        with suppress(FileExistsError):
            os.mkdir(os.path.dirname(new))
            os.chmod(os.path.dirname(new), self._directory_mode)
        shutil.move(old, new)

    def place_of(self, location: str) -> str:
        """Return where the checkpoint of a file is kept."""
        directory, name = os.path.split(location)
        stem, suffix = os.path.splitext(name)
        return os.path.join(directory, DIRECTORY, f"{stem}-{CHECKPOINT_ID}{suffix}")

    def _existing(self, path: EntryPath, location: str, checkpoint_id: str) -> str:
        if checkpoint_id != CHECKPOINT_ID:
            raise _no_such(path, checkpoint_id)
        return self.place_of(location)


def _no_such(path: EntryPath, checkpoint_id: str) -> NotFound:
    return NotFound(f"{path} has no checkpoint {checkpoint_id[:80]!r}", reason="NO_SUCH_CHECKPOINT")


def _blocks(fd: int) -> Iterator[bytes]:
    while data := os.read(fd, CHUNK_BYTES):
        yield data
