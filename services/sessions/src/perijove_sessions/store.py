"""The ports: where sessions are kept, and whom they need.

How a path gets one session and one kernel under any race, without a lock:

1. `claim` notes, for a path that has no session, the ids its session and its
   kernel will have. Whoever finds the path claimed takes those ids over.
2. All of them start the kernel under that id, which is one kernel however often
   it is asked for.
3. `commit` turns the claim into the session, once.

Nobody waits for anybody, and if one dies in between, the next one goes on. What
may be left over is a kernel: its id is noted with the claim as a leftover, and
one that is in no session when its time has come is shut down.

A session is also a label on its kernel. One that is found there and not here is
put back, so that nothing is lost when the store is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perijove_chassis.watching import Delta, Position

    from perijove_sessions.model import Claim, Kernel, Session

HOLD_S = 120.0
"""How long a claim holds, and when its kernel is a leftover; longer than a kernel's start."""


@dataclass(frozen=True, slots=True)
class Listing:
    """All sessions at one moment."""

    sessions: Mapping[str, Session]
    """By id."""
    leftovers: tuple[str, ...] = ()
    """Kernels to be shut down, unless a session has them."""
    position: Position | None = None
    """What was written up to here is in it; None if it is only what was last known."""


class SessionStore(Protocol):
    """Keeps sessions: unique by path, each change one step. Every call is safe to repeat.

    All calls raise `Unavailable` with reason `STATE_UNREACHABLE` if the store
    cannot be reached.
    """

    async def claim(self, wanted: Claim) -> Session | Claim:
        """Return the session of a path; or the claim that now stands, ours or another's."""

    async def commit(self, claim: Claim) -> tuple[Session | None, bool]:
        """Make a claim's session, if its path is still free for it.

        Returns:
            The session the path now has, or None if another claim stands or the
            kernel is a leftover; and whether this call made it.
        """

    async def withdraw(self, claim: Claim) -> None:
        """Give a path up again, if this claim stands."""

    async def adopt(self, session: Session) -> tuple[Session | None, bool]:
        """Put back a session, unless it is there, its path is taken, or its kernel a leftover.

        Returns:
            The session as it is there now, or None; and whether this call put it back.
        """

    async def get(self, session_id: str) -> Session | None:
        """Return a session."""

    async def at_path(self, path: str) -> Session | None:
        """Return the session of a path."""

    async def list(self) -> Listing:
        """Return all sessions, in one round trip."""

    async def changes(self, since: Position) -> Delta[Session] | None:
        """Return which sessions have changed, in one round trip.

        Returns:
            None if that is not known (any more): then all are to be listed.
        """

    async def arrival(self, since: Position, within_s: float) -> None:
        """Return when something has changed since, or the time is up."""

    async def replace(self, before: Session, after: Session) -> None:
        """Put a session in place of what it was; a kernel it gives up is a leftover at once.

        Raises:
            Aborted: if it is not as it was `before` any more.
            AlreadyExists: if another session has the path, or is getting it.
        """

    async def delete(self, session_id: str, kernel_id: str) -> None:
        """Forget a session, unless it has another kernel by now."""

    async def leave(self, kernel_id: str) -> None:
        """Note a kernel that is about to be started as a leftover, for later."""

    async def condemn(self, kernel_id: str) -> bool:
        """Note a kernel as a leftover at once, unless a session has it; return if it was.

        No session gets a leftover: whoever shuts it down takes it from nobody.
        """

    async def settle(self, kernel_id: str) -> None:
        """Note that a kernel is no leftover any more."""


@dataclass(frozen=True, slots=True)
class KernelList:
    """All kernels at one moment."""

    kernels: Mapping[str, Kernel]
    """By id."""
    incomplete: bool = False
    """Whether some may be missing, so that none may be taken for gone."""
    ended: frozenset[str] = frozenset()
    """Kernels that may, all the same."""
    position: Position | None = None
    """What was written of kernels up to here is in it, if that is known."""

    def lacks(self, kernel_id: str) -> bool:
        """Return whether a kernel is gone for certain."""
        if kernel := self.kernels.get(kernel_id):
            return kernel.ended
        return not self.incomplete or kernel_id in self.ended


class Kernels(Protocol):
    """The kernels service."""

    async def start(
        self,
        kernel_id: str,
        kernelspec_name: str,
        working_directory: str,
        environment: Mapping[str, str],
        labels: Mapping[str, str],
    ) -> tuple[Kernel, bool]:
        """Return the kernel with an id, and whether this call started it."""

    async def get(self, kernel_id: str) -> Kernel:
        """Return a kernel; raise `NotFound` if there is none."""

    async def list(self) -> KernelList:
        """Return all kernels."""

    async def update(
        self, kernel_id: str, labels: Mapping[str, str], environment: Mapping[str, str]
    ) -> Kernel:
        """Put new labels in place of a kernel's own, and add to its environment."""

    async def shutdown(self, kernel_id: str) -> None:
        """Shut a kernel down; raise `NotFound` if there is none."""


class Documents(Protocol):
    """The contents service."""

    async def working_directory(self, path: str) -> str:
        """Return the directory in which the kernel of a document works."""
