"""Watches what a kernel says for what becomes of its runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from perijove_runner import headers
from perijove_runner.execution import messages
from perijove_runner.execution.model import OutcomeKind, kernel_ended, unanswered
from perijove_runner.execution.store import EpochBegun, Message
from perijove_runner.model import Channel

if TYPE_CHECKING:
    from perijove_runner.execution.memory import Memory
    from perijove_runner.execution.model import Outcome
    from perijove_runner.execution.run import Progress, Run
    from perijove_runner.execution.store import Event, KernelPort, Sending

log = structlog.get_logger()

_IDLE_S: Final = 5.0
"""Not every kernel says that it is idle, and one that is interrupted between two steps
may not reply: so long after the other one a run has ended anyway."""


class Watching:
    """Follows a kernel as the client that sends its runs."""

    def __init__(
        self, port: KernelPort, memory: Memory, progress: Progress, client: Sending
    ) -> None:
        self._port = port
        self._memory = memory
        self._progress = progress
        self._client = client
        self._epoch = port.place[0]

    async def run(self) -> None:
        """Watch until no run is under way.

        Raises:
            NotFound: when the kernel is gone.
        """
        while self._memory.all_under_way:
            for event in await self._client.next():
                self._take(event)

    def kernel_ended(self, present_epoch: int | None = None) -> None:
        """End the runs whose process is gone: all, or those before an epoch."""
        outcome = kernel_ended(self._port.last_exit)
        for run in self._memory.all_under_way:
            if present_epoch is None or run.record.epoch < present_epoch:
                self._end(run, run.reply or outcome)

    def _take(self, event: Event) -> None:
        if isinstance(event, Message):
            if run := self._memory.under_way(headers.msg_id(event.frames[1])):
                self._heard(run, event)
            self._progress.advance(event.sequence)
        elif isinstance(event, EpochBegun):
            self.kernel_ended(event.epoch)
            self._epoch = event.epoch
            self._progress.sequence = 0
        elif event.epoch == self._epoch:
            self._progress.advance(event.last)

    def _heard(self, run: Run, message: Message) -> None:
        kind = headers.msg_type(message.frames[0])
        if message.channel is Channel.STDIN:
            run.question = messages.question(message.frames, headers.msg_id(message.frames[0]))
        elif message.channel is Channel.SHELL:
            run.reply, run.question = self._outcome(message), None
        elif kind == "status" and headers.execution_state(message.frames[3]) == "idle":
            run.is_idle = True
        elif not run.record.begun and (kind != "status" or run.record.silent):
            run.begun()
            self._memory.changed(run)
        if run.reply and run.is_idle:
            self._progress.advance(message.sequence)
            self._end(run, run.reply)
        elif run.reply or run.is_idle:
            outcome = run.reply or unanswered(interrupted=run.is_interrupted)
            later = asyncio.get_running_loop().call_later
            run.set_clock(later(_IDLE_S, self._end, run, outcome))

    def _outcome(self, message: Message) -> Outcome:
        found = messages.outcome(message.frames)
        ended = found.kind is OutcomeKind.KERNEL_ENDED
        return kernel_ended(self._port.last_exit) if ended else found

    def _end(self, run: Run, outcome: Outcome) -> None:
        if run.has_ended:
            return
        run.finish(outcome)
        log.info(
            "run ended",
            kernel_id=self._port.kernel_id,
            run_id=run.record.request_id,
            outcome=outcome.kind.value,
        )
        if self._memory.changed(run):
            # What a later runner would tell again is no longer needed for this one.
            self._client.ack(run.record.epoch, self._progress.sequence)
