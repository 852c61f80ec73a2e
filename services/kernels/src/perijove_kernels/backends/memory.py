"""The registry in memory: for one replica, and as the measure of the one in Redis."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from perijove_chassis.errors import Aborted
from perijove_chassis.memory_feed import MemoryFeed
from perijove_chassis.watching import Delta

from perijove_kernels.backends.memory_census import Present
from perijove_kernels.backends.memory_places import MemoryPlaces
from perijove_kernels.model import (
    Changes,
    Drain,
    ExecutionState,
    Hello,
    Kernel,
    Kernelspec,
    Offer,
    Runner,
)
from perijove_kernels.placement import ANY, UNLIMITED, Queued, Quotas, Wish, refusal
from perijove_kernels.store import Holding, Limits, Member, Place, Pool, Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from perijove_chassis.watching import Position

_DOOMED_FOR_S = 86400.0


@dataclass(slots=True)
class _Known:
    runner: Runner
    kernelspecs: tuple[Kernelspec, ...]
    revision: int
    stream_id: str
    seen: float
    drain: Drain | None = None


class MemoryKernelStore:
    """A `KernelStore` that ends with its process."""

    def __init__(
        self,
        limits: Limits,
        quotas: Quotas = UNLIMITED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._quotas = quotas
        self._clock = clock
        self._runners: dict[str, _Known] = {}
        self._kernels: dict[str, Kernel] = {}
        self._places = MemoryPlaces(quotas, limits.reserve_for_s, clock)
        self._ended: dict[str, Kernel] = {}
        self._gone: dict[str, tuple[int, bool, float]] = {}
        """Revision as of which a kernel is gone, whether it may still run, and since when."""
        self._swept: float | None = None
        self._feed = MemoryFeed()
        self._since = clock()

    async def register(self, hello: Hello, stream_id: str) -> tuple[str, ...]:
        """Put a runner's whole state in place of what is known of it."""
        runner_id = hello.runner.runner_id
        before = self._runners.get(runner_id)
        anew = before is not None and hello.revision < before.revision
        announced = {kernel.kernel_id for kernel in hello.kernels}
        for kernel in [k for k in self._kernels.values() if k.runner_id == runner_id]:
            absent = kernel.kernel_id not in announced and kernel.revision <= hello.revision
            if anew or absent:
                self._drop(kernel.kernel_id, hello.revision)
            if anew and kernel.kernel_id in announced:
                del self._gone[kernel.kernel_id]
        self._runners[runner_id] = _Known(
            hello.runner,
            hello.kernelspecs,
            hello.revision,
            stream_id,
            self._clock(),
            hello.drain,
        )
        return self._put_all(hello.kernels)

    async def apply(self, runner: Runner, stream_id: str, changes: Changes) -> tuple[str, ...]:
        """Note that a runner lives, and what has changed there."""
        known = self._runners.get(runner.runner_id)
        if known is None or known.stream_id != stream_id:
            raise Aborted("the runner must register anew")
        known.seen = self._clock()
        if changes.kernelspecs is not None:
            known.kernelspecs = changes.kernelspecs
        if changes.drain_changed:
            known.drain = changes.drain
        strays = self._put_all(changes.kernels)
        for kernel_id in changes.gone:
            kernel = self._kernels.get(kernel_id)
            if kernel is None or kernel.runner_id != runner.runner_id:
                continue
            if kernel.revision <= changes.revision:
                self._drop(kernel_id, changes.revision)
        return strays

    async def leave(self, runner_id: str, stream_id: str) -> None:
        """Forget a runner at once, unless it has another stream by now."""
        known = self._runners.get(runner_id)
        if known and known.stream_id == stream_id:
            self._forget(runner_id)

    async def note_drain(self, runner_id: str, drain: Drain | None) -> bool:
        """Note whether a runner is being drained; return whether it is known."""
        if known := self._runners.get(runner_id):
            known.drain = drain
        return known is not None

    async def pool(self) -> Pool:
        """Return all runners in order of their ids."""
        members = tuple(self._member(known) for _, known in sorted(self._runners.items()))
        return Pool(members, self._places.waiting)

    async def reserve(
        self, kernel_id: str, kernelspec_name: str, reservation_id: str, wish: Wish = ANY
    ) -> Place:
        """Find a place for a kernel, and keep it until it is recorded or released."""
        found = await self._look_for(kernel_id, kernelspec_name, reservation_id, wish, None)
        if isinstance(found, Queued):
            raise refusal(found.reason, kernelspec_name, wish, self._quotas)
        return found

    async def wait(
        self, kernel_id: str, kernelspec_name: str, reservation_id: str, wish: Wish, since: str
    ) -> Place | Queued:
        """Find a place as `reserve`, or stand in the queue for one."""
        return await self._look_for(kernel_id, kernelspec_name, reservation_id, wish, since)

    async def leave_queue(self, kernel_id: str) -> None:
        """Wait no more."""
        self._places.leave_queue(kernel_id)

    async def _look_for(
        self,
        kernel_id: str,
        kernelspec_name: str,
        reservation_id: str,
        wish: Wish,
        since: str | None,
    ) -> Place | Queued:
        existing = await self.get(kernel_id)
        if existing:
            self._places.leave_queue(kernel_id)
            runner = self._runners[existing.kernel.runner_id].runner
            return Place(runner, existing.kernel.kernelspec_name, existing)
        if kept_at := self._places.kept_at(kernel_id):
            holder = self._runners.get(kept_at)
            if holder is None or not self._live(holder):
                raise refusal("LOST", kernelspec_name, wish, self._quotas)
            return Place(holder.runner, _spelling(holder, kernelspec_name))
        held = [(kernel.runner_id, kernel.owner) for kernel in self._kernels.values()]
        found = self._places.take(
            kernel_id, kernelspec_name, reservation_id, wish, since, self._present(), held
        )
        if isinstance(found, Queued):
            return found
        self._gone.pop(kernel_id, None)
        known = self._runners[found]
        return Place(known.runner, _spelling(known, kernelspec_name))

    async def release(self, kernel_id: str, reservation_id: str) -> None:
        """Give a place back, if this reservation holds it."""
        self._places.release(kernel_id, reservation_id)

    async def record(self, kernel: Kernel) -> Kernel:
        """Note a runner's reply, unless something newer is known."""
        if self._put_all((kernel,)):
            raise Aborted("another runner has a kernel with the id", reason="ID_IN_USE")
        now_known = self._kernels.get(kernel.kernel_id, kernel)
        return replace(now_known, runner_address=kernel.runner_address)

    async def remove(self, kernel: Kernel, revision: int, *, doomed: bool = False) -> None:
        """Forget a kernel of a runner, and whatever is older than `revision`."""
        known = self._kernels.get(kernel.kernel_id)
        if known and known.runner_id == kernel.runner_id:
            if kernel.execution_state is ExecutionState.DEAD:
                self._kernels[kernel.kernel_id] = kernel
            self._drop(kernel.kernel_id, revision, doomed=doomed)

    async def get(self, kernel_id: str) -> Holding | None:
        """Return a kernel."""
        kernel = self._kernels.get(kernel_id)
        return self._holding(kernel) if kernel else None

    async def ended(self, kernel_id: str) -> Kernel | None:
        """Return a kernel that is gone as it was last, for as long as that is remembered."""
        return self._ended.get(kernel_id) if kernel_id in self._gone else None

    async def registry(self) -> Registry:
        """Return all kernels."""
        holdings = {id_: self._holding(kernel) for id_, kernel in self._kernels.items()}
        settling = self._clock() - self._since < self._limits.lost_after_s
        return Registry(holdings, frozenset(self._gone), settling, self._feed.position)

    async def changes(self, since: Position) -> Delta[Holding] | None:
        """Return which kernels have changed; None if that is not known any more."""
        keys = self._feed.since(since)
        if keys is None:
            return None
        held = {key: self._holding(self._kernels[key]) for key in keys if key in self._kernels}
        return Delta(held, keys - held.keys(), self._feed.position)

    async def arrival(self, since: Position, within_s: float) -> None:
        """Return when something has changed since, or the time is up."""
        await self._feed.arrival(since, within_s)

    async def offers(self) -> tuple[Offer, ...]:
        """Return what can be started now."""
        found: dict[str, tuple[Kernelspec, list[Runner]]] = {}
        for _, known in sorted(self._runners.items()):
            if self._live(known):
                for spec in known.kernelspecs:
                    found.setdefault(spec.name, (spec, []))[1].append(known.runner)
        return tuple(Offer(spec, tuple(runners)) for _, (spec, runners) in sorted(found.items()))

    async def sweep(self) -> None:
        """Forget runners that are silent for too long."""
        now = self._clock()
        if self._blind():
            for known in self._runners.values():
                known.seen = now
        self._swept = now
        keep_for = {True: _DOOMED_FOR_S, False: self._limits.forget_after_s}
        self._gone = {
            id_: grave for id_, grave in self._gone.items() if now - grave[2] <= keep_for[grave[1]]
        }
        self._ended = {id_: kernel for id_, kernel in self._ended.items() if id_ in self._gone}
        for runner_id, known in list(self._runners.items()):
            if now - known.seen > self._limits.forget_after_s:
                self._forget(runner_id)

    def _forget(self, runner_id: str) -> None:
        del self._runners[runner_id]
        for kernel in list(self._kernels.values()):
            if kernel.runner_id == runner_id:
                del self._kernels[kernel.kernel_id]
                self._feed.note(kernel.kernel_id)

    def _member(self, known: _Known) -> Member:
        runner_id = known.runner.runner_id
        return Member(
            runner=known.runner,
            kernelspec_names=tuple(sorted(spec.name for spec in known.kernelspecs)),
            drain=known.drain,
            lost=not self._live(known),
            silent_s=self._clock() - known.seen,
            kernels=sum(k.runner_id == runner_id for k in self._kernels.values()),
            reserved=self._places.number_at(runner_id),
        )

    def _present(self) -> list[Present]:
        return [
            Present(
                known.runner,
                frozenset(spec.name.lower() for spec in known.kernelspecs),
                known.drain is not None,
            )
            for known in self._runners.values()
            if self._live(known)
        ]

    def _put_all(self, kernels: Iterable[Kernel]) -> tuple[str, ...]:
        return tuple(kernel.kernel_id for kernel in kernels if not self._put(kernel))

    def _put(self, kernel: Kernel) -> bool:
        """Note what a runner says of a kernel; return whether it may have it."""
        held = self._kernels.get(kernel.kernel_id)
        if held and held.runner_id != kernel.runner_id:
            return False
        if held and kernel.revision < held.revision:
            return True
        if not held and kernel.kernel_id in self._gone:
            revision, doomed, _ = self._gone[kernel.kernel_id]
            if doomed or kernel.revision <= revision:
                return not doomed
            del self._gone[kernel.kernel_id]
        self._kernels[kernel.kernel_id] = kernel
        self._places.settle(kernel.kernel_id)
        self._feed.note(kernel.kernel_id)
        return True

    def _drop(self, kernel_id: str, revision: int, *, doomed: bool = False) -> None:
        self._ended[kernel_id] = self._kernels.pop(kernel_id)
        self._places.settle(kernel_id)
        self._gone[kernel_id] = (revision, doomed, self._clock())
        self._feed.note(kernel_id)

    def _holding(self, kernel: Kernel) -> Holding:
        known = self._runners[kernel.runner_id]
        address = known.runner.address
        return Holding(replace(kernel, runner_address=address), lost=not self._live(known))

    def _live(self, known: _Known) -> bool:
        return self._clock() - known.seen <= self._limits.lost_after_s or self._blind()

    def _blind(self) -> bool:
        gap = self._limits.lost_after_s / 2
        return self._swept is None or self._clock() - self._swept > gap


def _spelling(known: _Known, wanted: str) -> str:
    return next(s.name for s in known.kernelspecs if s.name.lower() == wanted.lower())
