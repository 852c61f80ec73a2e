"""Finds and ends what is left below this process (Linux)."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

SPARED = "PERIJOVE_SPARED"
"""Variable in the environment of what must outlive the launcher: the user's browser."""

_LIMIT_S = 3.0


def kill_all() -> int:
    """Kill every process below this one except those spared; return how many were killed.

    What a dying process leaves behind comes to this one, so it goes on until
    nothing is left, or for three seconds.
    """
    killed: set[int] = set()
    deadline = time.monotonic() + _LIMIT_S
    while (found := _below(os.getpid())) and time.monotonic() < deadline:
        for pid in found:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        killed.update(found)
        time.sleep(0.01)
        _reap()
    # What had ended by itself was not among them.
    _reap()
    return len(killed)


def _below(root: int) -> list[int]:
    if sys.platform != "linux":
        return []
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (parent := _parent(entry)) is not None:
            children.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    waiting = children.get(root, [])
    while waiting:
        pid = waiting.pop()
        if not _is_spared(pid):
            found.append(pid)
            waiting.extend(children.get(pid, []))
    return found


def _parent(entry: Path) -> int | None:
    """Return a process's parent; None if it is gone or only waits to be reaped."""
    try:
        # The name may hold spaces and parentheses; it ends at the last one.
        state, parent, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state == "Z" else int(parent)


def _is_spared(pid: int) -> bool:
    try:
        return f"{SPARED}=1".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
