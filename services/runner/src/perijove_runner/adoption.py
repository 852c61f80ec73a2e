"""Which requests lack their end, and what ends them in place of what was lost.

While a kernel has no runner, what it says is lost. It works through a channel in
order: when it answers what was asked after an adoption, every request from
before it is done. A reply that did not come by then went nowhere, and its sender
would wait for ever. So would the sender of one whose end it will not see, since
it went down with a runner or left the journal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from perijove_runner import headers
from perijove_runner.outbox import message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perijove_runner.snapshot import InFlightRequest

_SESSION: Final = "perijove"
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


def is_cell(request: InFlightRequest) -> bool:
    """Return whether a request is one to run code."""
    return headers.msg_type(request.header) == "execute_request"


def undelivered(
    requests: Iterable[InFlightRequest], client_session_id: str, start: int, end: int
) -> list[tuple[InFlightRequest, bool, bool]]:
    """Return the requests of a client that ended in a run of sequence numbers.

    Args:
        requests: What is in flight.
        client_session_id: Whose requests.
        start: The first number.
        end: The number after the last.

    Returns:
        Each with whether its reply and whether its `idle` is in there.
    """
    found = []
    for request in requests:
        if request.client_session_id == client_session_id:
            reply = request.reply_at > 0 and start <= request.reply_at < end
            idle = request.idle_at > 0 and start <= request.idle_at < end
            if reply or idle:
                found.append((request, reply, idle))
    return found


def lost_reply(request: InFlightRequest) -> list[bytes]:
    """Return an error reply in place of one that nobody has."""
    return error_reply(
        request,
        "ReplyLost",
        "The reply is lost: the kernel's runner was restarted meanwhile, or it was "
        "too large to be kept for a client that is slow or away.",
        [],
    )


def error_reply(
    request: InFlightRequest, name: str, text: str, traceback: list[str]
) -> list[bytes]:
    """Return a reply that says why there is no other."""
    content = {"status": "error", **_error(name, text, traceback), "execution_count": None}
    kind = headers.msg_type(request.header).removesuffix("_request") + "_reply"
    _, frames = message(kind, msgspec.json.encode(content), _SESSION, request.header)
    return frames


def error_output(request: InFlightRequest, name: str, text: str) -> list[bytes]:
    """Return an error as the output of a cell."""
    content = msgspec.json.encode(_error(name, text, [f"{name}: {text}"]))
    _, frames = message("error", content, _SESSION, request.header)
    return frames


def warning_output(parent_header: bytes, text: str) -> list[bytes]:
    """Return a text on stderr as the output of a cell that may have ended."""
    content = msgspec.json.encode({"name": "stderr", "text": f"\n[{text}]\n"})
    _, frames = message("stream", content, _SESSION, parent_header)
    return frames


def idle(request: InFlightRequest) -> list[bytes]:
    """Return the `idle` that ends a request."""
    content = msgspec.json.encode({"execution_state": "idle"})
    _, frames = message("status", content, _SESSION, request.header)
    return frames


def _error(name: str, text: str, traceback: list[str]) -> dict[str, object]:
    return {"ename": name, "evalue": text, "traceback": traceback}
