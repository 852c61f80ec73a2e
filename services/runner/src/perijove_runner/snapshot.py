"""What a relay keeps beyond its process, and how much it may keep at all."""

from __future__ import annotations

import msgspec


class RelayLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one kernel's relay."""

    journal_bytes: int = 64 * 1024 * 1024
    """Most bytes of messages kept for clients that are slow or away."""
    journal_messages: int = 200_000
    """Most messages kept for clients that are slow or away."""
    client_sessions: int = 256
    """Most client sessions known. Past it the one away for longest is forgotten."""
    away_s: float = 3600.0
    """Seconds after which a client session without a stream is forgotten."""
    requests_in_flight: int = 10_000
    """Most requests whose sender is remembered; past it the oldest is forgotten."""
    queued_messages: int = 1_000
    """Most messages held for a kernel whose sockets are not connected yet."""
    attach_wait_s: float = 60.0
    """Seconds that an attaching client waits for a starting kernel; then it is let in as it is."""
    end_grace_s: float = 5.0
    """Seconds that a client has to take the last messages of a kernel that is gone."""


class InFlightRequest(msgspec.Struct, frozen=True):
    """A request that the kernel has not answered."""

    msg_id: str
    """Id from its header."""
    client_session_id: str
    """Who sent it; empty if the runner itself did."""
    channel: str
    """Where it was sent: `shell` or `control`."""
    header: bytes
    """Its header frame: the parent header of an answer that has to be made up."""


class PendingInput(msgspec.Struct, frozen=True):
    """A question of the kernel that nobody has answered."""

    client_session_id: str
    """Who is asked."""
    parent_msg_id: str
    """The request during which it is asked."""
    frames: tuple[bytes, ...]
    """The message itself: header, parent header, metadata, content, buffers."""


class RelaySnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What the next process needs to carry on with a running kernel."""

    identity: bytes
    """ZeroMQ identity of the sockets: replies reach no other."""
    sequence_limit: int
    """No message of the epoch has a higher sequence number."""
    last_activity_time: float
    """Unix time in seconds."""
    requests: tuple[InFlightRequest, ...] = ()
    """Unanswered requests, oldest first."""
    pending_inputs: tuple[PendingInput, ...] = ()
    """Unanswered questions, oldest first."""
    client_session_ids: tuple[str, ...] = ()
    """Client sessions known."""
