"""The file that all replicas share, and that has the password."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from perijove_gateway_http.identity import password_hash
from perijove_gateway_http.identity.versions import version_of

if TYPE_CHECKING:
    from perijove_gateway_http.identity.versions import Version

MAX_BYTES = 1024 * 1024
"""Largest file that is read. One of Jupyter's may hold more than a password."""


class PasswordFile:
    """What is stored of the password, in a file that is replaced and never changed."""

    def __init__(self, path: str, fallback: str = "") -> None:
        """Name the files.

        Args:
            path: Where it is, and where a new one is stored; empty if nowhere.
            fallback: Where it is as long as there is no file at `path`; only read.
        """
        self._path = Path(path) if path else None
        self._fallback = Path(fallback) if fallback else None

    def __bool__(self) -> bool:
        return bool(self._path or self._fallback)

    def version(self) -> tuple[Version, ...]:
        """Return what changes with the files."""
        return tuple(version_of(path) for path in (self._path, self._fallback) if path)

    def read(self) -> str:
        """Return what is stored; empty if there is no password.

        A file that is there and empty says that there is none, whatever the fallback says.

        Raises:
            OSError: if a file is there and cannot be read.
        """
        for path in (self._path, self._fallback):
            if path is None:
                continue
            try:
                with path.open(encoding="utf-8", errors="replace") as file:
                    return password_hash.stored_in(file.read(MAX_BYTES))
            except FileNotFoundError:
                continue
        return ""

    def write(self, stored: str) -> None:
        """Replace what is stored, whole or not at all, in a file for its owner alone.

        Raises:
            OSError: if that is not possible.
        """
        if self._path is None:
            raise PermissionError("there is no file for a password")
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}")
        try:
            with os.fdopen(handle, "w") as file:
                file.write(stored + "\n" if stored else "")
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self._path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
