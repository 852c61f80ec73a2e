"""Runners that were cast out: an empty file each."""

from __future__ import annotations

from pathlib import Path


class FileOutcasts:
    """`Outcasts` in a directory that only this user may enter."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def add(self, runner_id: str) -> None:
        """Cast a runner out, for good."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path(runner_id).touch(mode=0o600)

    def has(self, runner_id: str) -> bool:
        """Return whether a runner was cast out."""
        return self._path(runner_id).exists()

    def _path(self, runner_id: str) -> Path:
        return self._directory / Path(runner_id).name
