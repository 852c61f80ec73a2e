"""What /proc says of processes. Known to the supervisor too, so it imports little."""

from __future__ import annotations

import os
from pathlib import Path

# Indices after the command in /proc/<pid>/stat.
_PARENT = 1
_START_TICKS = 19


def boot_id() -> str:
    """Return the id of this boot of the machine: pids mean nothing beyond it."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def start_ticks(pid: int) -> int | None:
    """Return when a process was started, in clock ticks since boot; None if it is gone."""
    fields = _stat(pid)
    return int(fields[_START_TICKS]) if fields else None


def children(pid: int) -> list[int]:
    """Return the children of a process."""
    parent = str(pid).encode()
    return [child for child in _pids() if (fields := _stat(child)) and fields[_PARENT] == parent]


def pids_with_argument(argument: str) -> list[int]:
    """Return the processes of this user that have exactly this argument."""
    wanted = os.fsencode(argument)
    return [pid for pid in _pids() if wanted in _arguments(pid)]


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _arguments(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def _stat(pid: int) -> list[bytes]:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return []
    # The command stands in parentheses and may itself contain some.
    return stat.rpartition(b")")[2].split()
