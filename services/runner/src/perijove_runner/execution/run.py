"""One run: what is known of it, who waits for what, and its clock."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from perijove_runner.execution.model import KeptEnd, OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_runner.execution.model import Outcome, Question, RunRecord

_AGAIN_S: Final = 5.0
"""Code can overhear an interrupt: one that is too late gets another after this time."""
_KEPT_CHARACTERS: Final = 1024
"""Most of an error's message that is kept for as long as its run is remembered."""


class Progress:
    """How far a kernel's words were looked through, and who waits for more of that."""

    def __init__(self) -> None:
        self.sequence = 0
        self._waiting: list[asyncio.Future[None]] = []

    def advance(self, sequence: int) -> None:
        """Note that all up to a sequence number was looked at."""
        if sequence > self.sequence:
            self.sequence = sequence
            self.wake()

    def wake(self) -> None:
        """Let everybody look again."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def changed(self) -> None:
        """Wait for the next change."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future


class Run:
    """A run that is under way, or remembered."""

    def __init__(
        self, record: RunRecord, progress: Progress, interrupt: Callable[[], None]
    ) -> None:
        """Describe a run.

        Args:
            record: What is known of it.
            progress: Says how far the kernel's words were looked through.
            interrupt: Interrupts the kernel.
        """
        self.record = record
        self.question: Question | None = None
        self.reply: Outcome | None = None
        self.is_idle = False
        self._progress = progress
        self._interrupt = interrupt
        self._is_wanted = False
        self._is_timed_out = False
        self._clock: asyncio.TimerHandle | None = None

    @property
    def has_ended(self) -> bool:
        """Whether it has ended."""
        return self.record.end is not None

    @property
    def end(self) -> KeptEnd:
        """How it has ended.

        Raises:
            LookupError: if it has not.
        """
        if self.record.end is None:
            raise LookupError(self.record.request_id)
        return self.record.end

    @property
    def is_interrupted(self) -> bool:
        """Whether the kernel was interrupted on its account."""
        return self._is_wanted and self.record.begun

    def begun(self) -> None:
        """Hear that the kernel has begun with it."""
        self.record = replace(self.record, begun=True)
        if self._is_wanted:
            self._interrupt()

    def interrupt(self) -> None:
        """Interrupt it now, or as soon as the kernel begins with it: never another one."""
        self._is_wanted = True
        if self.record.begun and not self.reply and not self.has_ended:
            self._interrupt()

    def set_clock(self, timer: asyncio.TimerHandle | None = None) -> None:
        """Interrupt it when its time is over, or wait for a timer in place of that."""
        self.stop_clock()
        self._clock = timer
        if timer:
            return
        at = self.record.interrupt_at
        if at is not None and not self.has_ended:
            delay = max(0.0, at - time.time())
            self._clock = asyncio.get_running_loop().call_later(delay, self._time_is_over)

    def stop_clock(self) -> None:
        """Let it run."""
        if self._clock:
            self._clock.cancel()
            self._clock = None

    def finish(self, outcome: Outcome) -> None:
        """Note how it has ended."""
        self.stop_clock()
        self.question = self.reply = None
        error = outcome.error
        end = KeptEnd(
            kind=outcome.kind,
            finish_time=time.time(),
            sequence=self._progress.sequence,
            execution_count=outcome.execution_count,
            error_name=error.name[:_KEPT_CHARACTERS] if error else "",
            error_value=error.value[:_KEPT_CHARACTERS] if error else "",
            exit=outcome.exit,
            # One that has ended well was not held up by an interrupt that came too late.
            is_timed_out=self._is_timed_out and outcome.kind is not OutcomeKind.OK,
        )
        self.record = replace(self.record, end=end)
        self._progress.wake()

    async def seen(self, sequence: int) -> None:
        """Wait until all that was said of it up to a sequence number is known here."""
        while not self.has_ended and self._progress.sequence < sequence:
            await self._progress.changed()

    async def until_ended(self) -> None:
        """Wait for its end."""
        while not self.has_ended:
            await self._progress.changed()

    def _time_is_over(self) -> None:
        self._is_timed_out = True
        self.interrupt()
        self._clock = asyncio.get_running_loop().call_later(_AGAIN_S, self._time_is_over)
