"""Why a kernel's process ended, in a value and in sentences."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from perijove_chassis.errors import DomainError

from perijove_runner.model import ExitCause, KernelExit

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_runner.model import ProcessExit

_ASKED_FOR = {
    ExitCause.SHUTDOWN: "The kernel was shut down{by}.",
    ExitCause.RESTARTED: "The kernel was restarted{by}.",
    ExitCause.CULLED: "The kernel was shut down, since it was idle for longer than is allowed.",
    ExitCause.RUNNER_STOPPED: "The kernel was shut down, since its runner was told to stop.",
    ExitCause.RUNNER_DRAINED: "The kernel was shut down, since its runner is drained{by}{why}.",
}
_NAMES = {
    ExitCause.SHUTDOWN: "KernelShutDown",
    ExitCause.RESTARTED: "KernelRestarted",
    ExitCause.CULLED: "KernelCulled",
    ExitCause.RUNNER_STOPPED: "KernelShutDown",
    ExitCause.RUNNER_DRAINED: "KernelShutDown",
}
_CRASHES = {
    *(signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV),
    *(signal.SIGSYS, signal.SIGTRAP),
}
"""Signals that a process brings upon itself."""


def asked_for(cause: ExitCause, now: float, requested_by: str = "", reason: str = "") -> KernelExit:
    """Return the end of a process that was told to end."""
    why = f": {reason.rstrip('.')}" if reason else ""
    by = f" by {requested_by}" if requested_by else ""
    message = _ASKED_FOR[cause].format(by=by, why=why)
    return KernelExit(cause=cause, message=message, exit_time=now, requested_by=requested_by)


def explain(ended: ProcessExit, now: float, output: str = "") -> KernelExit:
    """Return the end of a process that nobody told to end.

    Args:
        ended: What the system says of it.
        now: When, in seconds of Unix time.
        output: The last it wrote. It is left out if a signal from elsewhere ended
            it, since then it says nothing of that.
    """
    by_itself = ended.signal is None or ended.signal in _CRASHES
    if ended.out_of_memory:
        cause = ExitCause.OUT_OF_MEMORY
        message = "The kernel ran out of memory, and the system ended it."
    elif ended.signal is not None:
        cause, message = ExitCause.SIGNALED, _signaled(ended)
    elif ended.exit_code is not None:
        cause, message = ExitCause.EXITED, f"The kernel exited with code {ended.exit_code}."
    else:
        cause, message = ExitCause.UNKNOWN, "The kernel ended; why is not known."
    return KernelExit(
        cause=cause,
        message=message,
        exit_time=now,
        exit_code=ended.exit_code,
        signal=ended.signal,
        output=output if by_itself else "",
    )


class Stories:
    """Tells how the processes of one kernel ended."""

    def __init__(self, output: Callable[[], str], clock: Callable[[], float]) -> None:
        """Tell of processes whose last output and time of end can be asked for."""
        self._output = output
        self._clock = clock

    def asked_for(self, cause: ExitCause, requested_by: str = "", reason: str = "") -> KernelExit:
        """Return the end of a process that was just told to end."""
        return asked_for(cause, self._clock(), requested_by, reason)

    def not_started(self, error: BaseException) -> KernelExit:
        """Return the end of a kernel whose next process could not be started."""
        why = str(error) if isinstance(error, DomainError) else "something went wrong"
        message = f"The kernel could not be started again: {why}."
        return KernelExit(ExitCause.START_FAILED, message, self._clock())

    def explain(self, ended: ProcessExit) -> KernelExit:
        """Return the end of a process that has just ended by itself."""
        return explain(ended, self._clock(), self._output())

    def early(self, ended: ProcessExit) -> str:
        """Return what is to be said of a process that has ended before it answered."""
        return story(self.explain(ended), "It had not answered yet.")


def name(last_exit: KernelExit) -> str:
    """Return the name under which a cell shows that its kernel has ended."""
    return _NAMES.get(last_exit.cause, "KernelDied")


def death(last_exit: KernelExit, in_a_row: int, *, given_up: bool) -> str:
    """Return what a person in front of the notebook should know of a death."""
    if given_up:
        what_follows = f"It is not started again: that was end number {in_a_row} in a row."
    else:
        what_follows = "It is started again, without its variables."
    return story(last_exit, what_follows)


def story(last_exit: KernelExit, what_follows: str) -> str:
    """Return how a process ended, what follows, and the last it wrote."""
    text = f"{last_exit.message} {what_follows}"
    return f"{text}\n\nIts last output:\n{last_exit.output}" if last_exit.output else text


def _signaled(ended: ProcessExit) -> str:
    number = ended.signal
    try:
        text = f"signal {number} ({signal.Signals(number or 0).name})"
    except ValueError:
        text = f"signal {number}"
    if number in _CRASHES:
        return f"The kernel crashed with {text}."
    if ended.memory_was_short:
        return (
            f"The kernel was ended by {text}, just when the system was ending processes for "
            "lack of memory: perhaps it was one of them."
        )
    return f"The kernel was ended by {text}."
