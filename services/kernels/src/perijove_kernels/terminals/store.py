"""The ports: how names are given once, and how runners are asked.

Which terminals there are, their runners alone know: nobody else keeps a list that
could be wrong. What is kept is who is about to use a name:

- Whoever wants to start a terminal looks first (`look`), then asks the runners for
  the names in use, then takes a free one (`take`), which fails if somebody has
  finished doing so in between. So of two that start terminals at the same time, on
  different runners, each gets a name of its own.
- A name is given back (`release`) once its runner shows the terminal. One that is
  not given back, since whoever took it died, is free again after a while.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection

    from perijove_kernels.model import Runner
    from perijove_kernels.terminals.model import Launch, Terminal


@dataclass(frozen=True, slots=True)
class View:
    """Who can be asked for terminals at one moment."""

    turn: int
    """Rises whenever a name is given back."""
    runners: tuple[Runner, ...]
    """Those that live."""


class TerminalNames(Protocol):
    """Gives names to those who start terminals.

    All calls raise `Unavailable` with reason `STATE_UNREACHABLE` if the store
    cannot be reached.
    """

    async def look(self) -> View:
        """Return who can be asked now."""

    async def take(self, turn: int, used: Collection[str], wanted: str) -> str | None:
        """Take a name.

        Args:
            turn: As of which the names in use are known.
            used: These names.
            wanted: The one to take; empty for the smallest number that is free.

        Returns:
            The name; None if one must look again.
        """

    async def release(self, name: str) -> None:
        """Give a name back."""


class TerminalRunners(Protocol):
    """Asks runners for terminals.

    All calls raise `Unavailable` with reason `RUNNER_UNREACHABLE` if the runner
    cannot be reached, and otherwise what the runner raises.
    """

    async def create(self, runner: Runner, launch: Launch) -> tuple[Terminal, bool]:
        """Start a terminal and return it, and whether this call started it."""

    async def get(self, runner: Runner, name: str) -> Terminal:
        """Return a terminal."""

    async def all(self, runner: Runner) -> list[Terminal]:
        """Return all terminals of a runner."""

    async def delete(self, runner: Runner, name: str) -> None:
        """End a terminal."""
