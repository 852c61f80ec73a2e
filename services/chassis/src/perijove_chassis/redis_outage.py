"""How long to wait for a Redis that is away, or says nothing."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


class Silence:
    """Whether anybody gets an answer. While nobody does, one asks, and the others do not wait.

    Otherwise all who could go on without an answer would wait for it first.
    """

    def __init__(
        self, unanswered: type[Exception], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Make one that has heard something just now.

        Args:
            unanswered: What is raised if no answer comes in time.
            clock: In seconds.
        """
        self._unanswered = unanswered
        self._clock = clock
        self._answered = clock()
        self._silent = False
        self._asked = False

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask in here.

        Raises:
            Exception: the one for no answer, if somebody else is finding out already.
        """
        if self._silent and self._asked:
            raise self._unanswered("nobody gets an answer")
        finding_out, begun = self._silent, self._clock()
        self._asked = self._asked or finding_out
        try:
            yield
        except self._unanswered:
            self._silent = self._silent or self._answered < begun
            raise
        else:
            self._answered, self._silent = self._clock(), False
        finally:
            if finding_out:
                self._asked = False
