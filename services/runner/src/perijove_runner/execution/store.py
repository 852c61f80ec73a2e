"""What the rules of execution need of kernels and of the machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Sequence

    from perijove_runner.execution.model import RunRecord
    from perijove_runner.model import Channel, KernelExit


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the kernel."""

    channel: Channel
    sequence: int
    frames: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Missing:
    """Messages are missing, up to a sequence number; zero if that is not known."""

    epoch: int
    last: int
    message: str


@dataclass(frozen=True, slots=True)
class EpochBegun:
    """The kernel has a new process."""

    epoch: int


Event = Message | Missing | EpochBegun


class Reading(Protocol):
    """A reader of what the kernel says to one of its clients."""

    @property
    def failed(self) -> asyncio.Future[None]:
        """Fails when there is nothing more to be had, whatever is left to read."""

    async def next(self) -> Sequence[Event]:
        """Wait for what comes next.

        Raises:
            NotFound: when the kernel is gone, and all it said was returned.
        """

    def close(self) -> None:
        """Read no more."""


class Sending(Reading, Protocol):
    """A client of the kernel."""

    def send(self, channel: Channel, frames: Sequence[bytes]) -> None:
        """Send a message to the kernel.

        Raises:
            ResourceExhausted: if the kernel does not take any more.
        """

    def ack(self, epoch: int, sequence: int) -> None:
        """Say that all up to a sequence number is dealt with."""


class KernelPort(Protocol):
    """A kernel, as one of its clients sees it."""

    @property
    def kernel_id(self) -> str:
        """Its id."""

    @property
    def connected(self) -> bool:
        """Whether a message that is sent now reaches the present process."""

    @property
    def place(self) -> tuple[int, int]:
        """Epoch and sequence number of what it said last."""

    @property
    def last_exit(self) -> KernelExit | None:
        """How its latest process ended, if one did."""

    async def ready(self, timeout_s: float) -> None:
        """Wait until the kernel answers.

        Raises:
            DeadlineExceeded: if it does not in time.
            NotFound: if it ends meanwhile.
        """

    async def attach(self, client_id: str) -> Sending:
        """Become a client, or the one that an earlier runner knew."""

    async def follow(self, client_id: str, epoch: int, sequence: int) -> Reading:
        """Read what a client sees, after a place."""

    def in_flight(self, client_id: str) -> frozenset[str] | None:
        """Return the ids of a client's requests that have not ended; None if it is not known."""

    async def ask(
        self, channel: str, msg_type: str, content: bytes, timeout_s: float, subshell_id: str = ""
    ) -> bytes:
        """Send a request and return the content of the reply.

        Raises:
            DeadlineExceeded: if there is none in time.
            PermissionDenied: if clients may not send such requests.
            Unavailable: if the kernel is not connected, or ends meanwhile.
        """

    async def interrupt(self) -> None:
        """Interrupt what the kernel runs."""


class Kernels(Protocol):
    """The kernels of this runner."""

    def ids(self) -> Iterable[str]:
        """Return the ids of all."""

    def find(self, kernel_id: str) -> KernelPort:
        """Return a kernel: the same object for the same one.

        Raises:
            NotFound: with reason `NO_SUCH_KERNEL`.
        """

    def notes(self, kernel_id: str) -> RunNotes:
        """Return the notes of a kernel's runs."""


class RunNotes(Protocol):
    """Keeps a kernel's runs for a runner that comes after this one."""

    def load(self) -> tuple[str, Sequence[RunRecord]]:
        """Return the id of their client, empty if there is none, and the last state of each."""

    def begin(self, client_id: str, records: Sequence[RunRecord]) -> None:
        """Keep these in place of all before, whole or not at all.

        Raises:
            ResourceExhausted: if they cannot be written.
        """

    def add(self, record: RunRecord) -> bool:
        """Keep a record; return whether there is room, or a new beginning is due.

        Raises:
            ResourceExhausted: if it cannot be written.
        """
