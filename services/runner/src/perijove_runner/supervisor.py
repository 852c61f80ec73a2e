"""The parent of a runner, and of the kernels that outlive one.

Starts the runner again when it dies. The kernels it leaves become children of
this process, which reaps them and notes how they ended. It holds no connection
and no state, so that it has no reason to fail.

- The runner dies, by whatever: it is started again, and adopts its kernels.
- SIGTERM or SIGINT here: the runner is told to stop and given some seconds, and
  those of its setting to be drained first; a second signal is passed on.
  Unless its setting is to keep the kernels, nothing is left behind.
- The runner leaves, since it was drained: this process ends, too, with status 0.
- This process dies: the runner is killed by the system, the kernels live on for
  the next runner, and how they end from there on is not known.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from perijove_runner.backends import notes
from perijove_runner.backends.procfs import children, start_ticks

_PREFIX = "PERIJOVE_RUNNER_"
_RUNNER = (sys.executable, "-m", "perijove_runner")
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_CANNOT_START = 2
"""Exit status of a runner with which another attempt would fare no better."""
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_STABLE_S = 10.0
_STOP_S = 8.0
_SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}


class Supervisor:
    """Keeps one runner alive until told to stop."""

    def __init__(
        self, processes: Path, left: Path, *, keep_kernels: bool, drain_s: float = 0.0
    ) -> None:
        """Supervise.

        Args:
            processes: Directory of the processes' notes.
            left: File that is there if the runner has left for good.
            keep_kernels: Whether the kernels stay when this process is told to stop.
            drain_s: Seconds that the runner takes to be drained when it is told to stop.
        """
        self._left = left
        self._stop_s = _STOP_S + drain_s
        self._processes = processes
        self._keep_kernels = keep_kernels
        self._runner = 0
        self._runner_began = 0.0
        self._pause_s = _FIRST_PAUSE_S
        self._status = 0

    def run(self) -> int:
        """Supervise until told to stop and return the exit status for this process."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        while not self._told_to_stop(0):
            self._start()
            while self._runner:
                if self._told_to_stop(None):
                    return self._stop()
                self._reap()
            if self._status == _CANNOT_START:
                return self._stop()
            if self._status == 0 and self._left.exists():
                _say("the runner has left, since it was drained")
                return self._stop()
            if self._paused():
                break
        return self._stop()

    def _start(self) -> None:
        self._runner_began = time.monotonic()
        parent = os.getpid()
        self._runner = os.fork()
        if self._runner == 0:
            _become_runner(parent)

    def _told_to_stop(self, timeout_s: float | None) -> bool:
        """Wait for something to do; return whether it is to stop."""
        if timeout_s is None:
            number = signal.sigwaitinfo(_SIGNALS).si_signo
        else:
            waited = signal.sigtimedwait(_SIGNALS, timeout_s)
            number = waited.si_signo if waited else 0
        return number in (signal.SIGTERM, signal.SIGINT)

    def _paused(self) -> bool:
        """Wait before the next start; return whether told to stop meanwhile."""
        if time.monotonic() - self._runner_began >= _STABLE_S:
            self._pause_s = _FIRST_PAUSE_S
        _say(f"the runner ended with status {self._status}; starting it in {self._pause_s:.1f} s")
        until = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        while (left := until - time.monotonic()) > 0:
            if self._told_to_stop(left):
                return True
            self._reap()
        return False

    def _reap(self) -> None:
        """Reap every child that has ended, and note the end of kernels."""
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            signaled = ended.si_code != os.CLD_EXITED
            if ended.si_pid == self._runner:
                self._status = -ended.si_status if signaled else ended.si_status
                self._runner = 0
            else:
                self._note(ended.si_pid, ended.si_status, signaled=signaled)
            os.waitid(os.P_PID, ended.si_pid, os.WEXITED | os.WNOHANG)

    def _note(self, pid: int, status: int, *, signaled: bool) -> None:
        # Not reaped yet: so the pid, its start and its group are still its own.
        note = self._processes / f"{pid}.{start_ticks(pid)}"
        if note.exists():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            with suppress(OSError):
                notes.write(
                    note,
                    exit_code=None if signaled else status,
                    signal=status if signaled else None,
                )

    def _stop(self) -> int:
        if self._runner:
            os.kill(self._runner, signal.SIGTERM)
            until = time.monotonic() + self._stop_s
            while self._runner and (left := until - time.monotonic()) > 0:
                again = self._told_to_stop(left)
                self._reap()
                if again and self._runner:
                    os.kill(self._runner, signal.SIGTERM)
            if self._runner:
                os.kill(self._runner, signal.SIGKILL)
        if not self._keep_kernels:
            self._kill_children()
        return max(self._status, 0)

    def _kill_children(self) -> None:
        """Kill until no child is left: what a killed one leaves moves here."""
        until = time.monotonic() + _STOP_S
        while (orphans := children(os.getpid())) and time.monotonic() < until:
            for pid in orphans:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            signal.sigtimedwait(_SIGNALS, 0.05)
            self._reap()


def main() -> int:
    """Supervise a runner with the settings of this process's environment."""
    state = os.environ.get(f"{_PREFIX}STATE_DIR", "")
    keep = os.environ.get(f"{_PREFIX}KERNELS_ON_STOP") == "keep"
    drain_s = 0.0
    with suppress(ValueError):  # the runner says that it is none
        drain_s = float(os.environ.get(f"{_PREFIX}DRAIN_ON_STOP_S") or 0)
    processes, left = Path(state, notes.DIRECTORY), Path(state, notes.LEFT)
    return Supervisor(processes, left, keep_kernels=keep, drain_s=drain_s).run()


def _become_runner(parent: int) -> NoReturn:
    # Whatever happens, this copy of the supervisor must not go on.
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:
            os.execv(_RUNNER[0], _RUNNER)  # noqa: S606 - an argument list, no shell
    finally:
        os._exit(127)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def _say(text: str) -> None:
    print(f"supervisor: {text}", file=sys.stderr, flush=True)  # noqa: T201 - it has no logger


if __name__ == "__main__":
    sys.exit(main())
