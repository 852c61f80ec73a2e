"""The runs of one kernel: each is sent once, and watched to its end, whoever reads along."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING, Final

import structlog
from msgspec.structs import replace
from perijove_chassis.errors import (
    AlreadyExists,
    DomainError,
    NotFound,
    ResourceExhausted,
    Unavailable,
)

from perijove_runner.execution import messages
from perijove_runner.execution.memory import Memory
from perijove_runner.execution.model import Outcome, OutcomeKind, RunRecord, kernel_ended
from perijove_runner.execution.run import Progress, Run
from perijove_runner.execution.watching import Watching
from perijove_runner.model import Channel

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from perijove_runner.execution.model import Execution
    from perijove_runner.execution.store import KernelPort, Reading, RunNotes, Sending

log = structlog.get_logger()

_READY_S: Final = 60.0
_CONNECTED_PAUSE_S: Final = 0.05


class KernelRuns:
    """Makes runs, watches them, and remembers them.

    One client of the kernel sends for all. It is there as long as a run is under way.
    """

    def __init__(self, port: KernelPort, notes: RunNotes) -> None:
        """Take up what an earlier runner has left.

        Args:
            port: The kernel.
            notes: What is remembered of its runs, also by the next runner.
        """
        self.port = port
        client_id, records = notes.load()
        self._client_id = client_id or uuid.uuid4().hex
        self._memory = Memory(notes, self._client_id)
        self._progress = Progress()
        self._client: Sending | None = None
        self._attaching = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._take_up(records)

    async def begin(self, execution: Execution, deadline_s: float | None) -> tuple[Run, bool]:
        """Return the run that is asked for, and whether it is new.

        Args:
            execution: What is asked for.
            deadline_s: Seconds until it is to be interrupted, if it is new.

        Raises:
            AlreadyExists: with reason `ID_IN_USE` if the id is that of another execution.
            DeadlineExceeded: if the kernel does not answer in time.
            ResourceExhausted: if too many runs are under way, or it cannot be written down.
            Unavailable: if the kernel is not connected for a while.
        """
        if run := self._known(execution):
            return run, False
        deadline_at = None if deadline_s is None else time.time() + deadline_s
        client = await self._connected()
        # Another call may have asked for the same meanwhile.
        if run := self._known(execution):
            return run, False
        return self._send(client, execution, deadline_at), True

    async def follow(self, run: Run) -> Reading:
        """Return a reader of what the kernel says in a run, and after it."""
        return await self.port.follow(self._client_id, run.record.epoch, run.record.begin)

    def answer(self, run: Run, input_id: str, value: str) -> None:
        """Answer a question; one that does not wait any more is left alone."""
        question = run.question
        if question and question.input_id == input_id and self._client:
            run.question = None
            frames = messages.input_reply(self._client_id, question, value)
            self._client.send(Channel.STDIN, frames)

    def _known(self, execution: Execution) -> Run | None:
        run = self._memory.find(execution.request_id)
        if run is None:
            return None
        if run.record.digest != execution.digest:
            raise AlreadyExists(
                f"the request id {execution.request_id} was used for another execution",
                reason="ID_IN_USE",
            )
        return run

    async def _connected(self) -> Sending:
        """Return the client, once what it sends reaches the kernel and is seen to its end."""
        deadline = time.monotonic() + _READY_S
        while True:
            await self.port.ready(max(0.0, deadline - time.monotonic()))
            client = await self._attached()
            if self.port.connected and client is self._client:
                return client
            # Between two processes: the next one is launched in a moment, or fails to be.
            if time.monotonic() > deadline:
                raise Unavailable("the kernel is not connected")
            await asyncio.sleep(_CONNECTED_PAUSE_S)

    async def _attached(self) -> Sending:
        async with self._attaching:
            if self._client is None:
                self._client = await self.port.attach(self._client_id)
                self._own(self._watch(self._client))
            return self._client

    def _send(self, client: Sending, execution: Execution, deadline_at: float | None) -> Run:
        epoch, begin = self.port.place
        now, limit_s = time.time(), execution.time_limit_s
        limits = (deadline_at, None if limit_s is None else now + limit_s)
        record = RunRecord(
            request_id=execution.request_id,
            digest=execution.digest,
            msg_id=uuid.uuid4().hex,
            epoch=epoch,
            begin=begin,
            accept_time=now,
            interrupt_at=min((limit for limit in limits if limit is not None), default=None),
            silent=execution.silent,
        )
        run = self._run(record)
        # Noted before it is sent: if the runner ends between the two, the relay's own
        # notes tell the next one that it was not.
        self._memory.add(run)
        frames = messages.execute_request(record.msg_id, self._client_id, execution)
        try:
            client.send(Channel.SHELL, frames)
        except ResourceExhausted:
            self._memory.refuse(run, replace(record, refused=True))
            raise
        run.set_clock()
        log.info("run begun", kernel_id=self.port.kernel_id, run_id=record.request_id)
        return run

    async def _watch(self, client: Sending) -> None:
        """Watch the runs as long as any is under way."""
        watching = Watching(self.port, self._memory, self._progress, client)
        try:
            await watching.run()
        except NotFound:
            watching.kernel_ended()
        except DomainError as error:
            log.warning("runs not watched", kernel_id=self.port.kernel_id, why=str(error))
        # Cancelled, this process ends: the client stays known to the next one.
        self._client = None
        client.close()

    def _take_up(self, records: Sequence[RunRecord]) -> None:
        in_flight = self.port.in_flight(self._client_id)
        for record in records:
            run = self._run(record)
            if not run.has_ended:
                if record.epoch != self.port.place[0]:
                    run.finish(kernel_ended(self.port.last_exit))
                elif in_flight is None:
                    run.finish(Outcome(OutcomeKind.REPLY_LOST))
                elif record.msg_id not in in_flight:
                    continue  # it was never sent, and is when it is asked for again
            self._memory.restore(run)
            run.set_clock()
        if self._memory.all_under_way:
            self._own(self._watch_again())

    async def _watch_again(self) -> None:
        try:
            await self._attached()
        except DomainError as error:
            log.warning("runs not watched", kernel_id=self.port.kernel_id, why=str(error))

    def _run(self, record: RunRecord) -> Run:
        return Run(record, self._progress, lambda: self._own(self._interrupt(record.request_id)))

    async def _interrupt(self, request_id: str) -> None:
        log.info("run interrupted", kernel_id=self.port.kernel_id, run_id=request_id)
        try:
            await self.port.interrupt()
        except DomainError as error:
            log.warning("run not interrupted", run_id=request_id, why=str(error))

    def _own(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
