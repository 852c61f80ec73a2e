"""One process of the stack: how to start it, and what became of it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perijove_local.logs import Follower
from perijove_local.probe import Attempt
from perijove_local.terminal import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from perijove_local.probe import Probe

_ANSWER_S = 120.0
"""Far more than what is asked takes by itself."""
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What to run, and how to treat it."""

    name: str
    """What the user calls it."""
    arguments: tuple[str, ...]
    """Command line."""
    environment: Mapping[str, str]
    """All of its environment: secrets travel in here only."""
    probe: Probe
    """Asks whether it is ready."""
    start_stage: int = 1
    """It starts once all of the stages before are ready."""
    stop_stage: int = 1
    """It is told to stop once all of the stages before are gone."""
    grace_s: float = 5.0
    """Seconds it gets to stop before it is killed."""
    inherited: tuple[int, ...] = ()
    """File descriptors it is given."""
    death_signal: signal.Signals = signal.SIGKILL
    """What it gets if the launcher itself is killed (Linux)."""
    left: Path | None = None
    """File that is there once it has left for good, and is not to be started again."""
    heralds: str = ""
    """How the lines of its log begin that the user should see; none if empty."""


class Child:
    """One process over all its incarnations."""

    def __init__(self, spec: ProcessSpec, log: Path) -> None:
        self.spec = spec
        self.log = log
        self.ready = False
        self.started_at = 0.0
        self._attempt = Attempt(spec.probe)
        self._log_follower = Follower(log)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Id of the running process, or 0."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start it, in a process group of its own so that Ctrl-C reaches the launcher alone."""
        handle = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._process = subprocess.Popen(
                self.spec.arguments,
                env=dict(self.spec.environment),
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=handle,
                start_new_session=True,
                pass_fds=self.spec.inherited,
                preexec_fn=_die_with_parent(self.spec.death_signal),  # noqa: PLW1509 - one thread
            )
        finally:
            os.close(handle)
        self.ready = False
        self.started_at = time.monotonic()

    def check_ready(self) -> bool:
        """Ask once more whether it is ready; return whether it has just become so."""
        if self.ready or not self._process:
            return False
        self.ready = self._attempt.poll()
        return self.ready

    def has_ended(self, code: int) -> None:
        """Take note that the process was reaped."""
        if self._process:
            self._process.returncode = code
        self._process = None
        self.ready = False
        self._attempt.close()

    def heralded(self) -> list[str]:
        """Return what its log newly has for the user."""
        if not self.spec.heralds:
            return []
        lines = self._log_follower.new_text().splitlines()
        return [
            line.removeprefix(self.spec.heralds)
            for line in lines
            if line.startswith(self.spec.heralds)
        ]

    def tell(self, number: signal.Signals) -> None:
        """Send a signal to the process, if it runs."""
        if self._process:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    def kill(self) -> None:
        """Kill its whole process group, if it runs."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


def explain(code: int) -> str:
    """Say how a process ended, from the exit code as `subprocess` gives it."""
    if code >= 0:
        return f"exited with status {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def ask(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Run a process that soon ends, and return what it prints.

    Raises:
        Failure: if it fails; the text is the last line of what it says.
    """
    try:
        done = subprocess.run(
            arguments,
            check=False,
            capture_output=True,
            text=True,
            env=environment,
            timeout=_ANSWER_S,
        )
    except subprocess.TimeoutExpired:
        raise Failure(f"{arguments[2]} has not ended in {_ANSWER_S:.0f} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise Failure(said[-1] if said else f"{arguments[2]} {explain(done.returncode)}")
    return done.stdout


def adopt_orphans() -> None:
    """Make every orphan below this process its child, so that none can stay behind (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            # It died before it could be asked for.
            os._exit(1)

    return ask
