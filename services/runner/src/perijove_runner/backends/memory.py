"""Whether the system has ended processes here for lack of memory."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_CGROUPS = Path("/sys/fs/cgroup")
_SYSTEM = Path("/proc/vmstat")
_FRESH_S = 10.0
"""How long it may take from the count to the end of a process with much memory."""


class OutOfMemory:
    """Watches the count of such ends in this process's own memory cgroup, and in the system.

    The counts say how many, not which: a kernel that is killed soon after the count of
    the cgroup has risen is taken for the one. If only that of the system has, the one
    may as well be somewhere else.
    """

    def __init__(
        self,
        counter: Path | None,
        system: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch files with a line `oom_kill <count>`; with none nothing is ever seen."""
        self._own = _Counter(counter, clock)
        self._system = _Counter(system, clock)

    @classmethod
    def of_this_process(cls) -> OutOfMemory:
        """Find the counter of the cgroup that kernels share with this process."""
        return cls(_counter(), _SYSTEM)

    def struck(self) -> bool:
        """Return whether one of the cgroup has just been ended, whom nobody asked for yet."""
        return self._own.take()

    def struck_somewhere(self) -> bool:
        """Return the same of the system."""
        return self._system.take()

    def look(self) -> None:
        """Look at the counts, to know when they rise; to be done now and then."""
        self._own.look()
        self._system.look()


class _Counter:
    def __init__(self, file: Path | None, clock: Callable[[], float]) -> None:
        self._file = file
        self._clock = clock
        self._seen = self._count()
        self._open = 0
        self._risen_at = 0.0

    def look(self) -> None:
        before, self._seen = self._seen, self._count()
        if self._seen > before:
            if self._clock() - self._risen_at > _FRESH_S:
                self._open = 0
            self._open += self._seen - before
            self._risen_at = self._clock()

    def take(self) -> bool:
        self.look()
        if not self._open or self._clock() - self._risen_at > _FRESH_S:
            return False
        self._open -= 1
        return True

    def _count(self) -> int:
        if self._file is None:
            return 0
        try:
            lines = self._file.read_text(encoding="ascii").splitlines()
        except OSError:
            return 0
        return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def _counter() -> Path | None:
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "memory":
            candidate = _CGROUPS / "memory" / path.lstrip("/") / "memory.oom_control"
        elif not controllers:
            candidate = _CGROUPS / path.lstrip("/") / "memory.events"
        else:
            continue
        if candidate.is_file():
            return candidate
    return None
