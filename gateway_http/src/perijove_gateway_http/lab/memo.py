"""Files read once, and again when they change."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")


class FileMemo(Generic[T]):
    """Keeps what was made of files for as long as they stay as they are.

    Calls read the disk: they belong in a thread. Any number of threads may call.
    """

    def __init__(self, parse: Callable[[Path, bytes], T], capacity: int = 512) -> None:
        """Make an empty memo.

        Args:
            parse: Makes a value of a file's content.
            capacity: Most files to keep; the oldest are forgotten.
        """
        self._parse = parse
        self._capacity = capacity
        self._kept: dict[Path, tuple[tuple[int, int, int], T]] = {}
        self._lock = threading.Lock()

    def get(self, path: Path) -> T:
        """Return what the file is now.

        Raises:
            OSError: if the file cannot be read.
        """
        status = path.stat()
        fingerprint = (status.st_mtime_ns, status.st_size, status.st_ino)
        with self._lock:
            kept = self._kept.get(path)
        if kept and kept[0] == fingerprint:
            return kept[1]
        value = self._parse(path, path.read_bytes())
        with self._lock:
            self._kept.pop(path, None)
            self._kept[path] = (fingerprint, value)
            while len(self._kept) > self._capacity:
                del self._kept[next(iter(self._kept))]
        return value
