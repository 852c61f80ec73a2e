"""One client of a kernel, as it is known over all its streams."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perijove_chassis.errors import Aborted

from perijove_runner.snapshot import KnownClient

if TYPE_CHECKING:
    from perijove_runner.clients import ClientStream


@dataclass(frozen=True, slots=True)
class Outbox:
    """What a client counts its messages in, as it names it when it attaches."""

    outbox_id: str
    taken: int
    """How many of them it knows to be taken."""
    returning: bool
    """Whether an earlier stream has carried some of them."""


@dataclass(slots=True)
class ClientSession:
    """A client as the relay knows it."""

    session_id: str
    acked: int | None
    """The place after the last that was acknowledged; none if that was lost."""
    outbox_id: str = ""
    """What its messages are counted in; empty before its first stream."""
    taken: int = 0
    """How many of them are taken."""
    stream: ClientStream | None = None
    away_since: float = 0.0

    @property
    def known(self) -> KnownClient:
        """What a later process need know of it."""
        return KnownClient(self.session_id, self.outbox_id, self.taken)

    def take_up(self, outbox: Outbox | None) -> None:
        """Count in the outbox of a new stream from here on.

        Raises:
            Aborted: with reason `STREAM_REPLACED` if it was the client's before
                another one.
        """
        if outbox is None:
            self.outbox_id, self.taken = uuid.uuid4().hex, 0
        elif outbox.outbox_id == self.outbox_id:
            self.taken = max(self.taken, outbox.taken)
        elif outbox.returning and self.outbox_id:
            raise replaced()
        else:
            self.outbox_id, self.taken = outbox.outbox_id, outbox.taken


def replaced() -> Aborted:
    """Return what ends the stream of a client session that has another one now."""
    return Aborted("the client session has connected anew", reason="STREAM_REPLACED")
