"""One kernel: its process, its relay, and what may happen to them in which order."""

from __future__ import annotations

import asyncio
import dataclasses
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog
from perijove_chassis.errors import DomainError

from perijove_runner import exits
from perijove_runner.keeping import Keeper
from perijove_runner.model import ExecutionState, ExitCause, Kernel, no_such_kernel
from perijove_runner.patience import end_process, until_ready
from perijove_runner.store import Launch, Relay

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perijove_runner.model import KernelExit, KernelRecord, ProcessExit
    from perijove_runner.patience import Policy
    from perijove_runner.snapshot import RelaySnapshot
    from perijove_runner.store import KernelProcess, Launcher, StateStore

R = TypeVar("R", bound=Relay)
log = structlog.get_logger()


class HeldKernel(Generic[R]):
    """A kernel that this runner holds. One operation at a time, in the order asked for."""

    def __init__(
        self,
        record: KernelRecord,
        relay: R,
        *,
        launcher: Launcher,
        state: StateStore,
        policy: Policy,
        clock: Callable[[], float],
        revision: Callable[[], int],
        changed: Callable[[], None],
        gone: Callable[[], None],
    ) -> None:
        self.relay = relay
        self._record = record
        self._launcher = launcher
        self._state = state
        self._keeper = Keeper(state, record.kernel_id)
        self.stories = exits.Stories(lambda: state.output(record.kernel_id), clock)
        """How its processes ended."""
        self._policy = policy
        self._clock = clock
        self._revision = revision
        self._changed = changed
        self._announce_gone = gone
        self._lock = asyncio.Lock()
        self._process: KernelProcess | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._forced_state: ExecutionState | None = None
        self._failures = 0
        self._gone = False
        self._opened = False

    def view(self) -> Kernel:
        """Return the kernel as others see it."""
        record = self._record
        return Kernel(
            kernel_id=record.kernel_id,
            kernelspec_name=record.kernelspec_name,
            execution_state=self._forced_state or self.relay.execution_state,
            last_activity_time=self.relay.last_activity_time or record.launch_time,
            connection_count=self.relay.connection_count,
            epoch=record.epoch,
            create_time=record.create_time,
            labels=record.labels,
            last_exit=record.last_exit,
            revision=self._revision(),
            owner=record.owner,
        )

    async def launch(self) -> bool:
        """Launch the first process, unless the kernel has one.

        Returns:
            Whether this call launched it.

        Raises:
            NotFound: if the kernel went away meanwhile.
            FailedPrecondition: if the process cannot be started.
        """
        async with self._lock:
            self._require_held()
            if self._process:
                return False
            await self._begin_process_or_give_up(self._record.epoch)
        return True

    async def adopt(self, snapshot: RelaySnapshot | None) -> None:
        """Take up the process that an earlier runner launched, dead or alive."""
        async with self._lock:
            mark = self._record.process
            if mark is None:
                # That runner died between the intention and the record of it.
                await self._launcher.end_unrecorded(self._record.kernel_id)
                if self._record.epoch == 1:
                    self._forget()
                else:
                    await self._begin_process_or_give_up(self._record.epoch)
                return
            record = self._record
            await self.relay.open(
                record.connection, record.epoch, snapshot, concurrent=record.concurrent
            )
            self._opened = True
            self._watch(await self._launcher.adopt(mark))
            self._changed()

    async def update(
        self, labels: Mapping[str, str] | None, environment: Mapping[str, str] | None
    ) -> None:
        """Replace the labels, and add to the environment of later processes."""
        async with self._lock:
            self._require_held()
            record = self._record
            if labels is not None:
                record = dataclasses.replace(record, labels=labels)
            if environment is not None:
                merged = {**record.environment, **environment}
                record = dataclasses.replace(record, environment=merged)
            self._keep(record)

    async def interrupt(self) -> None:
        """Interrupt what the kernel runs, the way its kernelspec asks for.

        Raises:
            DeadlineExceeded: if it is asked by message and does not answer.
        """
        async with self._lock:
            process = self._require_held()
            # A signal during the start would end it; nothing runs there yet.
            if self.relay.execution_state is not ExecutionState.STARTING:
                await self._interrupt(process)

    async def restart(self, requested_by: str = "") -> None:
        """Replace the process and wait until the new one answers.

        Raises:
            DeadlineExceeded: if it does not answer in time; it stays.
            FailedPrecondition: if it cannot be started, or ends at once.
        """
        async with self._lock:
            self._require_held()
            self._force(ExecutionState.RESTARTING)
            try:
                await self._end_process(restart=True, polite_s=self._policy.polite_s)
                self._note_exit(self.stories.asked_for(ExitCause.RESTARTED, requested_by))
                await self.relay.close_sockets()
                await self._begin_process_or_give_up(self._record.epoch + 1)
                self._failures = 0
                limit = self._policy.ready_s
                await until_ready(self._process, self.relay, limit, self.stories.early)
            finally:
                if not self._gone:
                    self._force(None)

    async def shut_down(
        self,
        last_exit: KernelExit,
        polite_s: float | None = None,
        is_due: Callable[[Kernel], bool] | None = None,
    ) -> None:
        """End the process and forget the kernel. Returns once the process is gone.

        Args:
            last_exit: Why.
            polite_s: Seconds that the process has to end by itself, if not the usual.
            is_due: Asked when its turn comes; if it says no, nothing happens.
        """
        async with self._lock:
            self._require_held()
            if is_due and not is_due(self.view()):
                return
            limit = self._policy.polite_s if polite_s is None else polite_s
            await self._end_process(restart=False, polite_s=limit)
            # Who comes back to the page of a kernel that nobody there ended wonders why.
            unforeseen = last_exit.cause in (ExitCause.CULLED, ExitCause.RUNNER_DRAINED)
            self._note_exit(last_exit, show=unforeseen)
            self._forget()

    async def release(self) -> None:
        """Let go of the process without ending it, for the next runner to adopt."""
        async with self._lock:
            if self._watcher:
                self._watcher.cancel()
            await self.relay.leave()

    def _require_held(self) -> KernelProcess:
        # `launch` is the one caller that does without a process.
        if self._gone:
            raise no_such_kernel(self._record.kernel_id)
        return self._process  # type: ignore[return-value]

    async def _interrupt(self, process: KernelProcess) -> None:
        if self._record.interrupt_mode == "message":
            limit = self._policy.interrupt_s
            await self.relay.request("control", "interrupt_request", b"{}", limit)
        else:
            process.interrupt()

    async def _begin_process(self, epoch: int) -> None:
        record = dataclasses.replace(
            self._record, epoch=epoch, process=None, launch_time=self._clock()
        )
        # Kept first: a process that nothing tells of could never be found again.
        self._record = record
        self._state.save(record)
        process = await self._launcher.launch(Launch.of(record))
        self._watch(process)
        self._keep(dataclasses.replace(record, process=process.mark))
        try:
            await self.relay.open(record.connection, epoch)
            self._opened = True
        except BaseException:
            process.kill()
            raise
        log.info("kernel launched", kernel_id=record.kernel_id, epoch=epoch, pid=process.mark.pid)

    async def _begin_process_or_give_up(self, epoch: int) -> None:
        try:
            await self._begin_process(epoch)
        except BaseException as error:
            if epoch > 1:
                self._note_exit(self.stories.not_started(error), show=True)
            self._give_up()
            raise

    async def _end_process(self, *, restart: bool, polite_s: float) -> None:
        if self._process:
            if self.relay.execution_state is ExecutionState.BUSY:
                # In the middle of a cell it would not get to what it is asked.
                with suppress(DomainError):
                    await self._interrupt(self._process)
            await end_process(
                self._process, self.relay, self._policy, restart=restart, polite_s=polite_s
            )
        # So that the watcher, which waits for the lock, lets it go.
        self._process = None

    def _watch(self, process: KernelProcess) -> None:
        self._process = process
        self._watcher = asyncio.create_task(self._recover_when_dead(process))

    async def _recover_when_dead(self, process: KernelProcess) -> None:
        ended = await process.wait()
        async with self._lock:
            if process is self._process:
                self._process = None
                await self._recover(ended)

    async def _recover(self, ended: ProcessExit) -> None:
        if self._clock() - self._record.launch_time >= self._policy.stable_s:
            self._failures = 0
        self._failures += 1
        log.warning(
            "kernel died", kernel_id=self._record.kernel_id, exit=ended, in_a_row=self._failures
        )
        given_up = self._failures > self._policy.restart_limit
        last_exit = self.stories.explain(ended)
        story = exits.death(last_exit, self._failures, given_up=given_up)
        self._note_exit(last_exit, story, show=True)
        if given_up:
            self._give_up()
            return
        self.relay.publish_status("restarting")
        await self.relay.close_sockets()
        try:
            await self._begin_process_or_give_up(self._record.epoch + 1)
        except DomainError as error:
            log.warning("kernel not restarted", kernel_id=self._record.kernel_id, why=str(error))
        except Exception:
            log.exception("kernel not restarted", kernel_id=self._record.kernel_id)

    def _give_up(self) -> None:
        if self._opened:
            self.relay.publish_status("dead")
        self._forget()

    def _forget(self) -> None:
        self._gone = True
        self._force(ExecutionState.DEAD)
        if self._watcher and self._watcher is not asyncio.current_task():
            self._watcher.cancel()
        self._state.remove(self._record.kernel_id)
        self._announce_gone()

    def _note_exit(self, last_exit: KernelExit, text: str = "", *, show: bool = False) -> None:
        self._keep(dataclasses.replace(self._record, last_exit=last_exit))
        self.relay.tell_end(exits.name(last_exit), text or last_exit.message, show=show)

    def _keep(self, record: KernelRecord) -> None:
        self._record = record
        self._keeper.keep_record(record)
        self._changed()

    def _force(self, state: ExecutionState | None) -> None:
        self._forced_state = state
        self._changed()
