"""The clients of one kernel: sessions that outlive their streams, up to a limit."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from perijove_chassis.errors import Aborted, NotFound, ResourceExhausted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perijove_chassis.errors import DomainError

    from perijove_runner.feed import Feed
    from perijove_runner.model import Channel
    from perijove_runner.snapshot import RelayLimits


class Sender(Protocol):
    """Takes what clients send to the kernel."""

    def send(self, client_session_id: str, channel: Channel, frames: Sequence[bytes]) -> None:
        """Pass a message on."""

    def lost(self, client_session_id: str, start: int, end: int) -> None:
        """Hear that a client will not see a run of places."""

    def closed(self, stream: ClientStream, *, forget: bool) -> None:
        """Hear that a stream has ended."""


@dataclass(slots=True)
class ClientSession:
    """A client as the relay knows it."""

    session_id: str
    acked: int | None
    """The place after the last that was acknowledged; none if that was lost."""
    stream: ClientStream | None = None
    away_since: float = 0.0


class ClientStream:
    """One open stream of a client session: a place in the feed that moves on."""

    def __init__(
        self, session: ClientSession, feed: Feed, sender: Sender, place: int, opening: list[bytes]
    ) -> None:
        """Make a stream.

        Args:
            session: Whose it is.
            feed: Where the kernel's messages come from.
            sender: Where the client's messages go.
            place: Where it begins to read.
            opening: Responses that come first.
        """
        self.session = session
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._feed = feed
        self._sender = sender
        self._place = place
        self._responses = deque(opening)
        self._last: DomainError | None = None

    async def next_response(self) -> bytes:
        """Wait for the next serialized `ConnectResponse`.

        Raises:
            NotFound: with reason `NO_SUCH_KERNEL` when the kernel is gone and
                all it said was returned.
        """
        while not self._responses:
            start, session_id = self._place, self.session.session_id
            if start < self._feed.first:
                self._responses.extend(self._feed.skip(start))
                self._place = self._feed.first
                self._sender.lost(session_id, start, self._place)
                continue
            response, self._place = self._feed.read(start, session_id)
            if response:
                return response
            if self._last and self._place == self._feed.present:
                raise self._last
            await self._feed.wait(self._place)
        return self._responses.popleft()

    def send(self, channel: Channel, frames: Sequence[bytes]) -> None:
        """Send a message to the kernel.

        Raises:
            InvalidArgument: if it is none a client may send.
            ResourceExhausted: if the kernel does not take any more.
        """
        self._sender.send(self.session.session_id, channel, frames)

    def ack(self, epoch: int, sequence: int) -> None:
        """Note that all up to a sequence number was delivered. Nonsense is ignored.

        A lower number than before takes the rest back: what was on its way to a
        client that is gone is delivered to it when it returns.
        """
        place = self._feed.place(epoch, sequence)
        if place is not None:
            self.session.acked = place + 1

    def fail(self, error: DomainError) -> None:
        """End the stream now, whatever is left to read."""
        if not self.failed.done():
            self.failed.set_exception(error)
            # The stream may have ended by itself: then nobody asks for it.
            self.failed.exception()

    def finish(self, grace_s: float) -> None:
        """End the stream when all is read, or after a time."""
        self._last = NotFound("the kernel is gone", reason="NO_SUCH_KERNEL")
        asyncio.get_running_loop().call_later(grace_s, self.fail, self._last)

    def close(self, *, forget: bool) -> None:
        """Leave, and forget the client session or keep it for a return."""
        self._sender.closed(self, forget=forget)


class Clients:
    """The client sessions of one kernel."""

    def __init__(self, limits: RelayLimits) -> None:
        self._limits = limits
        # In the order in which they went away: the one away for longest is first.
        self._sessions: dict[str, ClientSession] = {}
        self.connection_count = 0

    def __contains__(self, session_id: object) -> bool:
        return session_id in self._sessions

    @property
    def session_ids(self) -> tuple[str, ...]:
        """Ids of the sessions known."""
        return tuple(self._sessions)

    @property
    def streams(self) -> tuple[ClientStream, ...]:
        """The open streams."""
        return tuple(found.stream for found in self._sessions.values() if found.stream)

    def restore(self, session_ids: Iterable[str]) -> None:
        """Take over sessions of an earlier process; what they have seen is not known."""
        now = time.monotonic()
        for session_id in session_ids:
            self._sessions[session_id] = ClientSession(session_id, None, away_since=now)

    def find(self, session_id: str) -> ClientSession | None:
        """Return a session, if it is known."""
        self._expire()
        return self._sessions.get(session_id)

    def add(self, session_id: str, place: int) -> ClientSession:
        """Make a session whose client has seen all before a place.

        Raises:
            ResourceExhausted: if too many clients are connected.
        """
        if len(self._sessions) >= self._limits.client_sessions:
            away = next((found for found in self._sessions.values() if not found.stream), None)
            if away is None:
                raise ResourceExhausted("too many clients use the kernel", reason="LIMIT_EXCEEDED")
            del self._sessions[away.session_id]
        session = self._sessions[session_id] = ClientSession(session_id, place)
        return session

    def attach(self, stream: ClientStream) -> None:
        """Make a stream the one of its session; an older one ends."""
        previous = stream.session.stream
        stream.session.stream = stream
        if previous:
            previous.fail(
                Aborted("the client session has connected anew", reason="STREAM_REPLACED")
            )
        else:
            self.connection_count += 1

    def detach(self, stream: ClientStream, *, forget: bool) -> bool:
        """Part a stream from its session; return whether it was still its stream."""
        session = stream.session
        if session.stream is not stream:
            return False
        session.stream = None
        session.away_since = time.monotonic()
        self.connection_count -= 1
        if self._sessions.pop(session.session_id, None) and not forget:
            self._sessions[session.session_id] = session
        return True

    def _expire(self) -> None:
        oldest = time.monotonic() - self._limits.away_s
        for session in list(self._sessions.values()):
            if session.stream is None and session.away_since < oldest:
                del self._sessions[session.session_id]
