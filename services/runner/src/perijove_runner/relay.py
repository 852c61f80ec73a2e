"""Between one kernel's sockets and its clients.

The relay outlives the kernel's processes: a restart gives it new sockets and a
new epoch, and the clients stay. It decides who sees a message, and nothing
about what is in it.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

import msgspec
import structlog
from perijove_chassis.errors import DeadlineExceeded, NotFound, Unavailable

from perijove_runner.attaching import begin_stream
from perijove_runner.clients import Clients
from perijove_runner.feed import Feed
from perijove_runner.followers import Followers
from perijove_runner.journal import EVERYONE
from perijove_runner.keeping import RelayKeeper
from perijove_runner.link import KernelLink
from perijove_runner.model import Channel, ExecutionState
from perijove_runner.outbox import message
from perijove_runner.paging import read_page
from perijove_runner.receiving import CHANNELS, Receiving
from perijove_runner.requests import Requests
from perijove_runner.rules import MessageRules
from perijove_runner.sending import Sending
from perijove_runner.settling import settle
from perijove_runner.snapshot import RelayChange, RelaySnapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perijove.kernels.v1.channels_pb2 import ReadJournalResponse

    from perijove_runner.client_session import ClientSession, Outbox
    from perijove_runner.clients import ClientStream
    from perijove_runner.model import ConnectionInfo
    from perijove_runner.snapshot import RelayLimits
    from perijove_runner.store import RelayListener, RelayNotes, Spool

log = structlog.get_logger()


class KernelRelay:
    """Holds the sockets of one kernel, and its clients."""

    def __init__(
        self,
        kernel_id: str,
        listener: RelayListener,
        notes: RelayNotes,
        spool: Spool,
        limits: RelayLimits,
        rules: MessageRules | None = None,
    ) -> None:
        self._kernel_id = kernel_id
        self._listener = listener
        self._limits = limits
        self._clients = Clients(limits, self._client_forgotten)
        self._feed = Feed(limits, spool, self._waited_for)
        self._followers = Followers(self._feed)
        self._requests = Requests(limits)
        self._keeper = RelayKeeper(notes, kernel_id, self.snapshot)
        self.rules = rules = rules or MessageRules()
        self._receiving = Receiving(
            self._feed, self._requests, self._clients, self._keeper, rules, self._changed
        )
        self._sending = Sending(
            self._requests, self._keeper, rules, self._receiving.refuse, limits.queued_messages
        )
        self._identity = uuid.uuid4().hex.encode()
        self._link: KernelLink | None = None
        self._heard = asyncio.Event()
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._coming_up: asyncio.Task[None] | None = None
        self._ended = False

    @property
    def execution_state(self) -> ExecutionState:
        """What the kernel last said it does."""
        return self._receiving.activity.state

    @property
    def last_activity_time(self) -> float:
        """When something last happened in it, in seconds of Unix time."""
        return self._receiving.activity.last_time

    @property
    def connection_count(self) -> int:
        """Number of open client streams."""
        return self._clients.connection_count

    @property
    def connected(self) -> bool:
        """Whether a message that a client sends now reaches the present process."""
        return self._link is not None and self._link.connected

    @property
    def place(self) -> tuple[int, int]:
        """Epoch and sequence number of what the kernel said last; zeros before its first."""
        return (self._feed.epoch, self._feed.sequence - 1) if self._feed.epoch else (0, 0)

    async def open(
        self,
        connection: ConnectionInfo,
        epoch: int,
        adopted: RelaySnapshot | None = None,
        *,
        concurrent: bool = False,
    ) -> None:
        """Begin an epoch with a process, or continue one after a gap.

        Returns at once; the sockets connect as soon as the kernel listens.

        Args:
            connection: Where the process listens.
            epoch: Number of the process, higher than any before.
            adopted: What an earlier relay of the same process left.
            concurrent: Whether the kernel answers other requests while it runs a cell.

        Raises:
            FailedPrecondition: if the kernel signs its messages in an unknown way.
        """
        if adopted:
            await self._adopt(adopted, epoch)
        elif epoch != self._feed.epoch:
            if not self._feed.epoch:
                await self._feed.clear()
            self._receiving.begin_epoch(epoch)
        self._keeper.keep_all()
        receive = self.rules.receiver(self._receiving.received)
        self._heard.clear()
        pressed = self._feed.is_pressed
        self._link = KernelLink(connection, self._identity, receive, self._heard, pressed)
        if self._ready.done():
            self._ready = asyncio.get_running_loop().create_future()
        self._coming_up = asyncio.create_task(
            self._come_up(self._link, adopted, concurrent=concurrent)
        )

    async def ready(self, timeout_s: float) -> None:
        """Wait until the kernel answers and nothing it publishes can be missed.

        Raises:
            DeadlineExceeded: if that takes too long.
            NotFound: if the kernel ends meanwhile.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.shield(self._ready)
        except TimeoutError:
            raise DeadlineExceeded("the kernel does not answer") from None

    async def request(
        self, channel: str, msg_type: str, content: bytes, timeout_s: float, subshell_id: str = ""
    ) -> bytes:
        """Send a request of the runner's own, on `shell` or `control`, or to a subshell.

        Returns the content of the reply, like that of the request as JSON.

        Raises:
            DeadlineExceeded: if there is no reply in time.
            Unavailable: if the kernel is not connected, or is disconnected.
        """
        if self._link is None:
            raise Unavailable("the kernel is not connected")
        return await self._link.ask(CHANNELS[channel], msg_type, content, timeout_s, subshell_id)

    def publish_status(self, state: str) -> None:
        """Tell all clients a state that the kernel itself cannot tell.

        What the kernel said before comes first.
        """
        if self._link and self._link.connected:
            self._link.drain()
        self._receiving.activity.force(ExecutionState(state))
        if not self._feed.epoch:
            return  # nothing was ever opened: there is nobody to tell
        content = msgspec.json.encode({"execution_state": state})
        _, frames = message("status", content, self._identity.decode())
        self._receiving.publish(Channel.IOPUB, frames, EVERYONE)
        self._changed()

    def tell_end(self, name: str, text: str, *, show: bool) -> None:
        """End what the process was asked, since it is gone, and say why.

        What the kernel said before comes first.

        Args:
            name: Name of the error that stands for it.
            text: What has happened, for people.
            show: Whether to show it, too, if nothing was running.
        """
        if self._link and self._link.connected:
            self._link.drain()
        self._receiving.end_all(name, text, show=show)

    async def close_sockets(self) -> None:
        """Disconnect from a process; the clients stay."""
        if self._coming_up:
            self._coming_up.cancel()
            await asyncio.gather(self._coming_up, return_exceptions=True)
            self._coming_up = None
        if self._link:
            self._link.close()
            self._link = None

    async def leave(self) -> None:
        """Disconnect, and write down all that the next runner must know to continue."""
        await self.close_sockets()
        await self._feed.flush()
        self._keeper.keep_all()
        self._keeper.close()

    async def end(self) -> None:
        """End every client's stream once it has read all, since the kernel is gone."""
        self._keeper.close()
        await self.close_sockets()
        self._ended = True
        self._heard.set()
        if not self._ready.done():
            self._ready.set_exception(NotFound("the kernel is gone", reason="NO_SUCH_KERNEL"))
            self._ready.exception()
        readers = (*self._clients.streams, *self._followers)
        for stream in readers:
            stream.finish(self._limits.end_grace_s)
        self._feed.end(self._limits.end_grace_s if readers else 0.0)

    def snapshot(self) -> RelaySnapshot:
        """Return what the next runner must know to continue."""
        return RelaySnapshot(
            identity=self._identity,
            sequence_limit=self._receiving.sequence_limit,
            last_activity_time=self._receiving.activity.last_time,
            requests=self._requests.in_flight,
            pending_inputs=self._requests.pending_inputs,
            clients=self._clients.known,
        )

    async def attach(
        self,
        client_session_id: str,
        resume: tuple[int, int] | None = None,
        outbox: Outbox | None = None,
        *,
        skips_spooled: bool = False,
    ) -> ClientStream:
        """Let a client in, once it misses nothing or the kernel has taken long enough.

        The client reads on after `resume`, an epoch and a sequence number, and
        sends what of its `outbox` is not taken. With `skips_spooled` it is told
        of a gap in place of what is on disk.

        Raises:
            Aborted: if the stream is one that another has replaced.
            InvalidArgument: if an id is empty or too long.
            NotFound: if the kernel is gone.
            ResourceExhausted: if too many clients are connected.
        """
        try:
            # What the client asks is held for the kernel, also before that answers anything.
            async with asyncio.timeout(self._limits.attach_wait_s):
                await self._heard.wait()
        except TimeoutError:
            log.warning("kernel is slow to answer", kernel_id=self._kernel_id)
        if self._ended:
            raise NotFound("the kernel is gone", reason="NO_SUCH_KERNEL")
        stream = begin_stream(self._feed, self._clients, self, client_session_id, resume, outbox)
        stream.skips_spooled = skips_spooled
        session = stream.session
        self._clients.attach(stream)
        self._sending.drop(session)
        self._keeper.keep(RelayChange(client=session.known))
        if resume:
            self.acked(session, *resume)
        self._changed()
        return stream

    def follow(self, client_session_id: str, resume: tuple[int, int]) -> ClientStream:
        """Let someone read what a client session sees, beside its own stream.

        Raises:
            NotFound: if the kernel is gone.
        """
        if self._ended:
            raise NotFound("the kernel is gone", reason="NO_SUCH_KERNEL")
        return self._followers.add(client_session_id, resume)

    async def read_journal(
        self, client_session_id: str, after: tuple[int, int], last_sequence: int
    ) -> ReadJournalResponse:
        """Return a page of what the kernel said after an epoch's sequence number."""
        return await read_page(self._feed, client_session_id, after, last_sequence)

    def send(self, session: ClientSession, channel: Channel, frames: Sequence[bytes]) -> None:
        """Pass a client's message to the kernel, or hold it until the kernel listens.

        Raises:
            InvalidArgument: if it is none a client may send.
            ResourceExhausted: if the kernel does not take any more.
        """
        if not self._ended:
            self._sending.send(self._link, session, channel, frames)

    def acked(self, session: ClientSession, epoch: int, sequence: int) -> None:
        """Forget what a client has seen end."""
        if epoch == self._feed.epoch and (
            done := self._requests.delivered(session.session_id, sequence)
        ):
            self._keeper.keep(RelayChange(done=done))

    def lost(self, client_session_id: str, start: int, end: int) -> None:
        """Say again what a client waits for, and will not see in a run of places."""
        self._receiving.lost(client_session_id, start, end)

    def closed(self, stream: ClientStream, *, forget: bool) -> None:
        """Part with a stream."""
        if self._clients.detach(stream, forget=forget):
            self._changed()

    def _changed(self) -> None:
        self._listener.relay_changed(self._kernel_id)

    def _client_forgotten(self, client_session_id: str) -> None:
        done = self._requests.client_forgotten(client_session_id)
        self._keeper.keep(RelayChange(forgotten=client_session_id, done=done))

    def _waited_for(self) -> int:
        present = self._feed.present
        reading = (stream.place for stream in self._followers)
        return min(self._clients.waits_from(present), min(reading, default=present))

    async def _adopt(self, adopted: RelaySnapshot, epoch: int) -> None:
        self._identity = adopted.identity
        self._requests.restore(adopted.requests, adopted.pending_inputs)
        self._clients.restore(adopted.clients)
        await self._receiving.adopt(epoch, adopted.sequence_limit, adopted.last_activity_time)

    async def _come_up(
        self, link: KernelLink, adopted: RelaySnapshot | None, *, concurrent: bool
    ) -> None:
        await link.connect()
        self._sending.flush(link)
        await link.confirm(answering=adopted is None)
        self._ready.set_result(None)
        if adopted:
            await settle(link, self._receiving, adopted.requests, concurrent=concurrent)
