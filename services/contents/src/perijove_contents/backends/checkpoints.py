"""One checkpoint per file, kept where Jupyter keeps it."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from perijove_chassis.errors import NotFound

from perijove_contents.backends.atomic import AtomicFile, open_file, require_file
from perijove_contents.backends.copying import copy_file
from perijove_contents.backends.renaming import rename_over
from perijove_contents.model import CHECKPOINT_ID, Checkpoint, EntryPath, Precondition
from perijove_contents.store import CHUNK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perijove_contents.backends.places import Root

CHECKPOINTS = ".ipynb_checkpoints"
"""Usual name of the directory, beside the files, that holds their checkpoints."""


class CheckpointFiles:
    """Copies of files in a directory beside them. Every method blocks."""

    def __init__(self, root: Root, directory_mode: int, directory: str) -> None:
        self._root = root
        self._directory_mode = directory_mode
        self.directory = directory

    def create(self, path: EntryPath) -> Checkpoint:
        """Keep the present content of a file."""
        kept = self._path_of(path)
        with self._root.find(path) as place:
            fd = open_file(place)
        with open(fd, "rb", buffering=0) as source:
            status = os.fstat(source.fileno())
            self._make_directory(kept.parent)
            copy = AtomicFile(partial(self._root.find, kept), 0)
            try:
                for data in _blocks(source.fileno()):
                    copy.write(data)
                # The time says how old the content is, not the copy.
                copy.set_times_and_mode(status)
                copy.replace()
            finally:
                copy.close()
        return Checkpoint(CHECKPOINT_ID, status.st_mtime_ns)

    def list(self, path: EntryPath) -> Sequence[Checkpoint]:
        """Return the checkpoints of a file that is there."""
        try:
            with self._root.find(path) as place:
                require_file(place.status())
        except OSError:
            return []
        return self.kept(path)

    def kept(self, path: EntryPath) -> Sequence[Checkpoint]:
        """Return the checkpoints of a file that is known to be there."""
        try:
            with self._root.find(self._path_of(path)) as place:
                status = require_file(place.status())
        except OSError:
            return []
        return [Checkpoint(CHECKPOINT_ID, status.st_mtime_ns)]

    def restore(self, path: EntryPath, checkpoint_id: str, required: Precondition) -> None:
        """Replace the content of a file by that of a checkpoint."""
        with self._root.find(path) as place:
            require_file(place.status())
        _require_known(path, checkpoint_id)
        try:
            with self._root.find(self._path_of(path)) as place:
                fd = open_file(place)
        except FileNotFoundError:
            raise _no_such(path, checkpoint_id) from None
        file = AtomicFile(partial(self._root.find, path), 0)
        with open(fd, "rb", buffering=0) as source:
            try:
                for data in _blocks(source.fileno()):
                    file.write(data)
                file.replace(required)
            finally:
                file.close()

    def delete(self, path: EntryPath, checkpoint_id: str) -> None:
        """Delete a checkpoint."""
        _require_known(path, checkpoint_id)
        try:
            self._unlink(self._path_of(path))
        except (FileNotFoundError, NotADirectoryError):
            raise _no_such(path, checkpoint_id) from None

    def forget(self, path: EntryPath) -> None:
        """Delete the checkpoints of a file that is gone."""
        with suppress(OSError):
            self._unlink(self._path_of(path))

    def follow(self, path: EntryPath, new_path: EntryPath) -> None:
        """Move the checkpoints of a file that was moved."""
        old, new = self._path_of(path), self._path_of(new_path)
        try:
            source = self._root.find_itself(old)
        except FileNotFoundError:
            self.forget(new_path)
            return
        with source:
            if not source.exists():
                # Otherwise a stranger's checkpoint would be taken for this file's.
                self.forget(new_path)
                return
            self._make_directory(new.parent)
            with self._root.find_itself(new) as target:
                try:
                    rename_over(source, target)
                except OSError as error:
                    if error.errno != errno.EXDEV:
                        raise
                    copy_file(source, target)
                    os.unlink(source.name, dir_fd=source.directory)

    def _path_of(self, path: EntryPath) -> EntryPath:
        """Return where the checkpoint of a file is kept."""
        stem, suffix = os.path.splitext(path.name)
        return EntryPath((*path.parent.parts, self.directory, f"{stem}-{CHECKPOINT_ID}{suffix}"))

    def _make_directory(self, path: EntryPath) -> None:
        with self._root.find_itself(path) as place, suppress(FileExistsError):
            place.make_directory(self._directory_mode)

    def _unlink(self, path: EntryPath) -> None:
        with self._root.find_itself(path) as place:
            os.unlink(place.name, dir_fd=place.directory)


def _require_known(path: EntryPath, checkpoint_id: str) -> None:
    if checkpoint_id != CHECKPOINT_ID:
        raise _no_such(path, checkpoint_id)


def _no_such(path: EntryPath, checkpoint_id: str) -> NotFound:
    return NotFound(
        f"Checkpoint does not exist: {path}@{checkpoint_id[:80]}", reason="NO_SUCH_CHECKPOINT"
    )


def _blocks(fd: int) -> Iterator[bytes]:
    while data := os.read(fd, CHUNK_BYTES):
        yield data
