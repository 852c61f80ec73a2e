"""How long to wait for a Redis that is away."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_S = 2.0


class Outage:
    """One that has just gone is waited for, since it may be restarted or replaced.

    One that stays away is not: who asks is told so at once, and reads what was last known.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None

    def worth_waiting(self) -> bool:
        """Note that Redis could not be reached; return whether to try again soon."""
        now = self._clock()
        if self._since is None:
            self._since = now
        return now - self._since < PATIENCE_S

    def over(self) -> None:
        """Note that it was reached."""
        self._since = None
