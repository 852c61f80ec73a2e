"""The rules for looking after runners: which there are, and who is to leave."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from perijove_chassis.errors import NotFound, Unavailable
from perijove_chassis.paging import page

from perijove_kernels.model import ExecutionState

if TYPE_CHECKING:
    from perijove_kernels.model import Drain, Runner
    from perijove_kernels.store import KernelStore, Member, Runners

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PoolPage:
    """Runners of one page of a list."""

    members: list[Member]
    busy: Counter[str]
    """How many kernels are busy, by the id of their runner."""
    waiting: int
    """How many starts wait for a place."""
    next_token: str


class PoolManager:
    """Says how runners are doing, and drains them."""

    def __init__(self, store: KernelStore, runners: Runners) -> None:
        self._store = store
        self._runners = runners

    async def list(self, page_size: int, page_token: str) -> PoolPage:
        """Return runners in order of their ids.

        Raises:
            InvalidArgument: if there can be no such page.
            Unavailable: if the registry cannot be reached.
        """
        pool = await self._store.pool()
        registry = await self._store.registry()
        busy = Counter(
            holding.kernel.runner_id
            for holding in registry.holdings.values()
            if holding.kernel.execution_state is ExecutionState.BUSY
        )
        shown, token = page(pool.members, _by_id, page_size, page_token)
        return PoolPage(shown, busy, pool.waiting, token)

    async def drain(
        self, runner_id: str, reason: str, within_s: float | None, requested_by: str
    ) -> tuple[Runner, Drain]:
        """Have a runner take nothing new from now on, and leave once it is empty.

        Raises:
            NotFound: `NO_SUCH_RUNNER`.
            Unavailable: if the registry or the runner cannot be reached.
        """
        runner = await self._find(runner_id)
        # The runner first: it is what remembers, and refuses what is under way to it.
        drain = await self._runners.begin_drain(runner, reason, within_s, requested_by)
        await self._store.note_drain(runner_id, drain)
        log.info("runner drained", runner_id=runner_id, within_s=within_s)
        return runner, drain

    async def undrain(self, runner_id: str) -> Runner:
        """Have a runner take new kernels again.

        Raises:
            NotFound: `NO_SUCH_RUNNER`.
            FailedPrecondition: `RUNNER_DRAINING`, if it is leaving already.
            Unavailable: if the registry or the runner cannot be reached.
        """
        runner = await self._find(runner_id)
        await self._runners.end_drain(runner)
        await self._store.note_drain(runner_id, None)
        log.info("runner undrained", runner_id=runner_id)
        return runner

    async def _find(self, runner_id: str) -> Runner:
        for member in (await self._store.pool()).members:
            if member.runner.runner_id == runner_id:
                if member.lost:
                    raise Unavailable(f"runner {runner_id} is lost", reason="RUNNER_UNREACHABLE")
                return member.runner
        raise NotFound(f"Runner does not exist: {runner_id}", reason="NO_SUCH_RUNNER")


def _by_id(member: Member) -> str:
    return member.runner.runner_id
