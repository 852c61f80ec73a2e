"""When a file is another one than before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

Version = tuple[int, int, int]


def version_of(path: Path) -> Version:
    """Return what changes when a file is replaced or written; the same as long as it is absent.

    Raises:
        OSError: if it cannot be looked at.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0, 0)
    return (found.st_ino, found.st_mtime_ns, found.st_size)
