"""Whether the system has ended processes here for lack of memory."""

from __future__ import annotations

from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


class OutOfMemory:
    """Watches the count of such ends in this process's own memory cgroup.

    The count says how many, not which: a kernel that was killed while the count
    has risen since it was last looked at is taken for the one.
    """

    def __init__(self, counter: Path | None) -> None:
        """Watch a file with a line `oom_kill <count>`; with none nothing is ever seen."""
        self._counter = counter
        self._seen = self._count()

    @classmethod
    def of_this_process(cls) -> OutOfMemory:
        """Find the counter of the cgroup that kernels share with this process."""
        return cls(_counter())

    def struck(self) -> bool:
        """Return whether the count has risen since this was last asked or looked at."""
        before, self._seen = self._seen, self._count()
        return self._seen > before

    def look(self) -> None:
        """Forget the past; to be done now and then."""
        self._seen = self._count()

    def _count(self) -> int:
        if self._counter is None:
            return 0
        try:
            lines = self._counter.read_text(encoding="ascii").splitlines()
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
