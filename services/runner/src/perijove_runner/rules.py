"""What clients may say to kernels, and are shown of what these say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perijove_runner import headers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perijove_runner.backends.sockets import Receiver
    from perijove_runner.model import Channel

UNTRACKED: Final = frozenset(
    {
        *("comm_info_request", "comm_info_reply", "kernel_info_request", "kernel_info_reply"),
        *("shutdown_request", "shutdown_reply", "interrupt_request", "interrupt_reply"),
        *("debug_request", "debug_reply", "debug_event", "stream", "display_data"),
        *("update_display_data", "execute_input", "execute_result", "error", "status"),
        *("clear_output", "input_request", "input_reply"),
    }
)
"""Message types that say nothing of what the user does: asking a kernel who it
is, or debugging it while a cell runs, makes it neither busy nor active."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRules:
    """Rules for the messages of all kernels."""

    allowed: frozenset[str] = frozenset()
    """Types that clients may send; all if empty."""
    untracked: frozenset[str] = UNTRACKED
    """Types that are no activity."""
    tracebacks: bool = True
    """Whether clients are shown the errors of cells."""
    instead_of_traceback: str = ""
    """What they are shown if not."""

    def allows(self, frames: Sequence[bytes]) -> bool:
        """Return whether a client may send a message."""
        return not self.allowed or self.allows_type(headers.msg_type(frames[0]))

    def allows_type(self, msg_type: str) -> bool:
        """Return whether a client may send messages of a type."""
        return not self.allowed or msg_type in self.allowed

    def receiver(self, receive: Receiver) -> Receiver:
        """Return what takes the messages of a kernel in front of the one that publishes them."""
        if self.tracebacks:
            return receive

        def hide(channel: Channel, frames: Sequence[bytes]) -> None:
            receive(channel, self._without_traceback(frames))

        return hide

    def _without_traceback(self, frames: Sequence[bytes]) -> Sequence[bytes]:
        # The reply to a request has what the output of the cell has.
        if b'"traceback"' not in frames[3]:
            return frames
        kind = headers.msg_type(frames[0])
        if kind != "error" and not kind.endswith("_reply"):
            return frames
        try:
            content: dict[str, Any] = msgspec.json.decode(frames[3], type=dict)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            content = {}
        content |= {
            "ename": "ExecutionError",
            "evalue": "Execution error",
            "traceback": [self.instead_of_traceback],
        }
        return [*frames[:3], msgspec.json.encode(content), *frames[4:]]
