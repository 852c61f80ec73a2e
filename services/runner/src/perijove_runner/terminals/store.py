"""What the rules for terminals need of the machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perijove_runner.terminals.model import Launch, Size, TerminalRecord


@dataclass(frozen=True, slots=True)
class Found:
    """What a terminal is like when it is taken up."""

    start: int
    """Position of the oldest output that is kept; all from there on is shown again."""
    end: int
    """Position after the newest output."""
    active_time: float
    """When something last happened in it."""
    taken: Mapping[int, int]
    """How many bytes of each client's input are taken, by the client's number."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Output, which follows on what was shown before."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Typed:
    """Input of a client that the shell has now, up to a position."""

    client: int
    position: int


@dataclass(frozen=True, slots=True)
class Status:
    """The shell has ended. Nothing follows."""

    code: int
    """Its exit code, or the number of a signal below zero."""


class Pty(Protocol):
    """A shell below a pseudo-terminal, which goes on whatever becomes of the runner."""

    @property
    def found(self) -> Found:
        """What it was like when it was taken up."""

    async def read(self) -> Shown | Typed | Status | None:
        """Return what happens next; None if what held it is gone.

        Output that nobody reads makes the shell wait.
        """

    async def type(self, client: int, position: int, data: bytes) -> None:
        """Type input of a client, but for what was taken before."""

    def resize(self, size: Size) -> None:
        """Make it another size."""

    def signal(self, number: int) -> None:
        """Send a signal to the shell."""

    async def forget(self) -> None:
        """Let it end for good, and remove what was kept of it."""

    async def release(self) -> None:
        """Leave it to a runner that comes after this one."""


class TerminalHost(Protocol):
    """Starts terminals, and finds them again."""

    async def launch(self, record: TerminalRecord, launch: Launch) -> Pty:
        """Start a terminal that outlives the runner.

        Raises:
            FailedPrecondition: with reason `TERMINAL_START_FAILED` if it cannot.
            ResourceExhausted: if its record cannot be written.
        """

    async def adopt(self) -> Sequence[tuple[TerminalRecord, Pty]]:
        """Return what earlier runners left, in order of their start."""
