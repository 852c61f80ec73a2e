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
    from collections.abc import Iterable

    from perijove_runner.snapshot import InFlightRequest

_SUBSHELL: Final = b'"subshell_id"'


def unended(
    before: Iterable[InFlightRequest], now: Iterable[InFlightRequest], channel: str
) -> list[InFlightRequest]:
    """Return the requests whose reply or `idle` has gone nowhere.

    One to a subshell is not among them: it is not worked on in the order of its
    channel, and may still be under way.

    Args:
        before: What was in flight at the adoption.
        now: What is in flight once the channel has answered.
        channel: Name of the channel.
    """
    known = {request.msg_id for request in before}
    return [
        request
        for request in now
        if request.channel == channel
        and request.msg_id in known
        and not request.ended_at
        and _SUBSHELL not in request.header
    ]


def undelivered(
    requests: Iterable[InFlightRequest], client_session_id: str, seen: int, lost: int
) -> list[tuple[InFlightRequest, bool, bool]]:
    """Return the requests of a client whose reply or `idle` went down with a runner.

    Args:
        requests: What is in flight.
        client_session_id: Whose requests.
        seen: The last sequence number that the client has got.
        lost: The last sequence number of the runner that is gone.

    Returns:
        Each with whether its reply and whether its `idle` is lost.
    """
    found = []
    for request in requests:
        if request.client_session_id == client_session_id:
            reply = seen < request.reply_at <= lost
            idle = seen < request.idle_at <= lost
            if reply or idle:
                found.append((request, reply, idle))
    return found


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
