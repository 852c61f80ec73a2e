"""Between one kernel's sockets and its clients.

The relay outlives the kernel's processes: a restart gives it new sockets and a
new epoch, and the clients stay. It decides who sees a message, and nothing
about what is in it.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from typing import TYPE_CHECKING, Final

import msgspec
import structlog
from perijove_chassis.errors import (
    DeadlineExceeded,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    Unavailable,
)

from perijove_runner import adoption, headers
from perijove_runner.activity import Activity
from perijove_runner.attaching import begin_stream
from perijove_runner.clients import Clients
from perijove_runner.feed import Feed
from perijove_runner.journal import EVERYONE
from perijove_runner.link import KernelLink
from perijove_runner.model import Channel, ExecutionState
from perijove_runner.outbox import message
from perijove_runner.requests import Requests
from perijove_runner.snapshot import RelaySnapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perijove_runner.clients import ClientStream
    from perijove_runner.model import ConnectionInfo
    from perijove_runner.snapshot import InFlightRequest, RelayLimits
    from perijove_runner.store import RelayListener

log = structlog.get_logger()

_RESERVED: Final = 100_000
"""Sequence numbers reserved at a time for the messages of an epoch."""
_MESSAGE_FRAMES: Final = 4
_TELL_ACTIVITY_S: Final = 1.0
_CHANNELS: Final = {"shell": Channel.SHELL, "control": Channel.CONTROL}


class KernelRelay:
    """Holds the sockets of one kernel, and its clients."""

    def __init__(self, kernel_id: str, listener: RelayListener, limits: RelayLimits) -> None:
        self._kernel_id = kernel_id
        self._listener = listener
        self._limits = limits
        self._feed = Feed(limits)
        self._clients = Clients(limits)
        self._requests = Requests(limits.requests_in_flight)
        self._activity = Activity()
        self._identity = uuid.uuid4().hex.encode()
        self._sequence_limit = 0
        self._told_activity = 0.0
        self._link: KernelLink | None = None
        self._queue: deque[tuple[str, Channel, Sequence[bytes]]] = deque()
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._coming_up: asyncio.Task[None] | None = None
        self._ended = False

    @property
    def execution_state(self) -> ExecutionState:
        """What the kernel last said it does."""
        return self._activity.state

    @property
    def last_activity_time(self) -> float:
        """When something last happened in it, in seconds of Unix time."""
        return self._activity.last_time

    @property
    def connection_count(self) -> int:
        """Number of open client streams."""
        return self._clients.connection_count

    async def open(
        self, connection: ConnectionInfo, epoch: int, adopted: RelaySnapshot | None = None
    ) -> None:
        """Begin an epoch with a process, or continue one after a gap.

        Returns at once; the sockets connect as soon as the kernel listens.

        Args:
            connection: Where the process listens.
            epoch: Number of the process, higher than any before.
            adopted: What an earlier relay of the same process left.

        Raises:
            FailedPrecondition: if the kernel signs its messages in an unknown way.
        """
        if adopted:
            self._adopt(adopted, epoch)
        elif epoch != self._feed.epoch:
            self._requests.clear()
            self._feed.begin_epoch(epoch)
            self._sequence_limit = _RESERVED
            # Whatever the process before it did, this one has yet to say something.
            self._activity.force(ExecutionState.STARTING)
            self._listener.relay_changed(self._kernel_id)
        self._link = KernelLink(connection, self._identity, self._received)
        if self._ready.done():
            self._ready = asyncio.get_running_loop().create_future()
        self._coming_up = asyncio.create_task(self._come_up(self._link, adopted))
        self._listener.relay_must_persist(self._kernel_id)

    async def ready(self, timeout_s: float) -> None:
        """Wait until the kernel answers and nothing it publishes can be missed.

        Raises:
            DeadlineExceeded: if that takes too long.
            NotFound: if the kernel ends meanwhile.
        """
        try:
            await asyncio.wait_for(asyncio.shield(self._ready), timeout_s)
        except TimeoutError:
            raise DeadlineExceeded("the kernel does not answer") from None

    async def request(self, channel: str, msg_type: str, content: bytes, timeout_s: float) -> bytes:
        """Send a request of the runner's own, on `shell` or `control`.

        Returns the content of the reply, like that of the request as JSON.

        Raises:
            DeadlineExceeded: if there is no reply in time.
            Unavailable: if the kernel is not connected, or is disconnected.
        """
        if self._link is None:
            raise Unavailable("the kernel is not connected")
        return await self._link.ask(_CHANNELS[channel], msg_type, content, timeout_s)

    def publish_status(self, state: str) -> None:
        """Tell all clients a state that the kernel itself cannot tell.

        What the kernel said before comes first.
        """
        if self._link and self._link.connected:
            self._link.drain()
        self._activity.force(ExecutionState(state))
        if not self._feed.epoch:
            return  # nothing was ever opened: there is nobody to tell
        content = msgspec.json.encode({"execution_state": state})
        _, frames = message("status", content, self._identity.decode())
        self._publish(Channel.IOPUB, frames, EVERYONE)
        self._listener.relay_changed(self._kernel_id)

    async def close_sockets(self) -> None:
        """Disconnect from a process; the clients stay."""
        if self._coming_up:
            self._coming_up.cancel()
            await asyncio.gather(self._coming_up, return_exceptions=True)
            self._coming_up = None
        if self._link:
            self._link.close()
            self._link = None

    async def end(self) -> None:
        """End every client's stream once it has read all, since the kernel is gone."""
        await self.close_sockets()
        self._ended = True
        if not self._ready.done():
            self._ready.set_exception(NotFound("the kernel is gone", reason="NO_SUCH_KERNEL"))
            self._ready.exception()
        for stream in self._clients.streams:
            stream.finish(self._limits.end_grace_s)
        self._feed.wake()

    def snapshot(self) -> RelaySnapshot:
        """Return what the next runner must know to continue."""
        return RelaySnapshot(
            identity=self._identity,
            sequence_limit=self._sequence_limit,
            last_activity_time=self._activity.last_time,
            requests=self._requests.in_flight,
            pending_inputs=self._requests.pending_inputs,
            client_session_ids=self._clients.session_ids,
        )

    async def attach(self, client_session_id: str, resume: tuple[int, int] | None) -> ClientStream:
        """Let a client in, once the kernel is ready or has taken long enough.

        The client reads on after `resume`, an epoch and a sequence number.

        Raises:
            InvalidArgument: if the id is empty or too long.
            NotFound: if the kernel is gone.
            ResourceExhausted: if too many clients are connected.
        """
        try:
            await self.ready(self._limits.attach_wait_s)
        except DeadlineExceeded:
            log.warning("kernel is slow to answer", kernel_id=self._kernel_id)
        if self._ended:
            raise NotFound("the kernel is gone", reason="NO_SUCH_KERNEL")
        known = client_session_id in self._clients
        stream = begin_stream(self._feed, self._clients, self, client_session_id, resume)
        self._clients.attach(stream)
        if not known:
            self._listener.relay_must_persist(self._kernel_id)
        self._listener.relay_changed(self._kernel_id)
        return stream

    def send(self, client_session_id: str, channel: Channel, frames: Sequence[bytes]) -> None:
        """Pass a client's message to the kernel, or hold it until the kernel listens.

        Raises:
            InvalidArgument: if it is none a client may send.
            ResourceExhausted: if the kernel does not take any more.
        """
        if channel is Channel.IOPUB or len(frames) < _MESSAGE_FRAMES:
            raise InvalidArgument("a client cannot send such a message to a kernel")
        if self._ended:
            return
        if self._link and self._link.connected:
            self._link.send(channel, frames)
            self._requests.sent(client_session_id, channel, frames)
            self._listener.relay_must_persist(self._kernel_id)
        elif len(self._queue) < self._limits.queued_messages:
            self._queue.append((client_session_id, channel, frames))
        else:
            raise ResourceExhausted("the kernel is not connected yet", reason="LIMIT_EXCEEDED")

    def lost(self, client_session_id: str, start: int, end: int) -> None:
        """Ask again what the kernel asked in a run of places a client will not see."""
        for asked in self._requests.asked_within(client_session_id, start, end):
            place = self._publish(Channel.STDIN, asked.frames, client_session_id)
            self._requests.asked_at(asked.parent_msg_id, place)

    def closed(self, stream: ClientStream, *, forget: bool) -> None:
        """Part with a stream."""
        if self._clients.detach(stream, forget=forget):
            if forget:
                self._listener.relay_must_persist(self._kernel_id)
            self._listener.relay_changed(self._kernel_id)

    def _adopt(self, adopted: RelaySnapshot, epoch: int) -> None:
        self._identity = adopted.identity
        self._requests.restore(adopted.requests, adopted.pending_inputs)
        self._clients.restore(adopted.client_session_ids)
        self._feed.adopt(epoch, adopted.sequence_limit)
        self._sequence_limit = adopted.sequence_limit + _RESERVED
        self._activity.last_time = adopted.last_activity_time
        busy = any(request.channel == "shell" for request in adopted.requests)
        self._activity.force(ExecutionState.BUSY if busy else ExecutionState.IDLE)

    async def _come_up(self, link: KernelLink, adopted: RelaySnapshot | None) -> None:
        await link.connect()
        while self._queue:
            client_session_id, channel, frames = self._queue.popleft()
            self.send(client_session_id, channel, frames)
        await link.confirm(answering=adopted is None)
        self._ready.set_result(None)
        if adopted:
            await self._settle(link, adopted)

    async def _settle(self, link: KernelLink, adopted: RelaySnapshot) -> None:
        """Answer in the kernel's place what it has answered to nobody."""
        for name in ("control", "shell"):
            await link.ask(_CHANNELS[name], "kernel_info_request", b"{}")
            for request in adoption.lost(adopted.requests, self._requests.in_flight, name):
                self._answer_lost(request)

    def _answer_lost(self, request: InFlightRequest) -> None:
        session = self._identity.decode()
        log.warning("reply lost", kernel_id=self._kernel_id, msg_id=request.msg_id)
        self._received(_CHANNELS[request.channel], adoption.lost_reply(request, session))
        self._received(Channel.IOPUB, adoption.lost_idle(request, session))

    def _received(self, channel: Channel, frames: Sequence[bytes]) -> None:
        if channel is Channel.IOPUB:
            self._publish(channel, frames, EVERYONE)
            changed = self._activity.observe(frames)
            if changed or self._activity.last_time - self._told_activity > _TELL_ACTIVITY_S:
                self._told_activity = self._activity.last_time
                self._listener.relay_changed(self._kernel_id)
            return
        audience = self._requests.audience(channel, frames, self._clients)
        place = self._publish(channel, frames, audience)
        if channel is Channel.STDIN:
            self._requests.asked_at(headers.msg_id(frames[1]), place)
        self._listener.relay_must_persist(self._kernel_id)

    def _publish(self, channel: Channel, frames: Sequence[bytes], audience: str | None) -> int:
        if self._feed.sequence > self._sequence_limit - _RESERVED // 2:
            # Long before they run out: the snapshot is kept a little later.
            self._sequence_limit += _RESERVED
            self._listener.relay_must_persist(self._kernel_id)
        return self._feed.publish(channel, frames, audience)
