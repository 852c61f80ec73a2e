"""Who holds what at one moment, for the registry in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perijove_kernels.model import Runner
    from perijove_kernels.placement import Quotas, Wish


@dataclass(frozen=True, slots=True)
class Present:
    """A live runner."""

    runner: Runner
    names: frozenset[str]
    """Of its kernelspecs, in lower case."""
    closed: bool
    """Whether it is being drained."""


class Census:
    """Counts kernels, and places that are kept."""

    def __init__(
        self, present: list[Present], holders: Iterable[tuple[str, str]], quotas: Quotas
    ) -> None:
        """Begin with what is held, by ids of runners and names of users."""
        self._present = present
        self._quotas = quotas
        self._load: Counter[str] = Counter()
        self._of_user: Counter[str] = Counter()
        for runner_id, user in holders:
            self.count(runner_id, user)

    def count(self, runner_id: str, user: str) -> None:
        """Count one more."""
        self._load[runner_id] += 1
        self._of_user[user] += 1

    def used(self, runner: Runner) -> float:
        """Return how full a runner is."""
        return self._load[runner.runner_id] / runner.capacity

    def look_for(self, kernelspec: str, wish: Wish) -> list[Runner] | str:
        """Return the runners with room, or the reason why there is none."""
        able = [one for one in self._present if kernelspec in one.names]
        if not able:
            return "NO_SUCH_KERNELSPEC" if self._present else "NO_RUNNER"
        able = [one for one in able if wish.runner_labels.items() <= one.runner.labels.items()]
        if not able:
            return "NO_MATCHING_RUNNER"
        if reason := self._quota_reached(wish.user):
            return reason
        free = [
            one.runner
            for one in able
            if not one.closed
            and one.runner.runner_id not in wish.avoid
            and self._load[one.runner.runner_id] < one.runner.capacity
        ]
        return free or "NO_CAPACITY"

    def _quota_reached(self, user: str) -> str:
        if 0 < self._quotas.kernels <= self._load.total():
            return "TOO_MANY_KERNELS"
        if user and 0 < self._quotas.kernels_per_user <= self._of_user[user]:
            return "TOO_MANY_KERNELS_OF_USER"
        return ""
