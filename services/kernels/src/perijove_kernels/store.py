"""The ports: where the registry is kept, and how runners are told what to do.

How the registry stays right although what runners say travels on many ways:

- A runner alone decides what is true of its kernels, and numbers what it says
  (`Kernel.revision`). An announcement and a reply that cross are put in order by
  that number; neither overwrites what is newer, nor brings back what is gone.
- The newest `register` of a runner owns it. What still arrives on an older stream
  is refused, and ends that stream.
- A kernel belongs to the runner that was first with its id, until that runner is
  forgotten. Another one that shows up with the id is told to shut it down.
- Nothing is marked when a runner falls silent: whether it is lost is worked out
  from the time of its last word when it is read. So no timer has to fire, and a
  runner that returns has its kernels back at once.
- The clock is the store's, so that replicas need not agree on the time. While no
  replica was there to listen, no runner counts as silent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from perijove_kernels.model import ExecutionState
from perijove_kernels.placement import ANY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from perijove_chassis.watching import Delta, Position

    from perijove_kernels.model import (
        Changes,
        Drain,
        Hello,
        Kernel,
        Kernelspec,
        Launch,
        Offer,
        Runner,
    )
    from perijove_kernels.placement import Queued, Wish


PATIENCE_S = 10.0
"""Seconds after which one who waits for a place, and does not ask, is taken for gone."""


@dataclass(frozen=True, slots=True)
class Limits:
    """After how long a silent runner is given up, in seconds."""

    lost_after_s: float
    """Then its kernels are shown as lost, and no new ones are placed on it."""
    forget_after_s: float
    """Then it and its kernels are forgotten."""
    reserve_for_s: float = 90.0
    """How long a place is kept for a kernel whose launch has no answer; longer than a launch."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A kernel, and whether its runner is there."""

    kernel: Kernel
    lost: bool = False

    @property
    def is_dead(self) -> bool:
        """Whether its runner is there and says that it is dead."""
        return not self.lost and self.kernel.execution_state is ExecutionState.DEAD


@dataclass(frozen=True, slots=True)
class Registry:
    """The kernels of all runners at one moment."""

    holdings: Mapping[str, Holding] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    """Kernels that ended a while ago, told while it is settling."""
    settling: bool = True
    """Whether the store lost data a moment ago, so that runners may not have returned yet."""
    position: Position | None = None
    """What was written up to here is in it; None while the store has not found its feet."""


@dataclass(frozen=True, slots=True)
class Member:
    """A runner, and how it is doing."""

    runner: Runner
    kernelspec_names: tuple[str, ...]
    drain: Drain | None
    lost: bool
    silent_s: float
    """Seconds since its last word."""
    kernels: int
    """How many it holds."""
    reserved: int
    """How many places are kept for kernels about to be launched."""


@dataclass(frozen=True, slots=True)
class Pool:
    """All runners at one moment."""

    members: tuple[Member, ...]
    waiting: int
    """How many wait for a place."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a kernel is to be launched, or is already."""

    runner: Runner
    kernelspec_name: str
    """As the runner spells it."""
    existing: Holding | None = None


class KernelStore(Protocol):
    """Keeps the registry. Every call is safe to repeat.

    All calls raise `Unavailable` with reason `STATE_UNREACHABLE` if the store
    cannot be reached.
    """

    async def register(self, hello: Hello, stream_id: str) -> tuple[str, ...]:
        """Put a runner's whole state in place of what is known of it.

        Returns:
            Ids of kernels it must shut down: they belong to another runner, or
            were given up while it was away.
        """

    async def apply(self, runner: Runner, stream_id: str, changes: Changes) -> tuple[str, ...]:
        """Note that a runner lives, and what has changed there.

        Returns:
            Ids of kernels it must shut down, as `register`.

        Raises:
            Aborted: if another stream of the runner has registered since, or the
                store may have lost what this one said: it must register anew.
        """

    async def leave(self, runner_id: str, stream_id: str) -> None:
        """Forget a runner at once, unless it has another stream by now."""

    async def note_drain(self, runner_id: str, drain: Drain | None) -> bool:
        """Note whether a runner is being drained; return whether it is known.

        Nothing more is placed there. What the runner announces takes its place.
        """

    async def pool(self) -> Pool:
        """Return all runners in order of their ids, in one round trip."""

    async def reserve(
        self, kernel_id: str, kernelspec_name: str, reservation_id: str, wish: Wish = ANY
    ) -> Place:
        """Find a place for a kernel, and keep it until it is recorded or released.

        Of two random live runners with the kernelspec, the labels and room for one
        more, which are not being drained, the less loaded one is taken. A repeated
        call returns the same place while it is kept, so that a retry cannot start a
        second kernel elsewhere.

        Raises:
            NotFound: `NO_SUCH_KERNELSPEC`, if no live runner offers it.
            FailedPrecondition: `NO_MATCHING_RUNNER`, if none of those has the labels.
            ResourceExhausted: `TOO_MANY_KERNELS`, `TOO_MANY_KERNELS_OF_USER`, at a
                quota; `NO_CAPACITY`, if all that have them are full or drained.
            Unavailable: if there is no live runner at all, or the one the kernel
                may be on is lost.
        """

    async def wait(
        self, kernel_id: str, kernelspec_name: str, reservation_id: str, wish: Wish, since: str
    ) -> Place | Queued:
        """Find a place as `reserve`, or stand in the queue for one.

        To be called again, more often than every `PATIENCE_S`, until there is a place
        or `leave_queue` is called: who does not ask is taken for gone. Nobody is
        overtaken by one who came later, waiting or not, unless they could not be
        served now: since their user is at a limit, or their runners are full.

        Args:
            kernel_id: As `reserve`.
            kernelspec_name: As `reserve`.
            reservation_id: As `reserve`.
            wish: As `reserve`.
            since: What was returned before, so that the place is kept even if the
                store is lost; empty at first.

        Raises:
            ResourceExhausted: `QUEUE_FULL`.
            DomainError: as `reserve`, where there is nothing to wait for.
        """

    async def leave_queue(self, kernel_id: str) -> None:
        """Wait no more."""

    async def release(self, kernel_id: str, reservation_id: str) -> None:
        """Give a place back, if this reservation holds it."""

    async def record(self, kernel: Kernel) -> Kernel:
        """Note a runner's reply, unless something newer is known.

        Returns:
            The kernel as it is now known; the argument itself if it is gone.

        Raises:
            Aborted: if the id belongs to a kernel of another runner.
        """

    async def remove(self, kernel: Kernel, revision: int, *, doomed: bool = False) -> None:
        """Forget a kernel of a runner, and whatever is older than `revision`.

        Args:
            kernel: As it was last; nothing happens if its id has another runner by now.
            revision: As of which it is gone.
            doomed: Whether it may still run, and is to be shut down when its
                runner returns.
        """

    async def get(self, kernel_id: str) -> Holding | None:
        """Return a kernel, in one round trip."""

    async def ended(self, kernel_id: str) -> Kernel | None:
        """Return a kernel that is gone as it was last, for as long as that is remembered.

        That is for as long as a silent runner is.
        """

    async def registry(self) -> Registry:
        """Return all kernels, in one round trip."""

    async def changes(self, since: Position) -> Delta[Holding] | None:
        """Return which kernels have changed, in one round trip.

        What only the passing of time changes is not among them.

        Returns:
            None if that is not known (any more): then the registry is to be read.
        """

    async def arrival(self, since: Position, within_s: float) -> None:
        """Return when something has changed since, or the time is up."""

    async def offers(self) -> tuple[Offer, ...]:
        """Return what can be started now, in one round trip."""

    async def sweep(self) -> None:
        """Forget runners that are silent for too long. To be called all the time.

        Any number of replicas may: it is how the store knows that someone listens.
        """


class Runners(Protocol):
    """Tells runners what to do.

    All calls raise `Unavailable` with reason `RUNNER_UNREACHABLE` if the runner
    cannot be reached, and otherwise what the runner raises.
    """

    async def launch(self, runner: Runner, launch: Launch) -> tuple[Kernel, bool]:
        """Launch a kernel and return it, and whether this call launched it."""

    async def update(
        self,
        runner: Runner,
        kernel_id: str,
        labels: Mapping[str, str] | None,
        environment: Mapping[str, str] | None,
    ) -> Kernel:
        """Change what is not None, and return the kernel."""

    async def interrupt(self, runner: Runner, kernel_id: str) -> None:
        """Interrupt a kernel."""

    async def restart(self, runner: Runner, kernel_id: str, requested_by: str) -> Kernel:
        """Replace a kernel's process and return the kernel once it answers."""

    async def shutdown(
        self, runner: Runner, kernel_id: str, requested_by: str
    ) -> tuple[Kernel | None, int]:
        """Shut a kernel down; return how it was last, and the revision as of which it is gone."""

    async def begin_drain(
        self, runner: Runner, reason: str, within_s: float | None, requested_by: str
    ) -> Drain:
        """Have a runner take nothing new, and leave once it is empty or the time is over."""

    async def end_drain(self, runner: Runner) -> None:
        """Have a runner take new kernels again."""

    def read_resource(
        self, runner: Runner, kernelspec: Kernelspec, resource: str
    ) -> AsyncIterator[bytes]:
        """Read a file of a kernelspec in chunks."""
