"""What the rules of a runner need from the machine, and what they tell others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from perijove_runner.journal import Record
    from perijove_runner.model import (
        ConnectionInfo,
        ExecutionState,
        KernelRecord,
        Kernelspec,
        ProcessExit,
        ProcessMark,
    )
    from perijove_runner.snapshot import RelayChange, RelaySnapshot


@dataclass(frozen=True, slots=True)
class Launch:
    """A process to be launched."""

    kernel_id: str
    argv: tuple[str, ...]
    kernelspec_environment: Mapping[str, str] = field(repr=False)
    """Variables beside and over those of the runner; `${NAME}` stands for one of the others."""
    environment: Mapping[str, str] = field(repr=False)
    """Variables beside and over those."""
    working_directory: str
    """Absolute; the nearest parent that exists is taken. If empty, the runner's own."""

    @classmethod
    def of(cls, record: KernelRecord) -> Launch:
        """Return the next process of a kernel."""
        return cls(
            kernel_id=record.kernel_id,
            argv=record.argv,
            kernelspec_environment=record.kernelspec_environment,
            environment=record.environment,
            working_directory=record.working_directory,
        )


class KernelProcess(Protocol):
    """The process of a kernel, and all that it started in its process group."""

    @property
    def mark(self) -> ProcessMark:
        """What tells it from every other process."""

    def interrupt(self) -> None:
        """Send SIGINT to the group; nothing happens if the process is gone."""

    def terminate(self) -> None:
        """Send SIGTERM to the group; nothing happens if the process is gone."""

    def kill(self) -> None:
        """Send SIGKILL to the group; nothing happens if the process is gone."""

    async def wait(self) -> ProcessExit:
        """Wait until the process is gone, however often asked, and say how it ended."""


class Launcher(Protocol):
    """Starts processes of kernels, and finds them again."""

    async def launch(self, launch: Launch) -> KernelProcess:
        """Start a process that outlives the runner.

        Raises:
            FailedPrecondition: with reason `KERNEL_START_FAILED` if it cannot.
        """

    async def adopt(self, mark: ProcessMark) -> KernelProcess:
        """Return a process that an earlier runner launched; it may be gone by now."""

    async def end_unrecorded(self, kernel_id: str) -> None:
        """End the process of a launch that the runner did not live to record."""


class RelayNotes(Protocol):
    """Keeps what one relay knows for one that comes after it.

    What a method has written is there for the next process, however this one ends.
    """

    def begin(self, snapshot: RelaySnapshot) -> None:
        """Keep a snapshot in place of all before, whole or not at all.

        Raises:
            ResourceExhausted: if it cannot be written.
        """

    def add(self, change: RelayChange) -> bool:
        """Keep a change if there is room; return whether there was.

        If not, nothing may be added before a new beginning.
        """

    def close(self) -> None:
        """Let go of what was kept; it stays."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A run of a journal's records that follow one another."""

    first: int
    """Place of the first."""
    end: int
    """The place after the last."""
    epoch: int
    """The epoch that they are of."""
    base: int
    """What the place of a record is above its sequence number."""


class Spool(Protocol):
    """Keeps the older part of one kernel's journal, up to a limit, also for a later runner.

    What is written is there for the next process, however this one ends. Nothing
    blocks the event loop, however slow the storage is.
    """

    def next_kept(self, place: int) -> int | None:
        """Return the first place from a place on that is kept, or nothing if there is none."""

    async def take_over(self) -> Sequence[Stretch]:
        """Return what an earlier process has left, in order, and go on after it."""

    async def clear(self) -> None:
        """Drop all that is kept."""

    async def write(self, records: Sequence[Record], stretch: Stretch) -> int:
        """Keep records after all that are kept, and return how many of them.

        Only one call at a time may be under way.

        Raises:
            ResourceExhausted: if none could be written.
        """

    async def read(self, place: int, count: int, most_bytes: int) -> Sequence[Record]:
        """Return records from a place on, up to a count and at least one; none if not kept."""

    def remove(self, after_s: float) -> None:
        """Drop all after some seconds, or when the runner ends if that is earlier."""

    def close(self) -> None:
        """Let go of what is kept; it stays."""


class StateStore(Protocol):
    """Keeps kernels for a runner that comes after this one."""

    def make_place(self, kernel_id: str) -> None:
        """Make the private place of a new kernel, which others have started."""

    def connection(self, kernel_id: str, spec: Kernelspec) -> ConnectionInfo:
        """Make the private place of a new kernel, and say where it shall listen."""

    def argv(self, kernel_id: str, spec: Kernelspec) -> tuple[str, ...]:
        """Return the command line of a kernel, ready to run."""

    def save(self, record: KernelRecord) -> None:
        """Keep a record in place of the kernel's previous one, whole or not at all."""

    def notes(self, kernel_id: str) -> RelayNotes:
        """Return the notes of a kernel's relay, to begin."""

    def spool(self, kernel_id: str) -> Spool:
        """Return where a kernel's journal is kept; what is there is left as it is."""

    def load(self) -> Sequence[tuple[KernelRecord, RelaySnapshot | None]]:
        """Return what is kept, in order of the kernels' start. What cannot be read is dropped."""

    def output(self, kernel_id: str) -> str:
        """Return the last that the kernel's process wrote to its stdout and stderr.

        At most 2 KiB, without control characters and without the paths of this state.
        """

    def remove(self, kernel_id: str) -> None:
        """Forget a kernel and remove its private place."""


class Kernelspecs(Protocol):
    """The kernelspecs that are installed here."""

    def all(self) -> Sequence[Kernelspec]:
        """Return them in order of their names."""

    async def get(self, name: str) -> Kernelspec:
        """Return one by its name, in any case of letters.

        Raises:
            NotFound: with reason `NO_SUCH_KERNELSPEC`.
            Unavailable: if they are not known yet, soon after the start.
        """

    def read_resource(self, name: str, resource: str) -> AsyncIterator[bytes]:
        """Read a file of a kernelspec in chunks of at most 1 MiB.

        Raises:
            NotFound: if there is no such kernelspec or file.
            ResourceExhausted: if it is larger than 8 MiB.
        """


class RelayListener(Protocol):
    """Who wants to know what a relay sees."""

    def relay_changed(self, kernel_id: str) -> None:
        """Hear that state, activity or number of connections have changed."""


class Relay(Protocol):
    """Holds the sockets of one kernel, and its clients."""

    @property
    def execution_state(self) -> ExecutionState:
        """What the kernel last said it does."""

    @property
    def last_activity_time(self) -> float:
        """When something last happened in it, in seconds of Unix time."""

    @property
    def connection_count(self) -> int:
        """Number of open client streams."""

    async def open(
        self,
        connection: ConnectionInfo,
        epoch: int,
        adopted: RelaySnapshot | None = None,
        *,
        concurrent: bool = False,
    ) -> None:
        """Connect the sockets and begin an epoch, or continue one after a gap."""

    async def ready(self, timeout_s: float) -> None:
        """Wait until the kernel answers.

        Raises:
            DeadlineExceeded: if it does not in time.
        """

    async def request(self, channel: str, msg_type: str, content: bytes, timeout_s: float) -> bytes:
        """Send a request of the runner's own and return the content of the reply.

        Raises:
            DeadlineExceeded: if there is none in time.
        """

    def publish_status(self, state: str) -> None:
        """Tell all clients a state that the kernel itself cannot tell."""

    def tell_end(self, name: str, text: str, *, show: bool) -> None:
        """End what the process was asked, since it is gone, and say why.

        Args:
            name: Name of the error that stands for it.
            text: What has happened, for people.
            show: Whether to show it, too, if nothing was running.
        """

    async def close_sockets(self) -> None:
        """Disconnect from a process; the clients stay."""

    async def end(self) -> None:
        """End every client's stream, since the kernel is gone."""

    async def leave(self) -> None:
        """Disconnect, and write down all that the next runner must know to continue."""


R_co = TypeVar("R_co", bound=Relay, covariant=True)


class MakeRelay(Protocol[R_co]):
    """Makes the relay of a kernel."""

    def __call__(
        self, kernel_id: str, listener: RelayListener, notes: RelayNotes, spool: Spool
    ) -> R_co:
        """Return a relay without sockets."""


@dataclass(frozen=True, slots=True)
class Ports(Generic[R_co]):
    """All that the manager of kernels works with."""

    launcher: Launcher
    state: StateStore
    kernelspecs: Kernelspecs
    make_relay: MakeRelay[R_co]
