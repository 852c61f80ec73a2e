"""The kernels of a runner: launched, found again, looked up, and ended."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog
from perijove_chassis.errors import DomainError, NotFound, ResourceExhausted, Unavailable

from perijove_runner import records
from perijove_runner.external.kernel import ExternalKernel
from perijove_runner.external.model import LABEL, FoundKernel
from perijove_runner.lifecycle import HeldKernel
from perijove_runner.model import ExecutionState, ExitCause, Kernel, no_such_kernel
from perijove_runner.patience import Policy
from perijove_runner.store import Relay
from perijove_runner.warm.model import Occupancy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence

    from perijove_runner.changes import ChangeFeed
    from perijove_runner.draining import Drain, Draining
    from perijove_runner.model import KernelRecord, Kernelspec, LaunchRequest
    from perijove_runner.store import Ports

R = TypeVar("R", bound=Relay)
T = TypeVar("T")
log = structlog.get_logger()

_CLOSE_S = 10.0


class KernelManager(Generic[R]):
    """Holds the kernels of this runner.

    What is begun is finished, also when the caller goes away meanwhile.
    """

    def __init__(
        self,
        ports: Ports[R],
        feed: ChangeFeed,
        *,
        capacity: int,
        policy: Policy | None = None,
        draining: Draining | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ports = ports
        self._feed = feed
        self._capacity = capacity
        self._policy = policy or Policy()
        self._draining = draining
        self._clock = clock
        self._kernels: dict[str, HeldKernel[R]] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._last_revision = 0
        self._closing = False

    async def adopt(self) -> None:
        """Take up the kernels that an earlier runner of this state left."""
        for record, snapshot in self._ports.state.load():
            held = self._hold(record)
            try:
                await held.adopt(snapshot)
            except DomainError as error:
                log.warning("kernel not adopted", kernel_id=record.kernel_id, why=str(error))
            else:
                log.info("kernel adopted", kernel_id=record.kernel_id, epoch=record.epoch)

    def kernels(self) -> tuple[list[Kernel], int]:
        """Return all kernels in order of their start, and the revision this is as of."""
        return [held.view() for held in self._kernels.values()], self.revision()

    def find(self, kernel_id: str) -> Kernel | None:
        """Return a kernel, if it is here."""
        held = self._kernels.get(kernel_id)
        return held.view() if held else None

    def held(self, kernel_id: str) -> HeldKernel[R]:
        """Return a kernel with all that belongs to it.

        Raises:
            NotFound: with reason `NO_SUCH_KERNEL`.
        """
        return self._held(kernel_id)

    def relay(self, kernel_id: str) -> R:
        """Return the relay of a kernel.

        Raises:
            NotFound: with reason `NO_SUCH_KERNEL`.
        """
        return self._held(kernel_id).relay

    def revision(self) -> int:
        """Return a number above all that were returned before, also by earlier runners."""
        self._last_revision = max(self._last_revision + 1, int(self._clock() * 1e6))
        return self._last_revision

    def occupancy(self) -> Occupancy:
        """Return how much room there is for kernels that nobody has asked for yet."""
        takes_more = not (self._closing or (self._draining and self._draining.drain))
        room = self._capacity - len(self._kernels) if takes_more else 0
        views = (held.view() for held in self._kernels.values())
        # One of others may never answer.
        starting = any(
            view.execution_state is ExecutionState.STARTING and LABEL not in view.labels
            for view in views
        )
        return Occupancy(room, starting)

    async def launch(self, request: LaunchRequest) -> tuple[Kernel, bool]:
        """Launch a kernel, unless one with the id is here; return it, and whether it is new.

        Raises:
            NotFound: with reason `NO_SUCH_KERNELSPEC`.
            ResourceExhausted: with reason `NO_CAPACITY`.
            FailedPrecondition: with reason `KERNEL_START_FAILED`; `RUNNER_DRAINING`.
            Unavailable: if the runner is about to stop.
        """
        return await self._finish(self._launch(request))

    async def update(
        self,
        kernel_id: str,
        labels: Mapping[str, str] | None,
        environment: Mapping[str, str] | None,
    ) -> Kernel:
        """Replace the labels of a kernel, and add to the environment of its later processes."""
        held = self._held(kernel_id)
        await self._finish(held.update(labels, environment))
        return held.view()

    async def interrupt(self, kernel_id: str) -> None:
        """Interrupt what a kernel runs."""
        await self._finish(self._held(kernel_id).interrupt())

    async def restart(self, kernel_id: str, requested_by: str = "") -> Kernel:
        """Replace a kernel's process, wait until it answers, and return the kernel."""
        held = self._held(kernel_id)
        await self._finish(held.restart(requested_by))
        return held.view()

    async def shut_down(self, kernel_id: str, requested_by: str = "") -> tuple[Kernel, int]:
        """End a kernel; return it as it was last, and the revision as of which it is gone."""
        held = self._held(kernel_id)
        await self._finish(held.shut_down(held.stories.asked_for(ExitCause.SHUTDOWN, requested_by)))
        return held.view(), self.revision()

    async def cull(self, kernel_id: str, is_due: Callable[[Kernel], bool]) -> None:
        """End a kernel that is not used, if that is still due when its turn comes."""
        if held := self._kernels.get(kernel_id):
            last_exit = held.stories.asked_for(ExitCause.CULLED)
            await self._finish(held.shut_down(last_exit, is_due=is_due))

    def external(self) -> dict[FoundKernel, str]:
        """Return the ids of the kernels that others have started."""
        kernels = self._kernels.items()
        return {held.found: id_ for id_, held in kernels if isinstance(held, ExternalKernel)}

    async def take_in(self, found: FoundKernel) -> str:
        """Connect to a kernel that others have started, and return the id it is given.

        Raises:
            ResourceExhausted: with reason `NO_CAPACITY`, or if it cannot be noted.
            FailedPrecondition: if the kernel signs its messages in an unknown way.
            Unavailable: if the runner is about to stop.
        """
        return await self._finish(self._take_in(found))

    async def lose(self, kernel_id: str) -> None:
        """Tell everyone that a kernel of others cannot be reached any more."""
        if isinstance(held := self._kernels.get(kernel_id), ExternalKernel):
            await self._finish(held.lose())

    def kernelspecs(self) -> Sequence[Kernelspec]:
        """Return the kernelspecs that can be started here, in order of their names."""
        return self._ports.kernelspecs.all()

    def read_resource(self, name: str, resource: str) -> AsyncIterator[bytes]:
        """Read a file of a kernelspec; see `Kernelspecs.read_resource`."""
        return self._ports.kernelspecs.read_resource(name, resource)

    def is_empty(self) -> bool:
        """Return whether no kernel is here but those that others have started."""
        return all(isinstance(held, ExternalKernel) for held in self._kernels.values())

    async def drain(self, drain: Drain) -> None:
        """End all kernels that are left, since the runner leaves."""
        cause, held = ExitCause.RUNNER_DRAINED, list(self._kernels.values())
        ends = [one.stories.asked_for(cause, drain.requested_by, drain.reason) for one in held]
        ending = (one.shut_down(end) for one, end in zip(held, ends, strict=True))
        await asyncio.gather(*map(self._finish, ending), return_exceptions=True)

    async def close(self, *, keep: bool, polite_s: float) -> None:
        """End all kernels, or let go of them for the next runner, within some seconds."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        held = list(self._kernels.values())
        if keep:
            ending = [one.release() for one in held]
        else:
            stopped = ExitCause.RUNNER_STOPPED
            ending = [one.shut_down(one.stories.asked_for(stopped), polite_s) for one in held]
        try:
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.gather(*ending, return_exceptions=True)
                await asyncio.gather(*self._tasks, return_exceptions=True)
        except TimeoutError:
            log.warning("kernels not closed in time")

    def relay_changed(self, kernel_id: str) -> None:
        """Hear from a relay that something in its kernel has changed."""
        if kernel_id in self._kernels:
            self._feed.kernel_changed(kernel_id)

    async def _launch(self, request: LaunchRequest) -> tuple[Kernel, bool]:
        kernel_id = request.kernel_id
        if held := self._kernels.get(kernel_id):
            try:
                created = await held.launch()
                return held.view(), created
            except NotFound:
                log.info("kernel launched anew while it ended", kernel_id=kernel_id)
        spec = await self._ports.kernelspecs.get(request.kernelspec_name)
        if kernel_id in self._kernels:
            return await self._launch(request)
        self._require_room()
        record = records.of_launch(request, spec, self._ports.state, self._clock())
        held = self._hold(record)
        created = await held.launch()
        return held.view(), created

    async def _take_in(self, found: FoundKernel) -> str:
        self._require_room()
        kernel_id = str(uuid.uuid4())
        self._ports.state.make_place(kernel_id)
        record = records.of_found(found, kernel_id, self._clock())
        await self._hold(record).launch()
        return kernel_id

    def _require_room(self) -> None:
        if self._closing:
            raise Unavailable("the runner is about to stop")
        if self._draining:
            self._draining.require_open()
        if len(self._kernels) >= self._capacity:
            raise ResourceExhausted("the runner has no room", reason="NO_CAPACITY")

    def _hold(self, record: KernelRecord) -> HeldKernel[R]:
        kernel_id, state = record.kernel_id, self._ports.state
        kind = ExternalKernel[R] if record.external else HeldKernel[R]
        held = self._kernels[kernel_id] = kind(
            record,
            self._ports.make_relay(kernel_id, self, state.notes(kernel_id), state.spool(kernel_id)),
            launcher=self._ports.launcher,
            state=state,
            policy=self._policy,
            clock=self._clock,
            revision=self.revision,
            changed=lambda: self._feed.kernel_changed(kernel_id),
            gone=lambda: self._let_go(kernel_id),
        )
        return held

    def _let_go(self, kernel_id: str) -> None:
        held = self._kernels.pop(kernel_id)
        self._feed.kernel_gone(held.view())
        # Its clients may still take what they have not got; nobody waits for that.
        self._own(held.relay.end())
        log.info("kernel gone", kernel_id=kernel_id)

    def _held(self, kernel_id: str) -> HeldKernel[R]:
        held = self._kernels.get(kernel_id)
        if held is None:
            raise no_such_kernel(kernel_id)
        return held

    async def _finish(self, operation: Coroutine[None, None, T]) -> T:
        return await asyncio.shield(self._own(operation))

    def _own(self, operation: Coroutine[None, None, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(operation)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
