"""The connection to one process of a kernel, from first contact to its end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from perijove_chassis.errors import DeadlineExceeded, Unavailable

from perijove_runner import headers
from perijove_runner.activity import begins_cell, is_idle, told_state
from perijove_runner.backends.sockets import KernelSockets
from perijove_runner.model import Channel
from perijove_runner.outbox import OwnRequests, message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perijove_runner.backends.sockets import Receiver
    from perijove_runner.model import ConnectionInfo

_CONFIRM_S: Final = 0.5
_CONFIRM_AT_MOST_S: Final = 5.0
_IDLE_S: Final = 5.0
_KERNEL_INFO: Final = "kernel_info_request"
_EXECUTE: Final = "execute_request"
_NOTHING: Final = (
    b'{"code":"","silent":false,"store_history":false,"user_expressions":{},'
    b'"allow_stdin":false,"stop_on_error":false}'
)


class KernelLink:
    """Sockets, and the requests of the runner's own that go over them."""

    def __init__(
        self,
        connection: ConnectionInfo,
        identity: bytes,
        receive: Receiver,
        heard: asyncio.Event,
        is_pressed: Callable[[], bool],
    ) -> None:
        """Describe a link; `come_up` connects it.

        Args:
            connection: Where the process listens.
            identity: What the kernel routes its replies by.
            receive: Called with every message but the replies to own requests.
            heard: Set once nothing that the process publishes can be missed any more.
            is_pressed: Asked in a long run of messages whether to pause for a moment.

        Raises:
            FailedPrecondition: if the kernel signs its messages in an unknown way.
        """
        self._sockets = KernelSockets(connection, identity, self._received, is_pressed)
        self._session = identity.decode()
        self._receive = receive
        self._own = OwnRequests()
        self._heard = heard
        self._idles: dict[str, asyncio.Event] = {}
        self.connected = False

    async def connect(self) -> None:
        """Wait until the process listens, and connect."""
        await self._sockets.connect()
        self.connected = True

    async def confirm(self, *, answering: bool) -> None:
        """Wait until the process answers, and nothing that it publishes can be missed.

        Args:
            answering: Whether to wait for an answer on shell, too; a process
                that runs a cell gives none.
        """
        if answering:
            await self.ask(Channel.SHELL, _KERNEL_INFO, b"{}")
        pause = _CONFIRM_S
        while not self._heard.is_set():
            # A process greets its first subscriber only; it answers everyone.
            self._send_request(Channel.CONTROL, _KERNEL_INFO, b"{}")
            try:
                async with asyncio.timeout(pause):
                    await self._heard.wait()
            except TimeoutError:
                pause = min(2 * pause, _CONFIRM_AT_MOST_S)

    async def ask(
        self,
        channel: Channel,
        msg_type: str,
        content: bytes,
        timeout_s: float | None = None,
        subshell_id: str = "",
    ) -> bytes:
        """Send a request, to a subshell if one is named, and return the content of the reply.

        Raises:
            DeadlineExceeded: if there is no reply in time.
            Unavailable: if the link is not connected, or is closed.
        """
        msg_id = self._send_request(channel, msg_type, content, subshell_id)
        future = self._own.expect(msg_id)
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError:
            raise DeadlineExceeded("the kernel does not answer") from None

    async def catch_up(self, channel: Channel) -> None:
        """Wait until all that the process was asked on a channel is done, and its end is here.

        The process answers in order, and publishes in order; so what belongs to
        this question comes after all that belongs to those before. The cells of
        a kernel that answers while it runs them are the exception.
        """
        await self._catch_up(channel, _KERNEL_INFO, b"{}")

    async def catch_up_with_cells(self, channel: Channel) -> None:
        """Wait until all cells that the process was sent on a channel are done.

        An empty one waits for its turn behind them. It is not a silent one: those
        need not wait. Some kernels count it; nobody is shown it.
        """
        await self._catch_up(channel, _EXECUTE, _NOTHING)

    async def _catch_up(self, channel: Channel, msg_type: str, content: bytes) -> None:
        msg_id = self._send_request(channel, msg_type, content)
        idle = self._idles[msg_id] = asyncio.Event()
        try:
            await self._own.expect(msg_id)
            # Not every kernel says that it is idle.
            with suppress(TimeoutError):
                async with asyncio.timeout(_IDLE_S):
                    await idle.wait()
        finally:
            del self._idles[msg_id]

    def send(self, channel: Channel, frames: Sequence[bytes]) -> None:
        """Send a client's message.

        Raises:
            ResourceExhausted: if the kernel has not taken thousands of earlier ones.
        """
        self._sockets.send(channel, frames)

    def close(self) -> None:
        """Take what has arrived, and disconnect."""
        self._sockets.drain()
        self._sockets.close()
        self.connected = False
        self._own.fail()

    def drain(self) -> None:
        """Take what has arrived by now."""
        self._sockets.drain()

    def _send_request(
        self, channel: Channel, msg_type: str, content: bytes, subshell_id: str = ""
    ) -> str:
        if not self.connected:
            raise Unavailable("the kernel is not connected")
        msg_id, frames = message(msg_type, content, self._session, subshell_id=subshell_id)
        self._sockets.send(channel, frames)
        return msg_id

    def _received(self, channel: Channel, frames: Sequence[bytes]) -> None:
        if channel is Channel.IOPUB:
            self._heard.set()
            if self._idles and self._is_own(frames):
                return
        elif self._session.encode() in frames[1] and self._own.take(
            headers.msg_id(frames[1]), frames
        ):
            return
        self._receive(channel, frames)

    def _is_own(self, frames: Sequence[bytes]) -> bool:
        """Note the end of a question that waits for it; return whether to show nobody this."""
        idle = self._idles.get(headers.msg_id(frames[1]))
        if idle is None:
            return False
        if is_idle(told_state(frames)):
            idle.set()
        return begins_cell(frames)
