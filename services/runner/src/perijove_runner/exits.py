"""Why a kernel's process ended, in a value and in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove_runner.model import ExitCause, KernelExit

if TYPE_CHECKING:
    from perijove_runner.model import ProcessExit

_ASKED_FOR = {
    ExitCause.SHUTDOWN: "The kernel was shut down.",
    ExitCause.RESTARTED: "The kernel was restarted.",
    ExitCause.CULLED: "The kernel was idle for longer than is allowed.",
}


def asked_for(cause: ExitCause, now: float) -> KernelExit:
    """Return the end of a process that was told to end."""
    return KernelExit(cause=cause, message=_ASKED_FOR[cause], exit_time=now)


def explain(ended: ProcessExit, now: float) -> KernelExit:
    """Return the end of a process that nobody told to end."""
    if ended.out_of_memory:
        cause, message = ExitCause.OUT_OF_MEMORY, "The kernel ran out of memory."
    elif ended.signal is not None:
        cause, message = ExitCause.SIGNALED, f"The kernel was ended by signal {ended.signal}."
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
    )
