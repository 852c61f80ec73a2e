"""A runner that takes nothing new, and leaves once it is empty or its time is over."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import structlog
from perijove_chassis.errors import FailedPrecondition, ResourceExhausted

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger()

MAX_REASON_CHARACTERS: Final = 500
_LOOK_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Drain:
    """That a runner is being drained. Times are seconds of Unix time."""

    reason: str
    begin_time: float
    deadline: float | None = None
    """When what is left is ended; None if it may run on."""
    requested_by: str = ""
    """Who asked for it, if that is known."""


class DrainNote(Protocol):
    """Keeps in mind that a runner is being drained."""

    def load(self) -> Drain | None:
        """Return what is noted; also forget that an earlier runner has left."""

    def save(self, drain: Drain) -> None:
        """Note a drain.

        Raises:
            ResourceExhausted: with reason `STORAGE_FULL`.
        """

    def remove(self) -> None:
        """Forget the drain."""

    def leave(self) -> None:
        """Forget the drain, and note for the supervisor that the runner has left."""


class Draining:
    """Whether this runner takes something new, and when it leaves."""

    def __init__(
        self,
        note: DrainNote,
        changed: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Go on as is noted.

        Args:
            note: Where it is kept in mind.
            changed: Told when a drain begins or ends.
            clock: Seconds of Unix time.
        """
        self._note = note
        self._changed = changed
        self._clock = clock
        self._wake = asyncio.Event()
        self._left = False
        self.drain = note.load()
        """The present drain, if there is one."""

    def require_open(self) -> None:
        """Raise if nothing new is taken.

        Raises:
            FailedPrecondition: with reason `RUNNER_DRAINING`.
        """
        if self.drain:
            raise FailedPrecondition("the runner is being drained", reason="RUNNER_DRAINING")

    def begin(self, reason: str, within_s: float | None, requested_by: str = "") -> Drain:
        """Take nothing new from now on; or change deadline and reason, if that is so already.

        Raises:
            ResourceExhausted: with reason `STORAGE_FULL`, if it cannot be noted; it is not so.
        """
        now = self._clock()
        begin_time = self.drain.begin_time if self.drain else now
        deadline = None if within_s is None else now + max(within_s, 0.0)
        drain = Drain(reason[:MAX_REASON_CHARACTERS], begin_time, deadline, requested_by)
        self._note.save(drain)
        self.drain = drain
        self._wake.set()
        self._changed()
        log.info("draining", reason=drain.reason, within_s=within_s)
        return drain

    def stop(self, within_s: float) -> bool:
        """Be drained in place of being stopped at once; return whether that is so.

        Args:
            within_s: Seconds that what is here gets; zero if it is not to be so.
        """
        if within_s > 0:
            with suppress(ResourceExhausted):
                self.begin("it was told to stop", within_s)
                return True
        return False

    def end(self) -> None:
        """Take new things again.

        Raises:
            FailedPrecondition: if it is too late for that.
        """
        if self._left:
            raise FailedPrecondition("the runner is leaving", reason="RUNNER_DRAINING")
        if self.drain:
            self._note.remove()
            self.drain = None
            self._wake.set()
            self._changed()
            log.info("drained no more")

    async def over(self, is_empty: Callable[[], bool]) -> Drain:
        """Return when the runner is to leave: then nothing can change that any more."""
        while True:
            if drain := self.drain:
                if is_empty() or self._clock() >= (drain.deadline or float("inf")):
                    self._left = True
                    return drain
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_S):
                        await self._wake.wait()
            else:
                await self._wake.wait()
            self._wake.clear()

    def leave(self) -> None:
        """Note that the runner has left, and that it is not to be started again."""
        self._note.leave()
        log.info("left, since it was drained")
