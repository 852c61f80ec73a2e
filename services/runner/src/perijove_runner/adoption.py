"""Answers in place of those that were lost while a kernel had no runner.

The kernel works through a channel in order. When it answers what was asked
after an adoption, every request from before it is done; a reply that did not
come by then went nowhere, and its sender would wait for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from perijove_runner import headers
from perijove_runner.outbox import message

if TYPE_CHECKING:
    from perijove_runner.snapshot import InFlightRequest

_SUBSHELL: Final = b'"subshell_id"'


def is_in_order(request: InFlightRequest) -> bool:
    """Return whether a request is worked on in the order of its channel.

    One to a subshell is not: it may still be under way.
    """
    return _SUBSHELL not in request.header


def lost_reply(request: InFlightRequest, session: str) -> list[bytes]:
    """Return an error reply that names the gap."""
    content: dict[str, object] = {
        "status": "error",
        "ename": "ReplyLost",
        "evalue": "The kernel's runner was restarted; what the kernel said meanwhile is lost.",
        "traceback": [],
        "execution_count": None,
    }
    kind = headers.msg_type(request.header).removesuffix("_request") + "_reply"
    _, frames = message(kind, msgspec.json.encode(content), session, request.header)
    return frames


def lost_idle(request: InFlightRequest, session: str) -> list[bytes]:
    """Return the `idle` that ends a request."""
    content = msgspec.json.encode({"execution_state": "idle"})
    _, frames = message("status", content, session, request.header)
    return frames
