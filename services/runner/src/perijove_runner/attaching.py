"""Where a client's stream begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perijove_chassis.errors import InvalidArgument

from perijove_runner.clients import ClientStream
from perijove_runner.gaps import BEFORE_ALL

if TYPE_CHECKING:
    from perijove_runner.client_session import Outbox
    from perijove_runner.clients import Clients, Sender
    from perijove_runner.feed import Feed

_MAX_ID: Final = 256


def begin_stream(
    feed: Feed,
    clients: Clients,
    sender: Sender,
    client_session_id: str,
    resume: tuple[int, int] | None,
    outbox: Outbox | None,
) -> ClientStream:
    """Return a stream that begins where the client left off.

    That is after its resume point, or after what its session acknowledged; for
    a new session it is the present. What was lost in between is announced.

    Args:
        feed: What the client will read.
        clients: The sessions known; a new one is added.
        sender: Takes what the client sends.
        client_session_id: Whose stream it is.
        resume: Epoch and sequence number, if the client named them.
        outbox: What the client counts its messages in, if it does.

    Raises:
        Aborted: if the stream is one that another has replaced.
        InvalidArgument: if the id is empty or too long.
        ResourceExhausted: if too many clients are connected.
    """
    _require_ids(client_session_id, outbox)
    session = clients.find(client_session_id)
    if session:
        session.take_up(outbox)
    is_unknown = session is not None and session.acked is None and resume is None
    opening: list[bytes] = []
    place = feed.present
    if resume:
        place = resumed(feed, sender, client_session_id, resume, opening)
    elif is_unknown:
        # An earlier runner knew what it had acknowledged, and nobody does now. The
        # gap comes again until it, or what follows, is acknowledged: whoever asked
        # to attach may be gone by now.
        opening.append(feed.gaps.restarted())
        place = feed.begun_at
        sender.lost(client_session_id, BEFORE_ALL, place)
    elif session:
        place = session.acked or 0
    since = BEFORE_ALL if is_unknown else place
    is_known = bool(resume or session)
    if session is None:
        session = clients.add(client_session_id, place)
        session.take_up(outbox)
    if resume:
        session.acked = place
    taken = session.taken if outbox else 0
    opening.insert(0, feed.attached(since, resumed=is_known, taken=taken))
    return ClientStream(session, feed, sender, place, opening, confirms=outbox is not None)


def _require_ids(client_session_id: str, outbox: Outbox | None) -> None:
    for name, given in (
        ("client session", client_session_id),
        ("outbox", outbox.outbox_id if outbox else client_session_id),
    ):
        if not 0 < len(given) <= _MAX_ID:
            raise InvalidArgument(f"the {name} id must have 1 to {_MAX_ID} characters")


def resumed(
    feed: Feed,
    sender: Sender,
    client_session_id: str,
    resume: tuple[int, int],
    opening: list[bytes],
) -> int:
    """Return the place after a resume point; if that is not kept any more, say so first."""
    found = feed.place(*resume)
    if found is not None:
        return found + 1
    opening.append(feed.gaps.unknown(*resume))
    place = feed.first if feed.is_older(resume[0]) else feed.present
    sender.lost(client_session_id, BEFORE_ALL, place)
    return place
