"""Keeps kernels ready that nobody has asked for yet, and hands them out.

- Each is claimed once, by a launch that it suits; every other launch is a cold one.
- A claim is made up for in the background: one process at a time, after a second
  without a launch, while no kernel is starting. A launch pauses what is under way.
- They take no place of a kernel, and no more are kept than kernels fit in.
- Who cannot be started is tried again, at longer and longer intervals.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog
from perijove_chassis.errors import DomainError

from perijove_runner.warm.store import SpareLostError

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_runner.model import Kernelspec
    from perijove_runner.store import KernelProcess, Kernelspecs, Launch
    from perijove_runner.warm.model import Occupancy, WarmPlan
    from perijove_runner.warm.store import Spare, SpareMaker

log = structlog.get_logger()

_QUIET_S: Final = 1.0
_STARTING_AT_MOST_S: Final = 30.0
"""A kernel that has not answered by then is not waited for."""
_TEND_S: Final = 0.5
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0


@dataclass(slots=True)
class _Kind:
    """The spares of one kernelspec."""

    wanted: int
    ready: list[Spare] = field(default_factory=list)
    pause_s: float = _FIRST_PAUSE_S
    not_before: float = 0.0
    refused: bool = False


class WarmPool:
    """Holds the spares of a runner."""

    def __init__(
        self,
        plan: WarmPlan,
        maker: SpareMaker,
        kernelspecs: Kernelspecs,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Hold none yet; `run` does.

        Args:
            plan: What to keep ready.
            maker: What starts them.
            kernelspecs: Of what.
            clock: Returns seconds that never go back.
        """
        self.warm = 0
        """Number of launches that a spare was made of."""
        self.cold = 0
        """Number of those that none was there for."""
        self._kinds = {name: _Kind(count) for name, count in plan.counts.items() if count}
        self._maker = maker
        self._kernelspecs = kernelspecs
        self._clock = clock
        self._last_launch = -_STARTING_AT_MOST_S
        self._coming: Spare | None = None
        self._closed = False

    def ready(self) -> dict[str, int]:
        """Return how many are ready, by the name of their kernelspec."""
        return {name: len(kind.ready) for name, kind in self._kinds.items()}

    async def claim(self, launch: Launch) -> KernelProcess | None:
        """Return the process of a launch if one is ready that suits it."""
        self._last_launch = self._clock()
        if self._coming:
            self._coming.pause()
        while spare := self._take(launch):
            try:
                if not await spare.outdated():
                    process = await spare.claim(launch)
                    self.warm += 1
                    return process
                await spare.end()
            except SpareLostError as lost:
                log.warning("kernel started beforehand is lost", why=str(lost))
        self.cold += 1
        return None

    async def run(self, occupancy: Callable[[], Occupancy]) -> None:
        """Keep the spares ready until cancelled, and end them then.

        Args:
            occupancy: Says how busy the runner is.
        """
        if not self._kinds:
            return
        try:
            while True:
                await self._tend(occupancy)
                await asyncio.sleep(_TEND_S)
        finally:
            await asyncio.shield(self._close())

    def _take(self, launch: Launch) -> Spare | None:
        for kind in self._kinds.values():
            for spare in kind.ready:
                if not spare.ended() and spare.suits(launch):
                    kind.ready.remove(spare)
                    return spare
        return None

    async def _tend(self, occupancy: Callable[[], Occupancy]) -> None:
        for name, kind in self._kinds.items():
            spec = await self._spec(name)
            await self._drop_stale(kind, spec)
            if spec and not self._maker.can_make(spec):
                if not kind.refused:
                    kind.refused = True
                    log.warning("kernelspec cannot be kept warm", kernelspec_name=name)
                continue
            while spec and self._due(kind, occupancy()):
                await self._make(name, kind, spec, occupancy)

    async def _spec(self, name: str) -> Kernelspec | None:
        try:
            return await self._kernelspecs.get(name)
        except DomainError:
            return None

    async def _drop_stale(self, kind: _Kind, spec: Kernelspec | None) -> None:
        for spare in tuple(kind.ready):
            stale = spare.ended() or spec is None or not spare.made_of(spec)
            if (stale or await spare.outdated()) and spare in kind.ready:
                kind.ready.remove(spare)
                await spare.end()

    def _due(self, kind: _Kind, occupancy: Occupancy) -> bool:
        return (
            len(kind.ready) < kind.wanted
            and self._clock() >= kind.not_before
            and sum(len(each.ready) for each in self._kinds.values()) < occupancy.room
            and not self._busy(occupancy)
        )

    def _busy(self, occupancy: Occupancy) -> bool:
        since = self._clock() - self._last_launch
        return since < _QUIET_S or (occupancy.starting and since < _STARTING_AT_MOST_S)

    async def _make(
        self, name: str, kind: _Kind, spec: Kernelspec, occupancy: Callable[[], Occupancy]
    ) -> None:
        try:
            self._coming = self._maker.make(spec)
            await self._until_ready(self._coming, occupancy)
        except SpareLostError as lost:
            log.warning("kernel not started beforehand", kernelspec_name=name, why=str(lost))
            kind.not_before = self._clock() + kind.pause_s
            kind.pause_s = min(2 * kind.pause_s, _LONGEST_PAUSE_S)
        else:
            kind.ready.append(self._coming)
            kind.pause_s = _FIRST_PAUSE_S
            self._coming = None
        finally:
            if self._coming:
                await self._coming.end()
                self._coming = None

    async def _until_ready(self, spare: Spare, occupancy: Callable[[], Occupancy]) -> None:
        waiting = asyncio.create_task(spare.until_ready())
        try:
            while not (await asyncio.wait({waiting}, timeout=_TEND_S))[0]:
                if not self._busy(occupancy()):
                    spare.go_on()
            waiting.result()
        finally:
            waiting.cancel()
            with suppress(asyncio.CancelledError, SpareLostError):
                await waiting

    async def _close(self) -> None:
        spares = [spare for kind in self._kinds.values() for spare in kind.ready]
        for kind in self._kinds.values():
            kind.ready.clear()
        await asyncio.gather(*(spare.end() for spare in spares))
