"""The clients of one kernel: sessions that outlive their streams, up to a limit."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from perijove_chassis.errors import NotFound, ResourceExhausted

from perijove_runner import encoding
from perijove_runner.client_session import ClientSession, replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from perijove_chassis.errors import DomainError

    from perijove_runner.feed import Feed
    from perijove_runner.model import Channel
    from perijove_runner.snapshot import KnownClient, RelayLimits

_CONFIRM_S: Final = 0.05
"""Seconds until a client hears what was taken if there is nothing to tell it with that."""


class Sender(Protocol):
    """Takes what clients send to the kernel."""

    def send(self, session: ClientSession, channel: Channel, frames: Sequence[bytes]) -> None:
        """Pass a message on, and count it in the session's outbox."""

    def acked(self, session: ClientSession, epoch: int, sequence: int) -> None:
        """Hear that all up to a sequence number was delivered."""

    def lost(self, client_session_id: str, start: int, end: int) -> None:
        """Hear that a client will not see a run of places."""

    def closed(self, stream: ClientStream, *, forget: bool) -> None:
        """Hear that a stream has ended."""


class ClientStream:
    """One open stream of a client session: a place in the feed that moves on."""

    def __init__(
        self,
        session: ClientSession,
        feed: Feed,
        sender: Sender,
        place: int,
        opening: list[bytes],
        *,
        confirms: bool,
    ) -> None:
        """Make a stream.

        Args:
            session: Whose it is.
            feed: Where the kernel's messages come from.
            sender: Where the client's messages go.
            place: Where it begins to read.
            opening: Responses that come first.
            confirms: Whether the client wants to hear what was taken.
        """
        self.session = session
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._feed = feed
        self._sender = sender
        self.place = place
        """Where it reads on."""
        self.skips_spooled = False
        """Whether it is told of a gap in place of what is on disk."""
        self._responses = deque(opening)
        self._last: DomainError | None = None
        self._confirms = confirms
        self._confirmed = session.taken
        self._reminder: asyncio.TimerHandle | None = None
        self._reminded = False
        self._left = False

    async def next_response(self) -> bytes:
        """Wait for the next serialized `ConnectResponse`; it is empty when the client has left.

        Raises:
            NotFound: with reason `NO_SUCH_KERNEL` when the kernel is gone and
                all it said was returned.
        """
        while not self._responses:
            if self._left:
                return self._with_taken(b"")
            if self.place < self._feed.in_memory_from:
                response = await self._read_older()
            else:
                response, self.place = self._feed.read(self.place, self.session.session_id)
            if response := self._with_taken(response):
                return response
            if self._last and self.place == self._feed.present:
                raise self._last
            await self._feed.wait(self.place)
        return self._responses.popleft()

    def send(self, channel: Channel, frames: Sequence[bytes]) -> None:
        """Send a message to the kernel.

        Raises:
            InvalidArgument: if it is none a client may send.
            ResourceExhausted: if the kernel does not take any more.
        """
        if self.session.stream is not self:
            return  # what was under way here comes again over the stream that took its place
        self._sender.send(self.session, channel, frames)
        if self._confirms and self._reminder is None:
            loop = asyncio.get_running_loop()
            self._reminder = loop.call_later(_CONFIRM_S, self._remind)

    def ack(self, epoch: int, sequence: int) -> None:
        """Note that all up to a sequence number was delivered. Nonsense is ignored.

        A lower number than before takes the rest back: what was on its way to a
        client that is gone is delivered to it when it returns.
        """
        place = self._feed.place(epoch, sequence)
        if place is not None:
            self.session.acked = place + 1
            self._sender.acked(self.session, epoch, sequence)

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

    def client_left(self) -> None:
        """Hear that the client has sent all: it is told what was taken, and nothing else."""
        self._left = self._reminded = True
        self._feed.wake()

    def close(self, *, forget: bool) -> None:
        """Leave, and forget the client session or keep it for a return."""
        if self._reminder:
            self._reminder.cancel()
        self._sender.closed(self, forget=forget)

    async def _read_older(self) -> bytes:
        """Return what comes next from the disk. Where it is not there, a gap comes next."""
        start, session_id = self.place, self.session.session_id
        if self.skips_spooled:
            self._miss(self._feed.in_memory_from, self._feed.gaps.spooled)
            return b""
        found = await self._feed.read_older(start, session_id)
        if found is None:
            self._miss(self._feed.next_kept(start), self._feed.gaps.between)
            return b""
        response, self.place = found
        return response

    def _miss(self, place: int, gaps: Callable[[int, int], list[bytes]]) -> None:
        """Read on at a place; what is before is told of as a gap."""
        start, self.place = self.place, place
        self._responses.extend(gaps(start, place))
        self._sender.lost(self.session.session_id, start, place)

    def _with_taken(self, response: bytes) -> bytes:
        """Say what was taken along with a response, or by itself once it is time."""
        if (response or self._reminded) and self._confirms:
            self._reminded = False
            if self.session.taken != self._confirmed:
                self._confirmed = self.session.taken
                return response + encoding.taken(self._confirmed)
        return response

    def _remind(self) -> None:
        self._reminder = None
        if self.session.taken != self._confirmed:
            self._reminded = True
            self._feed.wake()


class Clients:
    """The client sessions of one kernel."""

    def __init__(self, limits: RelayLimits, forgotten: Callable[[str], None]) -> None:
        """Begin without any.

        Args:
            limits: How many are remembered, and for how long.
            forgotten: Hears the id of each that is forgotten.
        """
        self._limits = limits
        self._forgotten = forgotten
        # In the order in which they went away: the one away for longest is first.
        self._sessions: dict[str, ClientSession] = {}
        self.connection_count = 0

    def __contains__(self, session_id: object) -> bool:
        return session_id in self._sessions

    @property
    def known(self) -> tuple[KnownClient, ...]:
        """The sessions known."""
        return tuple(session.known for session in self._sessions.values())

    @property
    def streams(self) -> tuple[ClientStream, ...]:
        """The open streams."""
        return tuple(found.stream for found in self._sessions.values() if found.stream)

    def waits_from(self, present: int) -> int:
        """Return the oldest place that a session has not acknowledged, or the present one."""
        return min((found.acked or 0 for found in self._sessions.values()), default=present)

    def restore(self, clients: Iterable[KnownClient]) -> None:
        """Take over sessions of an earlier process; what they have seen is not known."""
        now = time.monotonic()
        for known in clients:
            self._sessions[known.session_id] = ClientSession(
                known.session_id, None, known.outbox_id, known.taken, away_since=now
            )

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
            self._forget(away)
        session = self._sessions[session_id] = ClientSession(session_id, place)
        return session

    def attach(self, stream: ClientStream) -> None:
        """Make a stream the one of its session; an older one ends."""
        previous = stream.session.stream
        stream.session.stream = stream
        if previous:
            previous.fail(replaced())
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
        if forget:
            self._forget(session)
        elif self._sessions.pop(session.session_id, None):
            self._sessions[session.session_id] = session
        return True

    def _forget(self, session: ClientSession) -> None:
        if self._sessions.pop(session.session_id, None):
            self._forgotten(session.session_id)

    def _expire(self) -> None:
        oldest = time.monotonic() - self._limits.away_s
        for session in list(self._sessions.values()):
            if session.stream is None and session.away_since < oldest:
                self._forget(session)
