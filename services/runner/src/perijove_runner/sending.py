"""Passes what clients send to the kernel, in order, and each message once."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace
from perijove_chassis.errors import InvalidArgument, ResourceExhausted

from perijove_runner import headers
from perijove_runner.model import Channel
from perijove_runner.snapshot import InFlightRequest, RelayChange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perijove_runner.client_session import ClientSession
    from perijove_runner.keeping import RelayKeeper
    from perijove_runner.link import KernelLink
    from perijove_runner.requests import Requests
    from perijove_runner.rules import MessageRules

_MESSAGE_FRAMES = 4


@dataclass(frozen=True, slots=True)
class _Held:
    session: ClientSession
    outbox_id: str
    channel: Channel
    frames: Sequence[bytes]


class Sending:
    """Takes messages: holds them while there is no kernel, notes them, and sends them."""

    def __init__(
        self,
        requests: Requests,
        keeper: RelayKeeper,
        rules: MessageRules,
        refuse: Callable[[InFlightRequest], None],
        limit: int,
    ) -> None:
        """Begin without a kernel.

        Args:
            requests: Hears of each message.
            keeper: Writes each down before it is sent.
            rules: Says what is sent at all.
            refuse: Answers what is not.
            limit: Most messages held.
        """
        self._rules = rules
        self._refuse = refuse
        self._requests = requests
        self._keeper = keeper
        self._limit = limit
        self._held: deque[_Held] = deque()

    def send(
        self,
        link: KernelLink | None,
        session: ClientSession,
        channel: Channel,
        frames: Sequence[bytes],
    ) -> None:
        """Send a message over a link, or hold it until there is one that is connected.

        Raises:
            InvalidArgument: if it is none a client may send.
            ResourceExhausted: if the kernel does not take any more.
        """
        if channel is Channel.IOPUB or len(frames) < _MESSAGE_FRAMES:
            raise InvalidArgument("a client cannot send such a message to a kernel")
        message = _Held(session, session.outbox_id, channel, frames)
        if link and link.connected:
            self._pass_on(link, message)
        elif len(self._held) < self._limit:
            self._held.append(message)
        else:
            raise ResourceExhausted("the kernel is not connected yet", reason="LIMIT_EXCEEDED")

    def flush(self, link: KernelLink) -> None:
        """Send what is held."""
        while self._held:
            self._pass_on(link, self._held.popleft())

    def drop(self, session: ClientSession) -> None:
        """Drop what is held of a client's present outbox: it is not taken, and comes again."""
        self._held = deque(
            held
            for held in self._held
            if held.session is not session or held.outbox_id != session.outbox_id
        )

    def _drop(self, message: _Held) -> None:
        session, header = message.session, message.frames[0]
        if message.outbox_id == session.outbox_id:
            session.taken += 1
        self._keeper.keep(RelayChange(client=session.known))
        if message.channel is not Channel.STDIN:
            name = message.channel.name.lower()
            self._refuse(InFlightRequest(headers.msg_id(header), session.session_id, name, header))

    def _pass_on(self, link: KernelLink, message: _Held) -> None:
        session = message.session
        if not self._rules.allows(message.frames):
            self._drop(message)
            return
        change = self._requests.sent(session.session_id, message.channel, message.frames)
        if message.outbox_id == session.outbox_id:
            session.taken += 1
        # If the runner ends between these two, the message is answered as a lost one.
        self._keeper.keep(replace(change, client=session.known, last_activity_time=time.time()))
        try:
            link.send(message.channel, message.frames)
        except ResourceExhausted:
            self._keeper.keep(self._requests.refused(headers.msg_id(message.frames[0])))
            raise
