"""Readers of what a client session sees, beside the session's own stream.

They send nothing, count as nobody's connection, and need nothing to be said again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove_chassis.errors import FailedPrecondition

from perijove_runner.attaching import resumed
from perijove_runner.client_session import ClientSession
from perijove_runner.clients import ClientStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perijove_runner.feed import Feed
    from perijove_runner.model import Channel


class Followers:
    """The readers of one kernel that are no clients."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._streams: set[ClientStream] = set()

    def __iter__(self) -> Iterator[ClientStream]:
        return iter(tuple(self._streams))

    def add(self, client_session_id: str, resume: tuple[int, int]) -> ClientStream:
        """Return a stream of what a client session sees after an epoch's sequence number."""
        opening: list[bytes] = []
        place = resumed(self._feed, self, client_session_id, resume, opening)
        session = ClientSession(client_session_id, None)
        stream = ClientStream(session, self._feed, self, place, opening, confirms=False)
        self._streams.add(stream)
        return stream

    def send(self, session: ClientSession, channel: Channel, frames: Sequence[bytes]) -> None:
        """Refuse what a reader sends.

        Raises:
            FailedPrecondition: always.
        """
        del session, channel, frames
        raise FailedPrecondition("a reader sends nothing")

    def acked(self, session: ClientSession, epoch: int, sequence: int) -> None:
        """Hear what a reader has seen, which is nothing to anybody else."""

    def lost(self, client_session_id: str, start: int, end: int) -> None:
        """Hear what a reader has not seen; the session it reads for has, or is told again."""

    def closed(self, stream: ClientStream, *, forget: bool) -> None:
        """Part with a reader."""
        del forget
        self._streams.discard(stream)
