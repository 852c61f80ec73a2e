"""Takes what a kernel says: decides who sees it, notes what it ends, and publishes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from perijove_runner import adoption, headers
from perijove_runner.activity import (
    Activity,
    begins_cell,
    is_busy,
    is_idle,
    is_output,
    is_welcome,
    told_state,
)
from perijove_runner.journal import EVERYONE
from perijove_runner.model import Channel, ExecutionState
from perijove_runner.snapshot import RelayChange

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    from perijove_runner.feed import Feed
    from perijove_runner.keeping import RelayKeeper
    from perijove_runner.requests import Requests
    from perijove_runner.rules import MessageRules
    from perijove_runner.snapshot import InFlightRequest

log = structlog.get_logger()

_RESERVED: Final = 100_000
"""Sequence numbers reserved at a time for the messages of an epoch."""
_TELL_ACTIVITY_S: Final = 1.0
CHANNELS: Final = {"shell": Channel.SHELL, "control": Channel.CONTROL}


class Receiving:
    """Publishes what a kernel says. What a client may know by that is written down before."""

    def __init__(
        self,
        feed: Feed,
        requests: Requests,
        client_session_ids: Container[str],
        keeper: RelayKeeper,
        rules: MessageRules,
        changed: Callable[[], None],
    ) -> None:
        """Begin with nothing said.

        Args:
            feed: Where it is published.
            requests: Whose it is.
            client_session_ids: The clients known.
            keeper: Writes down what it ends.
            rules: Says what is activity.
            changed: Called when state or activity have changed.
        """
        self.activity = Activity(rules.untracked)
        self.sequence_limit = 0
        self._feed = feed
        self._requests = requests
        self._client_session_ids = client_session_ids
        self._keeper = keeper
        self._changed = changed
        self._told = 0.0
        self._last_cell = b""

    def begin_epoch(self, epoch: int) -> None:
        """Begin to number anew, with a process that has yet to say something."""
        self._requests.clear()
        self._feed.begin_epoch(epoch)
        self.sequence_limit = _RESERVED
        self.activity.force(ExecutionState.STARTING)
        self._changed()

    async def adopt(self, epoch: int, sequence_limit: int, last_activity_time: float) -> None:
        """Continue an epoch after a gap."""
        await self._feed.adopt(epoch, sequence_limit)
        self._requests.asked_before(self._feed.begun_at)
        self.sequence_limit = sequence_limit + _RESERVED
        self.activity.last_time = last_activity_time
        busy = self._requests.shell_is_busy
        self.activity.force(ExecutionState.BUSY if busy else ExecutionState.IDLE)

    def received(self, channel: Channel, frames: Sequence[bytes]) -> None:
        """Take a message."""
        if channel is Channel.IOPUB:
            if is_welcome(frames):
                return
            change, state = None, told_state(frames)
            if is_idle(state):
                change = self._requests.idled(frames[1], self._feed.sequence)
                self._keeper.keep(change)
            if is_cell := not state and begins_cell(frames):
                self._last_cell = frames[1]
            # Nobody waits for the news that something begins, and something follows it.
            more_follows = change.half_ends if change else is_cell or is_busy(state)
            self.publish(
                channel, frames, EVERYONE, more_follows=more_follows, is_output=is_output(frames)
            )
            changed = self.activity.observe(frames, state)
            if changed or self.activity.last_time - self._told > _TELL_ACTIVITY_S:
                self._told = self.activity.last_time
                self._changed()
            return
        audience, change = self._requests.received(
            channel, frames, self._feed.sequence, self._client_session_ids
        )
        self._keeper.keep(change)
        more_follows = change is not None and change.half_ends
        place = self.publish(channel, frames, audience, more_follows=more_follows)
        if channel is Channel.STDIN:
            self._requests.asked_at(headers.msg_id(frames[1]), place)

    def publish(
        self,
        channel: Channel,
        frames: Sequence[bytes],
        audience: str | None,
        *,
        more_follows: bool = False,
        is_output: bool = False,
    ) -> int:
        """Publish a message, with what follows it soon if it can wait, and return its place."""
        if self._feed.sequence >= self.sequence_limit:
            self.sequence_limit += _RESERVED
            self._keeper.keep(RelayChange(sequence_limit=self.sequence_limit))
        return self._feed.publish(
            channel, frames, audience, more_follows=more_follows, is_output=is_output
        )

    def lost(self, client_session_id: str, start: int, end: int) -> None:
        """Say again what a client waits for, and will not see in a run of places.

        That is what the kernel asked it, and the ends of its requests.
        """
        for asked in self._requests.asked_within(client_session_id, start, end):
            place = self.publish(Channel.STDIN, asked.frames, client_session_id)
            self._requests.asked_at(asked.parent_msg_id, place)
        for request, reply, idle in adoption.undelivered(
            self._requests.in_flight,
            client_session_id,
            self._feed.sequence_at(start),
            self._feed.sequence_at(end),
        ):
            self._end_again(request, client_session_id, reply=reply, idle=idle)

    def refuse(self, request: InFlightRequest) -> None:
        """Answer a request that is not passed on to the kernel, so that nobody waits for it."""
        kind = headers.msg_type(request.header)
        log.warning("message refused", msg_type=kind)
        if not kind.endswith("_request"):
            return
        text = f"Messages of type {kind} are not allowed here."
        reply = adoption.error_reply(request, "MessageNotAllowed", text, [])
        self.publish(CHANNELS[request.channel], reply, request.client_session_id)
        self.publish(Channel.IOPUB, adoption.idle(request), EVERYONE)

    def unended(self, before: Iterable[InFlightRequest], channel: str) -> list[InFlightRequest]:
        """Return those of an earlier runner's requests on a channel that have no end yet."""
        return adoption.unended(before, self._requests.in_flight, channel)

    def end_unended(self, before: Iterable[InFlightRequest], channel: str) -> None:
        """End the requests of an earlier runner that the kernel is done with.

        Args:
            before: What was in flight when that runner ended.
            channel: The channel on which the kernel has caught up.
        """
        for request in self.unended(before, channel):
            reply, idle = request.lacks_reply, not request.idle_at
            self._end_again(request, EVERYONE, reply=reply, idle=idle)

    def end_all(self, name: str, text: str, *, show: bool) -> None:
        """End every request that lacks its end, since nobody works on it any more.

        The cell that was running shows an error; those that waited are only answered
        with it. If none was running, the last one that ran shows a warning.

        Args:
            name: Name of the error.
            text: What has happened, for people.
            show: Whether it is worth a warning in a cell that has ended.
        """
        shown = False
        for request in self._requests.in_flight:
            if request.ended_at:
                continue
            if not shown and headers.msg_type(request.header) == "execute_request":
                shown = True
                output = adoption.error_output(request, name, text)
                self.publish(Channel.IOPUB, output, EVERYONE)
            reply = adoption.error_reply(request, name, text, []) if request.lacks_reply else None
            self._end(request, EVERYONE, reply, idle=not request.idle_at)
        if show and not shown and self._last_cell:
            warning = adoption.warning_output(self._last_cell, text)
            self.publish(Channel.IOPUB, warning, EVERYONE)

    def settled(self) -> None:
        """Hear that the kernel has caught up: if nothing is to do, it is idle."""
        if not self._requests.shell_is_busy and self.activity.force(ExecutionState.IDLE):
            self._changed()

    def _end_again(
        self, request: InFlightRequest, audience: str | None, *, reply: bool, idle: bool
    ) -> None:
        log.info("end of a request told again", msg_id=request.msg_id, reply=reply, idle=idle)
        kept = self._requests.reply(request.msg_id) or adoption.lost_reply(request)
        self._end(request, audience, kept if reply else None, idle=idle)

    def _end(
        self,
        request: InFlightRequest,
        audience: str | None,
        reply: Sequence[bytes] | None,
        *,
        idle: bool,
    ) -> None:
        if reply:
            self.received(CHANNELS[request.channel], reply)
        if idle:
            frames = adoption.idle(request)
            self._keeper.keep(self._requests.idled(frames[1], self._feed.sequence))
            self.publish(Channel.IOPUB, frames, audience)
