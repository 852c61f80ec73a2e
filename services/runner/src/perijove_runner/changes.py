"""Which kernels have changed since they were last told of, at a bounded rate."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_runner.model import Kernel

INTERVAL_S = 0.1
"""How often kernels are told of that change again and again: the newest state wins."""

_MAX_GONE = 10_000
_ROUNDING = 1e-6
"""So that a moment worked out from its number has that number."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be told now; empty if nothing happened for a while."""

    kernel_ids: tuple[str, ...] = ()
    gone: tuple[Kernel, ...] = ()
    """Kernels that are gone, as they were last."""
    kernelspecs: bool = False
    runner: bool = False
    leaving: bool = False
    """Whether nothing follows after this."""

    def __bool__(self) -> bool:
        return bool(self.kernel_ids or self.gone or self.kernelspecs or self.runner or self.leaving)


class ChangeFeed:
    """Collects changes for one reader: the first at once, then some ten a second per kernel.

    Those that are told again are told at the same moments, so that many busy
    kernels cost little more than one.

    Without a reader it keeps one mark per kernel, and no more gone ones than a
    limit: a reader that comes back begins with the whole state anyway.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wake = asyncio.Event()
        self._changed: set[str] = set()
        self._told_at: dict[str, int] = {}
        self._gone: deque[Kernel] = deque(maxlen=_MAX_GONE)
        self._kernelspecs = False
        self._runner = False
        self._leaving = False

    def kernel_changed(self, kernel_id: str) -> None:
        """Note that a kernel is new or has changed."""
        if kernel_id in self._changed:
            return  # the reader knows when it is due
        self._changed.add(kernel_id)
        self._wake.set()

    def kernel_gone(self, kernel: Kernel) -> None:
        """Note that a kernel is gone."""
        self._changed.discard(kernel.kernel_id)
        self._told_at.pop(kernel.kernel_id, None)
        self._gone.append(kernel)
        self._wake.set()

    def kernelspecs_changed(self) -> None:
        """Note that the kernelspecs have changed."""
        self._kernelspecs = True
        self._wake.set()

    def runner_changed(self) -> None:
        """Note that the runner itself has changed."""
        self._runner = True
        self._wake.set()

    def leave(self) -> None:
        """Note that the runner leaves, once all else is told."""
        self._leaving = True
        self._wake.set()

    def begin(self) -> None:
        """Forget all that was noted: the reader takes the whole state now."""
        self._changed.clear()
        self._gone.clear()
        self._kernelspecs = False
        self._runner = False

    async def take(self, timeout_s: float) -> Changes:
        """Wait for changes that are due, for at most some seconds, and return them."""
        deadline = self._clock() + timeout_s
        while True:
            now = self._clock()
            if changes := self._due(now):
                return changes
            if now >= deadline:
                return Changes()
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._next_due(deadline) - now):
                    await self._wake.wait()

    def _due(self, now: float) -> Changes:
        tick = _tick(now)
        due = {i for i in self._changed if tick > self._told_at.get(i, -1)}
        changes = Changes(
            tuple(sorted(due)), tuple(self._gone), self._kernelspecs, self._runner, self._leaving
        )
        self._changed -= due
        self._told_at.update(dict.fromkeys(due, tick))
        self._gone.clear()
        self._kernelspecs = False
        self._runner = False
        return changes

    def _next_due(self, deadline: float) -> float:
        ticks = (self._told_at.get(i, -1) + 1 for i in self._changed)
        return min((deadline, *(tick * INTERVAL_S for tick in ticks)))


def _tick(now: float) -> int:
    return int(now / INTERVAL_S + _ROUNDING)
