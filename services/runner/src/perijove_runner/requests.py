"""Whose requests the kernel is working on, and what it asks back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perijove_runner import headers
from perijove_runner.journal import NOBODY
from perijove_runner.model import Channel
from perijove_runner.snapshot import InFlightRequest, PendingInput

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

_PENDING_INPUTS: Final = 64


class Requests:
    """Routes replies and questions to the client session they belong to.

    Bounded: past the limit the oldest request is forgotten, and its reply is
    routed by the session in its parent header, if a client has that id.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._in_flight: dict[str, InFlightRequest] = {}
        self._pending: dict[str, PendingInput] = {}
        self._places: dict[str, int] = {}

    @property
    def in_flight(self) -> tuple[InFlightRequest, ...]:
        """Unanswered requests, oldest first."""
        return tuple(self._in_flight.values())

    @property
    def pending_inputs(self) -> tuple[PendingInput, ...]:
        """Unanswered questions, oldest first."""
        return tuple(self._pending.values())

    def restore(
        self, in_flight: Iterable[InFlightRequest], pending: Iterable[PendingInput]
    ) -> None:
        """Take over what an earlier process left."""
        self._in_flight = {request.msg_id: request for request in in_flight}
        self._pending = {asked.parent_msg_id: asked for asked in pending}

    def clear(self) -> None:
        """Forget all: the process they were sent to is gone."""
        self._in_flight.clear()
        self._pending.clear()
        self._places.clear()

    def sent(self, client_session_id: str, channel: Channel, frames: Sequence[bytes]) -> None:
        """Note a message that a client sent to the kernel."""
        if channel is Channel.STDIN:
            self._answered(client_session_id, headers.msg_id(frames[1]))
            return
        msg_id = headers.msg_id(frames[0])
        while len(self._in_flight) >= self._limit:
            del self._in_flight[next(iter(self._in_flight))]
        self._in_flight[msg_id] = InFlightRequest(
            msg_id, client_session_id, channel.name.lower(), frames[0]
        )

    def audience(
        self, channel: Channel, frames: Sequence[bytes], client_session_ids: Container[str]
    ) -> str:
        """Return whom a reply or question of the kernel is for, and note it."""
        parent_id = headers.msg_id(frames[1])
        request = self._in_flight.get(parent_id)
        if request:
            audience = request.client_session_id
        else:
            session = headers.session(frames[1])
            audience = session if session in client_session_ids else NOBODY
        if channel is Channel.STDIN:
            self._ask(audience, parent_id, frames)
        elif request:
            self.forget(parent_id)
        return audience

    def asked_at(self, parent_id: str, place: int) -> None:
        """Note the place in the journal of the question during a request."""
        if parent_id in self._pending:
            self._places[parent_id] = place

    def asked_within(self, client_session_id: str, start: int, end: int) -> list[PendingInput]:
        """Return what a client is asked in a run of places, and has not answered.

        What an earlier process asked lies just before the first place.
        """
        return [
            asked
            for parent_id, asked in self._pending.items()
            if asked.client_session_id == client_session_id
            and start <= self._places.get(parent_id, -1) < end
        ]

    def forget(self, msg_id: str) -> None:
        """Forget a request, and what was asked during it."""
        self._in_flight.pop(msg_id, None)
        self._drop(msg_id)

    def _ask(self, client_session_id: str, parent_id: str, frames: Sequence[bytes]) -> None:
        if client_session_id == NOBODY:
            return
        while len(self._pending) >= _PENDING_INPUTS:
            self._drop(next(iter(self._pending)))
        self._pending[parent_id] = PendingInput(client_session_id, parent_id, tuple(frames))

    def _answered(self, client_session_id: str, parent_id: str) -> None:
        # Clients fill in the parent of an answer or leave it empty.
        if parent_id in self._pending:
            self._drop(parent_id)
            return
        for msg_id, asked in list(self._pending.items()):
            if asked.client_session_id == client_session_id:
                self._drop(msg_id)

    def _drop(self, msg_id: str) -> None:
        self._pending.pop(msg_id, None)
        self._places.pop(msg_id, None)
