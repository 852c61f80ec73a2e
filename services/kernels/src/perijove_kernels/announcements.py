"""The rules for runners that make themselves known, stay, fall silent and return."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog
from perijove_chassis.errors import (
    Aborted,
    DomainError,
    InvalidArgument,
    PermissionDenied,
    Unavailable,
)

from perijove_kernels.model import Changes, Hello, Runner
from perijove_kernels.watching import shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from perijove_chassis.watching import Watching

    from perijove_kernels.last_known import LastKnown
    from perijove_kernels.model import Kernel
    from perijove_kernels.store import KernelStore, Limits, Runners

log = structlog.get_logger()

_MOST_S_BETWEEN_SWEEPS = 1.0


class RunnerManager:
    """Keeps the registry in step with what runners announce."""

    def __init__(
        self,
        store: KernelStore,
        runners: Runners,
        last_known: LastKnown,
        watching: Watching[Kernel],
        limits: Limits,
        observe: Callable[[Hello], Callable[[Changes], None]] | None = None,
    ) -> None:
        """Take what the rules need.

        Args:
            store: Where the registry is kept.
            runners: How runners are asked.
            last_known: What was last read of the registry.
            watching: Who is told what changes.
            limits: After how long a silent runner is given up.
            observe: Is given the state of each runner that comes, and returns what is
                given its changes.
        """
        self._observe = observe or (lambda _: lambda _: None)
        self._store = store
        self._runners = runners
        self._last_known = last_known
        self._watching = watching
        self._limits = limits
        self._waits: set[asyncio.Timeout] = set()
        self._closing = False
        self._ending: dict[str, asyncio.Task[None]] = {}
        """Shutdowns of strays under way, by kernel."""

    async def announce(
        self,
        caller: str,
        messages: AsyncIterator[Hello | Changes],
        registered: Callable[[float], Awaitable[None]],
    ) -> None:
        """Follow a runner until it ends its stream.

        Args:
            caller: Id of the runner that the credential stands for.
            messages: Its state first, then every change.
            registered: Told the seconds of silence it may keep, once it is known.

        Raises:
            PermissionDenied: if it speaks for another runner.
            InvalidArgument: if it does not begin with its state, or does so twice.
            Aborted: if it was silent for too long, or must begin anew.
            Unavailable: if the registry cannot be reached: it should try again,
                here or at another replica.
        """
        hello = await self._next(messages)
        if not isinstance(hello, Hello):
            raise InvalidArgument("an announcement begins with hello")
        runner = hello.runner
        if caller != runner.runner_id:
            raise PermissionDenied("a runner speaks for itself only", reason="NOT_ALLOWED")
        stream_id = uuid.uuid4().hex
        self._end_strays(runner, await self._store.register(hello, stream_id))
        log.info("runner registered", runner_id=caller, kernels=len(hello.kernels))
        await registered(self._limits.lost_after_s)
        observe = self._observe(hello)
        while (changes := await self._next(messages)) is not None:
            if isinstance(changes, Hello):
                raise InvalidArgument("hello comes once")
            if changes.leaves:
                await self._store.leave(caller, stream_id)
                break
            self._end_strays(runner, await self._store.apply(runner, stream_id, changes))
            observe(changes)
        log.info("runner left", runner_id=caller)

    async def run(self) -> None:
        """Forget runners that stay away, and keep what is known fresh; to the end.

        When it is cancelled, the runners and all who watch are sent to other replicas.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watching.run())
            await self._sweep_for_ever()

    async def _sweep_for_ever(self) -> None:
        between = min(self._limits.lost_after_s / 5, _MOST_S_BETWEEN_SWEEPS)
        try:
            reachable = True
            while True:
                was, reachable = reachable, await self._refresh()
                if was != reachable:
                    log.warning("registry is back" if reachable else "registry unreachable")
                await asyncio.sleep(between)
        finally:
            self._closing = True
            now = asyncio.get_running_loop().time()
            for wait in self._waits:
                with suppress(RuntimeError):  # it has run out just now
                    wait.reschedule(now)
            for task in self._ending.values():
                task.cancel()

    async def _refresh(self) -> bool:
        """Sweep and read the registry; return whether it could be reached."""
        try:
            await self._store.sweep()
            registry = await self._store.registry()
        except Unavailable:
            self._watching.lose_sight()
            return False
        self._last_known.remember(registry)
        self._watching.take(shown(registry))
        return True

    async def _next(self, messages: AsyncIterator[Hello | Changes]) -> Hello | Changes | None:
        wait = asyncio.timeout(0 if self._closing else self._limits.lost_after_s)
        try:
            async with wait:
                self._waits.add(wait)
                return await anext(messages, None)
        except TimeoutError:
            if self._closing:
                raise Unavailable("this replica is going away") from None
            raise Aborted("the runner was silent for too long") from None
        finally:
            self._waits.discard(wait)

    def _end_strays(self, runner: Runner, kernel_ids: Iterable[str]) -> None:
        """Shut down kernels the runner should not have, beside its stream."""
        for kernel_id in kernel_ids:
            if kernel_id not in self._ending:
                log.warning("stray kernel", kernel_id=kernel_id, runner_id=runner.runner_id)
                task = asyncio.create_task(self._end_stray(runner, kernel_id))
                self._ending[kernel_id] = task

    async def _end_stray(self, runner: Runner, kernel_id: str) -> None:
        try:
            await self._runners.shutdown(runner, kernel_id, "")
        except DomainError as error:
            # It is announced again with the next hello, and then tried again.
            log.warning("stray kernel not ended", kernel_id=kernel_id, error=str(error))
        finally:
            del self._ending[kernel_id]
