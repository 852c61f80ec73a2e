"""What one call is sent of a run: read from the journal, counted, and cut."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from perijove_chassis.errors import NotFound

from perijove_runner import headers
from perijove_runner.execution import messages
from perijove_runner.execution.model import (
    DisplayData,
    ExecuteResult,
    ExecutionError,
    Finished,
    Gap,
    Placed,
    StreamOutput,
    Truncated,
)
from perijove_runner.execution.store import EpochBegun, Message, Missing
from perijove_runner.model import Channel

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence

    from perijove_runner.execution.model import Outcome, Output, Wanted
    from perijove_runner.execution.run import Run
    from perijove_runner.execution.store import Event, Reading

_MERGED_CHARACTERS: Final = 256 * 1024
"""Length past which printed text is not joined with what follows."""


class Following:
    """One reader's way through a run."""

    def __init__(self, run: Run, reading: Reading, wanted: Wanted) -> None:
        """Begin before the first output.

        Args:
            run: What is followed.
            reading: Reads what the run's client sees, from its begin on.
            wanted: What of it is to be sent.
        """
        self._run = run
        self._reading = reading
        self._after = wanted.after_position
        self._limit = wanted.max_output_bytes
        self._bytes = 0
        self._is_cut = False
        self._has_gap = False
        self._asked = ""
        self._reply: Outcome | None = None
        self._idle = False
        self._seen = 0

    async def outputs(self) -> AsyncGenerator[Placed]:
        """Yield outputs as they come, then `Finished`."""
        while True:
            try:
                events = await self._next()
            except NotFound:
                break
            self._seen = max(self._seen, _last(events))
            for placed in _merged(self._batch(events)):
                yield placed
            await self._run.seen(self._seen)
            if question := self._question():
                yield Placed(0, question)
            if self._is_over(events):
                break
        await self._run.until_ended()
        yield Placed(0, self._finished())

    async def _next(self) -> Sequence[Event]:
        """Return what comes next; nothing if the run ends meanwhile without a word."""
        if self._idle == bool(self._reply) or self._run.has_ended:
            return await self._reading.next()
        reading = asyncio.ensure_future(self._reading.next())
        ended = asyncio.ensure_future(self._run.until_ended())
        try:
            await asyncio.wait({reading, ended}, return_when=asyncio.FIRST_COMPLETED)
            return reading.result() if reading.done() else ()
        finally:
            reading.cancel()
            ended.cancel()

    def _batch(self, events: Sequence[Event]) -> Iterator[Placed]:
        for event in events:
            if isinstance(event, Message):
                if headers.msg_id(event.frames[1]) == self._run.record.msg_id:
                    yield from self._take(event)
            elif isinstance(event, Missing) and not self._has_all():
                self._has_gap = True
                yield Placed(0, Gap(event.message))

    def _take(self, message: Message) -> Iterator[Placed]:
        kind = headers.msg_type(message.frames[0])
        if message.channel is Channel.SHELL:
            self._reply = messages.outcome(message.frames)
        elif message.channel is Channel.IOPUB:
            if kind == "status":
                self._idle = self._idle or headers.execution_state(message.frames[3]) == "idle"
            elif found := messages.output(kind, message.frames):
                yield from self._counted(message.sequence, found)

    def _counted(self, position: int, output: Output) -> Iterator[Placed]:
        """Yield what of an output is within the limit, and new to the client."""
        size = _size(output)
        room = self._limit - self._bytes
        self._bytes += size
        shown: Output | None = output
        if self._is_cut and size:
            return
        if size > room:
            self._is_cut = True
            shown = _cut(output, room)
        if shown and position > self._after:
            yield Placed(position, shown)
        if size > room:
            yield Placed(position, Truncated(self._limit))

    def _question(self) -> Output | None:
        """Return what waits for an answer, if this call was not asked it."""
        question = self._run.question
        if question is None or question.input_id == self._asked:
            return None
        self._asked = question.input_id
        return question

    def _has_all(self) -> bool:
        """Return whether nothing can be missing to the client."""
        return self._idle or (self._run.has_ended and self._after >= self._run.end.sequence > 0)

    def _is_over(self, events: Sequence[Event]) -> bool:
        # A reply comes by a way of its own: what was printed before may follow it.
        if self._reply and self._idle:
            return True
        # It has ended, and its end may be what is missing.
        if self._run.has_ended and self._seen >= self._run.end.sequence > 0:
            return True
        return any(map(self._is_behind, events))

    def _is_behind(self, event: Event) -> bool:
        """Return whether nothing of the run comes after an event."""
        if isinstance(event, EpochBegun):
            return True
        if not self._run.has_ended or isinstance(event, Message):
            return False
        end = self._run.end.sequence
        return event.epoch > self._run.record.epoch or not event.last or event.last >= end

    def _finished(self) -> Finished:
        kept = self._run.end
        outcome = kept.outcome()
        if self._reply and self._reply.kind is outcome.kind and not outcome.exit:
            # The kernel's own words are still to be had: they have all of it.
            outcome = self._reply
        return Finished(
            outcome=outcome,
            is_timed_out=kept.is_timed_out,
            output_bytes=self._bytes,
            is_incomplete=self._is_cut or self._has_gap,
        )


def _last(events: Sequence[Event]) -> int:
    return max((event.sequence for event in events if isinstance(event, Message)), default=0)


def _size(output: Output) -> int:
    if isinstance(output, StreamOutput):
        return len(output.text.encode())
    if isinstance(output, DisplayData | ExecuteResult):
        return output.bundle.size_bytes
    return output.size_bytes if isinstance(output, ExecutionError) else 0


def _cut(output: Output, room: int) -> Output | None:
    """Return what of an output fits: text can be cut, nothing else."""
    if not isinstance(output, StreamOutput) or room <= 0:
        return None
    return StreamOutput(output.name, output.text.encode()[:room].decode(errors="ignore"))


def _merged(outputs: Iterator[Placed]) -> Iterator[Placed]:
    """Join texts that follow one another."""
    held: list[str] = []
    name, position, length = "", 0, 0
    for placed in outputs:
        output = placed.output
        joins = isinstance(output, StreamOutput) and output.name == name
        if held and (not joins or length > _MERGED_CHARACTERS):
            yield Placed(position, StreamOutput(name, "".join(held)))
            held, length = [], 0
        if isinstance(output, StreamOutput):
            name, position = output.name, placed.position
            held.append(output.text)
            length += len(output.text)
        else:
            yield placed
    if held:
        yield Placed(position, StreamOutput(name, "".join(held)))
