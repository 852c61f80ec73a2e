"""Whose requests the kernel is working on, and what it asks back.

A request is remembered until its sender has acknowledged its end: the reply, and
the `idle` after it. So whoever continues from here knows whose end got lost.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from perijove_runner import headers
from perijove_runner.journal import NOBODY
from perijove_runner.model import Channel
from perijove_runner.snapshot import InFlightRequest, PendingInput, RelayChange

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from perijove_runner.snapshot import RelayLimits

_PENDING_INPUTS: Final = 64
_KEPT_REPLY_BYTES: Final = 16 * 1024


class Requests:
    """Routes replies and questions to the client session they belong to.

    Bounded: past the limit the oldest request is forgotten, and its reply is
    routed by the session in its parent header, if a client has that id. What
    changes here is returned, to be written down.
    """

    def __init__(self, limits: RelayLimits) -> None:
        self._limits = limits
        self._in_flight: dict[str, InFlightRequest] = {}
        self._ended: dict[str, deque[tuple[int, str]]] = {}
        self._replies: dict[str, Sequence[bytes]] = {}
        self._pending: dict[str, PendingInput] = {}
        self._places: dict[str, int] = {}

    @property
    def in_flight(self) -> tuple[InFlightRequest, ...]:
        """Requests whose end is not acknowledged, oldest first."""
        return tuple(self._in_flight.values())

    @property
    def pending_inputs(self) -> tuple[PendingInput, ...]:
        """Unanswered questions, oldest first."""
        return tuple(self._pending.values())

    @property
    def shell_is_busy(self) -> bool:
        """Whether a request on shell has no reply yet."""
        return any(
            request.channel == "shell" and request.lacks_reply
            for request in self._in_flight.values()
        )

    def restore(
        self, in_flight: Iterable[InFlightRequest], pending: Iterable[PendingInput]
    ) -> None:
        """Take over what an earlier process left."""
        self._pending = {asked.parent_msg_id: asked for asked in pending}
        self._in_flight = {request.msg_id: request for request in in_flight}
        for request in sorted(self._in_flight.values(), key=lambda request: request.ended_at):
            self._put(request)

    def clear(self) -> None:
        """Forget all: the process they were sent to is gone."""
        self._in_flight.clear()
        self._ended.clear()
        self._replies.clear()
        self._pending.clear()
        self._places.clear()

    def sent(
        self, client_session_id: str, channel: Channel, frames: Sequence[bytes]
    ) -> RelayChange:
        """Note a message that a client is about to send to the kernel."""
        if channel is Channel.STDIN:
            return RelayChange(
                answered=self._answered(client_session_id, headers.msg_id(frames[1]))
            )
        done: list[str] = []
        while len(self._in_flight) >= self._limits.requests_in_flight:
            done += self._forget(next(iter(self._in_flight)))
        msg_id, name = headers.msg_id(frames[0]), channel.name.lower()
        request = InFlightRequest(msg_id, client_session_id, name, frames[0])
        return RelayChange(request=request, done=(*done, *self._put(request)))

    def refused(self, msg_id: str) -> RelayChange:
        """Note that a message was not sent to the kernel after all."""
        return RelayChange(done=self._forget(msg_id))

    def received(
        self,
        channel: Channel,
        frames: Sequence[bytes],
        sequence: int,
        client_session_ids: Container[str],
    ) -> tuple[str, RelayChange | None]:
        """Note a reply or question of the kernel; return whom it is for, and what changes."""
        parent_id = headers.msg_id(frames[1])
        request = self._in_flight.get(parent_id)
        if request:
            audience = request.client_session_id
        else:
            session = headers.session(frames[1])
            audience = session if session in client_session_ids else NOBODY
        if channel is Channel.STDIN:
            return audience, self._ask(audience, parent_id, frames)
        if request is None:
            return audience, None
        if sum(map(len, frames)) <= _KEPT_REPLY_BYTES:
            self._replies[parent_id] = frames
        request = replace(request, reply_at=sequence)
        answered = self._drop(parent_id)
        change = RelayChange(request=request, answered=answered, done=self._put(request))
        return audience, change

    def reply(self, msg_id: str) -> Sequence[bytes] | None:
        """Return the reply to a request in flight, if there is one and it is not too long."""
        return self._replies.get(msg_id)

    def idled(self, parent_header: bytes, sequence: int) -> RelayChange | None:
        """Note that the kernel is done with a request; return what changes."""
        request = self._in_flight.get(headers.msg_id(parent_header))
        if request is None:
            return None
        request = replace(request, idle_at=sequence)
        return RelayChange(request=request, done=self._put(request))

    def delivered(self, client_session_id: str, sequence: int) -> tuple[str, ...]:
        """Forget the requests whose ends a client has seen, and return their ids."""
        ended = self._ended.get(client_session_id)
        done: list[str] = []
        while ended and ended[0][0] <= sequence:
            at, msg_id = ended.popleft()
            if (request := self._in_flight.get(msg_id)) and request.ended_at == at:
                done += self._forget(msg_id)
        return tuple(done)

    def client_forgotten(self, client_session_id: str) -> tuple[str, ...]:
        """Forget the ended requests of a client that will not come back; return their ids."""
        done = [
            msg_id
            for at, msg_id in self._ended.pop(client_session_id, ())
            if (request := self._in_flight.get(msg_id)) and request.ended_at == at
        ]
        for msg_id in done:
            self._forget(msg_id)
        return tuple(done)

    def asked_at(self, parent_id: str, place: int) -> None:
        """Note the place in the journal of the question during a request."""
        if parent_id in self._pending:
            self._places[parent_id] = place

    def asked_before(self, place: int) -> None:
        """Note that what is restored was asked before a place."""
        self._places = dict.fromkeys(self._pending, place - 1)

    def asked_within(self, client_session_id: str, start: int, end: int) -> list[PendingInput]:
        """Return what a client is asked in a run of places, and has not answered."""
        return [
            asked
            for parent_id, asked in self._pending.items()
            if asked.client_session_id == client_session_id
            and start <= self._places.get(parent_id, -1) < end
        ]

    def _put(self, request: InFlightRequest) -> tuple[str, ...]:
        """Keep a request; return the ids of those that it displaces."""
        self._in_flight[request.msg_id] = request
        if not (at := request.ended_at):
            return ()
        ended = self._ended.setdefault(request.client_session_id, deque())
        ended.append((at, request.msg_id))
        if len(ended) <= self._limits.ended_requests:
            return ()
        # Its client reads on without a word: it has seen that long ago.
        return self.delivered(request.client_session_id, ended[0][0])

    def _ask(
        self, client_session_id: str, parent_id: str, frames: Sequence[bytes]
    ) -> RelayChange | None:
        if client_session_id == NOBODY:
            return None
        answered: list[str] = []
        while len(self._pending) >= _PENDING_INPUTS:
            answered += self._drop(next(iter(self._pending)))
        asked = PendingInput(client_session_id, parent_id, tuple(frames))
        self._pending[parent_id] = asked
        return RelayChange(asked=asked, answered=tuple(answered))

    def _answered(self, client_session_id: str, parent_id: str) -> tuple[str, ...]:
        # Clients fill in the parent of an answer or leave it empty.
        if parent_id in self._pending:
            return self._drop(parent_id)
        mine = [
            msg_id
            for msg_id, asked in self._pending.items()
            if asked.client_session_id == client_session_id
        ]
        for msg_id in mine:
            self._drop(msg_id)
        return tuple(mine)

    def _forget(self, msg_id: str) -> tuple[str, ...]:
        self._in_flight.pop(msg_id, None)
        self._replies.pop(msg_id, None)
        self._drop(msg_id)
        return (msg_id,)

    def _drop(self, msg_id: str) -> tuple[str, ...]:
        self._places.pop(msg_id, None)
        return () if self._pending.pop(msg_id, None) is None else (msg_id,)
