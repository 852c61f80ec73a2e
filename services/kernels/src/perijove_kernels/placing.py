"""The rules for where a kernel is launched."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog
from perijove_chassis.errors import DeadlineExceeded, DomainError, Unavailable

from perijove_kernels.model import noted
from perijove_kernels.placement import Wish

if TYPE_CHECKING:
    from perijove_kernels.model import Kernel, Launch
    from perijove_kernels.store import Holding, KernelStore, Runners

log = structlog.get_logger()

_TRIES: Final = 5
"""How many runners may say that they are being drained before one is given up."""


class Placing:
    """Finds a runner for a kernel, and launches it there."""

    def __init__(self, store: KernelStore, runners: Runners) -> None:
        self._store = store
        self._runners = runners

    async def launch(self, launch: Launch) -> Holding | tuple[Kernel, bool]:
        """Launch a kernel somewhere, unless one with its id is known; then return that.

        Returns:
            What is known of it; or the kernel, and whether this call launched it.

        Raises:
            DomainError: as `KernelStore.reserve` and `Runners.launch`.
        """
        wish = Wish(launch.owner, launch.runner_labels)
        for attempt in range(1, _TRIES + 1):
            reservation_id = uuid.uuid4().hex
            place = await self._store.reserve(
                launch.kernel_id, launch.kernelspec_name, reservation_id, wish
            )
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
