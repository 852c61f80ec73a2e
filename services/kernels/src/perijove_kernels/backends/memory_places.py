"""Places that are kept, and the queue of those who wait for one, in memory."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perijove_kernels.backends.memory_census import Census
from perijove_kernels.placement import WORTH_WAITING, Queued, refusal
from perijove_kernels.store import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_kernels.backends.memory_census import Present
    from perijove_kernels.placement import Quotas, Wish


@dataclass(frozen=True, slots=True)
class _Reservation:
    expires: float
    runner_id: str
    reservation_id: str
    user: str


@dataclass(frozen=True, slots=True)
class _Ticket:
    began: float
    asked: float
    kernelspec: str
    wish: Wish


class MemoryPlaces:
    """Gives places away, and keeps them until it is known what became of them."""

    def __init__(self, quotas: Quotas, reserve_for_s: float, clock: Callable[[], float]) -> None:
        self._quotas = quotas
        self._reserve_for_s = reserve_for_s
        self._clock = clock
        self._reserved: dict[str, _Reservation] = {}
        self._queue: dict[str, _Ticket] = {}

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._queue)

    def kept_at(self, kernel_id: str) -> str | None:
        """Return the runner at which a place is kept for a kernel, if one is."""
        now = self._clock()
        self._reserved = {k: r for k, r in self._reserved.items() if r.expires >= now}
        kept = self._reserved.get(kernel_id)
        return kept.runner_id if kept else None

    def number_at(self, runner_id: str) -> int:
        """Return how many places are kept at a runner."""
        now = self._clock()
        kept = self._reserved.values()
        return sum(one.runner_id == runner_id and one.expires >= now for one in kept)

    def settle(self, kernel_id: str) -> None:
        """Keep no place for a kernel: it is there, or gone."""
        self._reserved.pop(kernel_id, None)

    def release(self, kernel_id: str, reservation_id: str) -> None:
        """Give a place back, if this reservation holds it."""
        kept = self._reserved.get(kernel_id)
        if kept and kept.reservation_id == reservation_id:
            del self._reserved[kernel_id]

    def leave_queue(self, kernel_id: str) -> None:
        """Wait no more."""
        self._queue.pop(kernel_id, None)

    def take(
        self,
        kernel_id: str,
        kernelspec_name: str,
        reservation_id: str,
        wish: Wish,
        since: str | None,
        present: list[Present],
        held: list[tuple[str, str]],
    ) -> str | Queued:
        """Return the id of the runner at which a place is kept from now on.

        Args:
            kernel_id: The kernel that it is for.
            kernelspec_name: What the runner must offer.
            reservation_id: Who asks.
            wish: What else it must be like.
            since: When the wait began, or empty; None if there is to be none.
            present: The live runners.
            held: Id of the runner and name of the user of each kernel.

        Raises:
            DomainError: if there is none, and it is not to wait.
        """
        now, spec, ticket = self._clock(), kernelspec_name.lower(), self._queue.pop(kernel_id, None)
        began = float(since) if since else (ticket.began if ticket else now)
        kept = [(one.runner_id, one.user) for one in self._reserved.values()]
        census = Census(present, [*held, *kept], self._quotas)
        place = 1 + self._serve_before(began, census)
        able = census.look_for(spec, wish)
        if isinstance(able, str):
            if since is None or able not in WORTH_WAITING:
                raise refusal(able, kernelspec_name, wish, self._quotas)
            if len(self._queue) >= self._quotas.waiting:
                raise refusal("QUEUE_FULL", kernelspec_name, wish, self._quotas)
            self._queue[kernel_id] = _Ticket(began, now, spec, wish)
            return Queued(able, place, len(self._queue), repr(began))
        two = random.sample(able, min(2, len(able)))
        runner_id = min(two, key=census.used).runner_id
        self._reserved[kernel_id] = _Reservation(
            now + self._reserve_for_s, runner_id, reservation_id, wish.user
        )
        return runner_id

    def _serve_before(self, began: float, census: Census) -> int:
        """Count the places of those who came earlier as taken; return how many came."""
        now = self._clock()
        self._queue = {k: t for k, t in self._queue.items() if now - t.asked <= PATIENCE_S}
        before = sorted((t for t in self._queue.values() if t.began < began), key=lambda t: t.began)
        for ticket in before:
            able = census.look_for(ticket.kernelspec, ticket.wish)
            if not isinstance(able, str):
                census.count(min(able, key=census.used).runner_id, ticket.wish.user)
        return len(before)
