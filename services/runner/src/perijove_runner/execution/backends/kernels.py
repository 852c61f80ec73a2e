"""The kernels of this runner, as clients of their relays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove.kernels.v1 import channels_pb2 as pb
from perijove_chassis.errors import PermissionDenied

from perijove_runner.execution.backends.notes_file import RunNotesFile
from perijove_runner.execution.store import EpochBegun, Event, Message, Missing
from perijove_runner.model import Channel

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from perijove_runner.clients import ClientStream
    from perijove_runner.lifecycle import HeldKernel
    from perijove_runner.manager import KernelManager
    from perijove_runner.model import KernelExit
    from perijove_runner.relay import KernelRelay


class Stream:
    """A client's stream, or a reader beside it."""

    def __init__(self, stream: ClientStream) -> None:
        self._stream = stream
        self.failed: asyncio.Future[None] = stream.failed

    async def next(self) -> list[Event]:
        """Wait for what comes next."""
        response = pb.ConnectResponse.FromString(await self._stream.next_response())
        match response.WhichOneof("payload"):
            case "batch":
                return [
                    Message(Channel(message.channel), message.sequence, message.frames)
                    for message in response.batch.messages
                ]
            case "gap":
                gap = response.gap
                return [Missing(gap.epoch, gap.last_sequence, gap.message)]
            case "epoch_begun":
                return [EpochBegun(response.epoch_begun.epoch)]
        return []

    def send(self, channel: Channel, frames: Sequence[bytes]) -> None:
        """Send a message to the kernel."""
        self._stream.send(channel, frames)

    def ack(self, epoch: int, sequence: int) -> None:
        """Say that all up to a sequence number is dealt with."""
        self._stream.ack(epoch, sequence)

    def close(self) -> None:
        """Leave, and be forgotten."""
        self._stream.close(forget=True)


class RelayedKernel:
    """A kernel behind its relay."""

    def __init__(
        self, kernel_id: str, held: HeldKernel[KernelRelay], manager: KernelManager[KernelRelay]
    ) -> None:
        self.kernel_id = kernel_id
        self.held = held
        self._relay = held.relay
        self._manager = manager

    @property
    def connected(self) -> bool:
        """Whether a message that is sent now reaches the present process."""
        return self._relay.connected

    @property
    def place(self) -> tuple[int, int]:
        """Epoch and sequence number of what it said last."""
        return self._relay.place

    @property
    def last_exit(self) -> KernelExit | None:
        """How its latest process ended, if one did."""
        return self.held.view().last_exit

    async def ready(self, timeout_s: float) -> None:
        """Wait until the kernel answers."""
        await self._relay.ready(timeout_s)

    async def attach(self, client_id: str) -> Stream:
        """Become a client, or the one that an earlier runner knew."""
        return Stream(await self._relay.attach(client_id))

    async def follow(self, client_id: str, epoch: int, sequence: int) -> Stream:
        """Read what a client sees, after a place."""
        return Stream(self._relay.follow(client_id, (epoch, sequence)))

    def in_flight(self, client_id: str) -> frozenset[str] | None:
        """Return the ids of a client's requests that have not ended; None if it is not known."""
        snapshot = self._relay.snapshot()
        if client_id not in {client.session_id for client in snapshot.clients}:
            return None
        return frozenset(
            request.msg_id
            for request in snapshot.requests
            if request.client_session_id == client_id
        )

    async def ask(
        self, channel: str, msg_type: str, content: bytes, timeout_s: float, subshell_id: str = ""
    ) -> bytes:
        """Send a request and return the content of the reply."""
        if not self._relay.rules.allows_type(msg_type):
            raise PermissionDenied(
                f"messages of type {msg_type} are not allowed here", reason="NOT_ALLOWED"
            )
        return await self._relay.request(channel, msg_type, content, timeout_s, subshell_id)

    async def interrupt(self) -> None:
        """Interrupt what the kernel runs."""
        await self._manager.interrupt(self.kernel_id)


class RelayedKernels:
    """All kernels of a runner."""

    def __init__(
        self, manager: KernelManager[KernelRelay], notes_path: Callable[[str], Path]
    ) -> None:
        """Take the kernels that a manager holds.

        Args:
            manager: Holds them.
            notes_path: Returns where what was run in a kernel is noted.
        """
        self._manager = manager
        self._notes_path = notes_path
        self._found: dict[str, RelayedKernel] = {}

    def ids(self) -> list[str]:
        """Return the ids of all."""
        return [kernel.kernel_id for kernel in self._manager.kernels()[0]]

    def find(self, kernel_id: str) -> RelayedKernel:
        """Return a kernel: the same object for the same one."""
        held = self._manager.held(kernel_id)
        found = self._found.get(kernel_id)
        if found is None or found.held is not held:
            self._found = {
                known: self._found[known] for known in self.ids() if known in self._found
            }
            found = self._found[kernel_id] = RelayedKernel(kernel_id, held, self._manager)
        return found

    def notes(self, kernel_id: str) -> RunNotesFile:
        """Return the notes of a kernel's runs."""
        return RunNotesFile(self._notes_path(kernel_id))
