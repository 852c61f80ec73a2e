"""What a relay keeps beyond its process, and how much it may keep at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from perijove_runner import headers

if TYPE_CHECKING:
    from collections.abc import Iterable


class RelayLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one kernel's relay."""

    journal_memory_bytes: int = 16 * 1024 * 1024
    """Bytes of messages in memory past which go those that nobody waits for or that are on disk."""
    journal_bytes: int = 32 * 1024 * 1024
    """Most bytes of messages in memory, whether the disk is slow, full or not there."""
    journal_messages: int = 200_000
    """Most messages in memory."""
    client_sessions: int = 256
    """Most client sessions known. Past it the one away for longest is forgotten."""
    away_s: float = 3600.0
    """Seconds after which a client session without a stream is forgotten."""
    requests_in_flight: int = 10_000
    """Most requests whose sender is remembered; past it the oldest is forgotten."""
    ended_requests: int = 256
    """Most requests of one client remembered that have ended while it acknowledges nothing."""
    queued_messages: int = 1_000
    """Most messages held for a kernel whose sockets are not connected yet."""
    attach_wait_s: float = 60.0
    """Seconds that an attaching client waits for a starting kernel; then it is let in as it is."""
    end_grace_s: float = 5.0
    """Seconds that a client has to take the last messages of a kernel that is gone."""


class SpoolLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much of journals is on disk; a file of some MiB may go beyond."""

    kernel_bytes: int = 256 * 1024 * 1024
    """Most bytes of one kernel."""
    runner_bytes: int = 1024 * 1024 * 1024
    """Most bytes of all kernels of the runner."""
    age_s: float = 24 * 3600.0
    """Seconds after which something is dropped, counted from when it was written."""


class InFlightRequest(msgspec.Struct, frozen=True):
    """A request whose end has not reached its sender for certain."""

    msg_id: str
    """Id from its header."""
    client_session_id: str
    """Who sent it."""
    channel: str
    """Where it was sent: `shell` or `control`."""
    header: bytes
    """Its header frame: the parent header of an answer that has to be made up."""
    reply_at: int = 0
    """Sequence number of its reply; zero if there is none yet."""
    idle_at: int = 0
    """Sequence number of the `idle` that ends it; zero if there is none yet."""

    @property
    def lacks_reply(self) -> bool:
        """Whether a reply is still to come; other messages than requests get none."""
        return not self.reply_at and headers.msg_type(self.header).endswith("_request")

    @property
    def ended_at(self) -> int:
        """Sequence number up to which its sender must read to see it end; zero if it has not."""
        return 0 if self.lacks_reply or not self.idle_at else max(self.reply_at, self.idle_at)


class PendingInput(msgspec.Struct, frozen=True):
    """A question of the kernel that nobody has answered."""

    client_session_id: str
    """Who is asked."""
    parent_msg_id: str
    """The request during which it is asked."""
    frames: tuple[bytes, ...]
    """The message itself: header, parent header, metadata, content, buffers."""


class KnownClient(msgspec.Struct, frozen=True):
    """A client session that may come back."""

    session_id: str
    outbox_id: str
    """What its messages are counted in."""
    taken: int
    """How many of them are taken."""


class RelaySnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What the next process needs to carry on with a running kernel."""

    identity: bytes
    """ZeroMQ identity of the sockets: replies reach no other."""
    sequence_limit: int
    """No message of the epoch has a higher sequence number."""
    last_activity_time: float
    """Unix time in seconds."""
    requests: tuple[InFlightRequest, ...] = ()
    """Requests whose end has not reached their senders for certain, oldest first."""
    pending_inputs: tuple[PendingInput, ...] = ()
    """Unanswered questions, oldest first."""
    clients: tuple[KnownClient, ...] = ()
    """Client sessions known."""


class RelayChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has changed since a snapshot. Parts that are not set have not."""

    client: KnownClient | None = None
    """A client session that is new or has changed."""
    forgotten: str = ""
    """Id of a client session that is not known any more."""
    request: InFlightRequest | None = None
    """A request that is new or has changed."""
    done: tuple[str, ...] = ()
    """Ids of requests that nothing need be known of any more."""
    asked: PendingInput | None = None
    """A question of the kernel."""
    answered: tuple[str, ...] = ()
    """Ids of the requests whose questions are answered."""
    sequence_limit: int = 0
    last_activity_time: float = 0.0

    @property
    def half_ends(self) -> bool:
        """Whether it is the reply to a request, or its `idle`, and the other one follows."""
        request = self.request
        return (
            request is not None
            and not request.ended_at
            and bool(request.reply_at or request.idle_at)
        )


def after(snapshot: RelaySnapshot, changes: Iterable[RelayChange]) -> RelaySnapshot:
    """Return what a snapshot has become by changes."""
    clients = {client.session_id: client for client in snapshot.clients}
    requests = {request.msg_id: request for request in snapshot.requests}
    pending = {asked.parent_msg_id: asked for asked in snapshot.pending_inputs}
    limit, active = snapshot.sequence_limit, snapshot.last_activity_time
    for change in changes:
        if change.client:
            clients[change.client.session_id] = change.client
        if change.request:
            requests[change.request.msg_id] = change.request
        if change.asked:
            pending[change.asked.parent_msg_id] = change.asked
        clients.pop(change.forgotten, None)
        for msg_id in (*change.done, *change.answered):
            pending.pop(msg_id, None)
        for msg_id in change.done:
            requests.pop(msg_id, None)
        limit = max(limit, change.sequence_limit)
        active = max(active, change.last_activity_time)
    return RelaySnapshot(
        identity=snapshot.identity,
        sequence_limit=limit,
        last_activity_time=active,
        requests=tuple(requests.values()),
        pending_inputs=tuple(pending.values()),
        clients=tuple(clients.values()),
    )
