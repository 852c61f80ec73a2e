"""What a kernel is doing, told by its iopub messages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from perijove_runner import headers
from perijove_runner.model import ExecutionState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

_WELCOME: Final = "iopub_welcome"
_STATES: Final = {state.value: state for state in ExecutionState}


class Activity:
    """Follows the execution state and the time of the last activity."""

    def __init__(self, untracked: AbstractSet[str]) -> None:
        """Begin with a kernel that starts.

        Args:
            untracked: Types of messages that are no activity.
        """
        # That somebody listens is none either, whatever the user says.
        self._untracked = untracked | {_WELCOME}
        self.state = ExecutionState.STARTING
        self.last_time = time.time()

    def observe(self, frames: Sequence[bytes], state: str) -> bool:
        """Take an iopub message; return whether the state has changed.

        While the kernel is busy, everything it says counts as activity.

        Args:
            frames: The message's frames.
            state: What `told_state` returns for them.
        """
        if self.state is ExecutionState.BUSY and not state:
            self.last_time = time.time()
            return False
        parent_type = headers.msg_type(frames[1])
        tracked = bool(parent_type) and parent_type not in self._untracked
        if (
            tracked
            or self.state is ExecutionState.BUSY
            or headers.msg_type(frames[0]) not in self._untracked
        ):
            self.last_time = time.time()
        return bool(state) and self._observe_state(state, parent_type)

    def force(self, state: ExecutionState) -> bool:
        """Set a state that the kernel did not say; return whether it has changed."""
        changed = state is not self.state
        self.state = state
        return changed

    def _observe_state(self, told: str, parent_type: str) -> bool:
        state = _STATES.get(told)
        if state is None:
            return False
        if parent_type in self._untracked:
            if self.state is not ExecutionState.STARTING or state is ExecutionState.STARTING:
                return False
            # Whatever it answers, it has started.
            state = ExecutionState.IDLE
        return self.force(state)


def told_state(frames: Sequence[bytes]) -> str:
    """Return the state that an iopub message tells; empty if it is no `status`.

    Only headers that contain `"status"` are looked into.
    """
    if b'"status"' in frames[0] and headers.msg_type(frames[0]) == "status":
        return headers.execution_state(frames[3])
    return ""


def is_idle(state: str) -> bool:
    """Return whether a told state says that the kernel is done with a request."""
    return state == ExecutionState.IDLE.value


def is_busy(state: str) -> bool:
    """Return whether a told state says that a request has reached the kernel."""
    return state == ExecutionState.BUSY.value


def begins_cell(frames: Sequence[bytes]) -> bool:
    """Return whether an iopub message says that a cell has begun to run."""
    return b'"execute_input"' in frames[0] and headers.msg_type(frames[0]) == "execute_input"


def is_welcome(frames: Sequence[bytes]) -> bool:
    """Return whether an iopub message only greets who has subscribed: the runner, not a client."""
    return b'"iopub_welcome"' in frames[0] and headers.msg_type(frames[0]) == "iopub_welcome"


def is_output(frames: Sequence[bytes]) -> bool:
    """Return whether an iopub message is what a cell prints.

    The raw header is asked: what else has this word in it comes a little later.
    """
    return b'"stream"' in frames[0]
