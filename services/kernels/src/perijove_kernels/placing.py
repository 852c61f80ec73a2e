"""The rules for where a kernel is launched, and for waiting until there is a place."""

from __future__ import annotations

import asyncio
import random
import uuid
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog
from perijove_chassis.errors import DeadlineExceeded, DomainError, Unavailable

from perijove_kernels.model import noted
from perijove_kernels.placement import Queued, Wish, after_waiting, refusal

if TYPE_CHECKING:
    from perijove_kernels.model import Kernel, Launch
    from perijove_kernels.placement import Quotas
    from perijove_kernels.store import Holding, KernelStore, Place, Runners

log = structlog.get_logger()

_TRIES: Final = 5
"""How many runners may say that they are being drained before one is given up."""
_LOOK_S: Final = 0.2
"""Seconds between two looks of the first in the queue; the second looks half as often."""
_LONGEST_LOOK_S: Final = 2.0


class Placing:
    """Finds a runner for a kernel, and launches it there."""

    def __init__(self, store: KernelStore, runners: Runners, quotas: Quotas) -> None:
        self._store = store
        self._runners = runners
        self._quotas = quotas
        self.waiting: dict[str, Queued] = {}
        """Who waits for a place at this replica, by the id of the kernel."""
        self.outcomes = {"served": 0, "in vain": 0, "gave up": 0}
        """How often waiting has ended how."""

    async def launch(self, launch: Launch) -> Holding | tuple[Kernel, bool]:
        """Launch a kernel somewhere, unless one with its id is known; then return that.

        Returns:
            What is known of it; or the kernel, and whether this call launched it.

        Raises:
            DomainError: as `KernelStore.reserve`, `KernelStore.wait` and `Runners.launch`.
        """
        wish = Wish(launch.owner, launch.runner_labels)
        until = _now() + min(launch.wait_s, self._quotas.longest_wait_s)
        for attempt in range(1, _TRIES + 1):
            reservation_id = uuid.uuid4().hex
            place = await self._place(launch, reservation_id, wish, until)
            if place.existing and not place.existing.is_dead:
                return place.existing
            wanted = replace(launch, kernelspec_name=place.kernelspec_name, labels=noted(launch))
            try:
                return await self._runners.launch(place.runner, wanted)
            except (Unavailable, DeadlineExceeded):
                # It may be launched all the same: the place is kept, so that a retry
                # asks the same runner.
                raise
            except DomainError as error:
                await self._store.release(launch.kernel_id, reservation_id)
                if error.reason != "RUNNER_DRAINING" or attempt == _TRIES:
                    raise
                # It was told so after it was chosen. Nobody should notice.
                wish = replace(wish, avoid=(*wish.avoid, place.runner.runner_id))
        raise AssertionError

    async def _place(self, launch: Launch, reservation_id: str, wish: Wish, until: float) -> Place:
        kernel_id, spec = launch.kernel_id, launch.kernelspec_name
        if until <= _now():
            return await self._store.reserve(kernel_id, spec, reservation_id, wish)
        found = await self._store.wait(kernel_id, spec, reservation_id, wish, "")
        if not isinstance(found, Queued):
            return found
        began, outcome = _now(), "gave up"
        try:
            while isinstance(found, Queued):
                self.waiting[kernel_id] = found
                left = until - _now()
                if left <= 0:
                    outcome = "in vain"
                    refused = refusal(found.reason, spec, wish, self._quotas)
                    raise after_waiting(refused, found, _now() - began)
                await asyncio.sleep(min(left, _pause(found.place)))
                found = await self._store.wait(kernel_id, spec, reservation_id, wish, found.since)
            outcome = "served"
        finally:
            self.waiting.pop(kernel_id, None)
            self.outcomes[outcome] += 1
            if outcome != "served":
                # Also if the caller is gone. Without this it would be forgotten later.
                with suppress(Unavailable):
                    await self._store.leave_queue(kernel_id)
        log.info("place found", kernel_id=kernel_id, waited_s=round(_now() - began, 3))
        return found


def _pause(place: int) -> float:
    """Return the seconds until the next look: all together look a bounded number of times."""
    return min(_LOOK_S * place, _LONGEST_LOOK_S) * random.uniform(0.8, 1.2)  # noqa: S311 - spreads


def _now() -> float:
    return asyncio.get_running_loop().time()
