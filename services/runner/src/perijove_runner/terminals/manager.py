"""The terminals of a runner: started, found again, looked up, and ended."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from typing import TYPE_CHECKING, Final, TypeVar

import structlog
from perijove_chassis.errors import DomainError, ResourceExhausted, Unavailable

from perijove_runner.terminals.held import HeldTerminal
from perijove_runner.terminals.model import EndCause, TerminalRecord, no_such_terminal

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from perijove_runner.draining import Draining
    from perijove_runner.terminals.clients import TerminalClient
    from perijove_runner.terminals.model import Launch, Resume, Size, Terminal
    from perijove_runner.terminals.settings import TerminalSettings
    from perijove_runner.terminals.store import Pty, TerminalHost

T = TypeVar("T")
log = structlog.get_logger()

_USUAL_INTERVAL_S: Final = 300.0
_LINGER_S: Final = 30.0
"""Seconds in which a client that comes back to an ended terminal is told how it ended."""
_MOST_ENDED: Final = 64
_CLOSE_S: Final = 5.0


class TerminalManager:
    """Holds the terminals of this runner.

    What is begun is finished, also when the caller goes away meanwhile.
    """

    def __init__(
        self, host: TerminalHost, settings: TerminalSettings, draining: Draining | None = None
    ) -> None:
        self._draining = draining
        self._host = host
        self._settings = settings
        self._held: dict[str, HeldTerminal] = {}
        self._ended: dict[str, tuple[HeldTerminal, float]] = {}
        self._starting = asyncio.Lock()
        self._tasks: set[asyncio.Task[object]] = set()
        self._closing = False

    async def adopt(self) -> None:
        """Take up the terminals that an earlier runner of this state left."""
        for record, pty in await self._host.adopt():
            self._hold(record, pty)
            log.info("terminal adopted", name=record.name)

    async def create(self, launch: Launch) -> tuple[Terminal, bool]:
        """Start a terminal, unless one has the name; return it, and whether it is new.

        Raises:
            FailedPrecondition: with reason `TERMINAL_START_FAILED`.
            ResourceExhausted: with reason `NO_CAPACITY`.
            Unavailable: if the runner is about to stop.
        """
        return await self._finish(self._create(launch))

    def all(self) -> list[Terminal]:
        """Return all terminals in order of their start."""
        return [held.view() for held in self._held.values()]

    def get(self, name: str) -> Terminal:
        """Return a terminal.

        Raises:
            NotFound: with reason `NO_SUCH_TERMINAL`.
        """
        return self._find(name).view()

    async def delete(self, name: str) -> None:
        """End a terminal; return once it is gone.

        Raises:
            NotFound: with reason `NO_SUCH_TERMINAL`.
        """
        await self._finish(self._find(name).end(EndCause.DELETED))

    def attach(
        self, name: str, client_id: str, resume: Resume | None, size: Size | None
    ) -> tuple[Terminal, TerminalClient, bool]:
        """Attach a client to a terminal, or to one of the name that has just ended.

        Returns:
            The terminal, the client, and whether it continues where it left off.

        Raises:
            NotFound: with reason `NO_SUCH_TERMINAL`.
        """
        held = self._held.get(name) or self._lately(name, resume)
        client = held.attach(client_id, resume, size)
        return held.view(), client, resume is not None and held.is_resumed_by(resume)

    async def run(self) -> None:
        """End terminals in which nothing happens, until cancelled."""
        timeout_s, interval_s = (
            self._settings.cull_inactive_timeout_s,
            self._settings.cull_interval_s,
        )
        if interval_s <= 0:
            log.warning("no such interval", cull_interval_s=interval_s, used=_USUAL_INTERVAL_S)
            interval_s = _USUAL_INTERVAL_S
        while True:
            await asyncio.sleep(interval_s)
            if timeout_s > 0:
                await self.cull(time.time() - timeout_s)

    async def cull(self, before: float) -> None:
        """End the terminals in which nothing happened since some time."""
        for held in list(self._held.values()):
            if held.last_activity_time < before:
                log.info("terminal culled", name=held.record.name)
                await self._finish(held.end(EndCause.CULLED))

    async def close(self, *, keep: bool) -> None:
        """End all terminals, or let go of them for the next runner."""
        self._closing = True
        held = list(self._held.values())
        if keep:
            ending = [one.release() for one in held]
        else:
            ending = [one.end(EndCause.RUNNER_STOPPED) for one in held]
        try:
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.gather(*ending, return_exceptions=True)
                await asyncio.gather(*self._tasks, return_exceptions=True)
        except TimeoutError:
            log.warning("terminals not closed in time")

    async def _create(self, launch: Launch) -> tuple[Terminal, bool]:
        async with self._starting:
            if found := self._held.get(launch.name):
                return found.view(), False
            if self._closing:
                raise Unavailable("the runner is about to stop")
            if self._draining and self._draining.drain:
                # As one that is full: another runner is asked then.
                raise ResourceExhausted("the runner is being drained", reason="NO_CAPACITY")
            if len(self._held) >= self._settings.most:
                raise ResourceExhausted(
                    "the runner has no room for terminals", reason="NO_CAPACITY"
                )
            name = launch.name or self._free_name()
            record = TerminalRecord(name, str(uuid.uuid4()), time.time())
            try:
                held = self._hold(record, await self._host.launch(record, launch))
            except DomainError as error:
                log.warning("terminal not started", name=name, why=str(error))
                raise
            log.info("terminal started", name=name)
            return held.view(), True

    def _hold(self, record: TerminalRecord, pty: Pty) -> HeldTerminal:
        held = HeldTerminal(record, pty, self._settings.kept_bytes, self._let_go)
        self._held[record.name] = held
        return held

    def _let_go(self, held: HeldTerminal) -> None:
        name, now = held.record.name, asyncio.get_running_loop().time()
        if self._held.get(name) is held:
            # Else it had ended before, and an earlier runner did not live to forget it.
            del self._held[name]
        self._ended[name] = (held, now + _LINGER_S)
        if len(self._ended) > _MOST_ENDED:
            del self._ended[next(iter(self._ended))]
        self._own(held.removed())
        asyncio.get_running_loop().call_later(_LINGER_S, self._forget_ended)
        log.info("terminal gone", name=name, how=held.ended and held.ended.message)

    def _forget_ended(self) -> None:
        now = asyncio.get_running_loop().time()
        self._ended = {name: one for name, one in self._ended.items() if one[1] > now}

    def _lately(self, name: str, resume: Resume | None) -> HeldTerminal:
        held, _ = self._ended.get(name, (None, 0.0))
        if held is None or resume is None or not held.is_resumed_by(resume):
            raise no_such_terminal(name)
        return held

    def _find(self, name: str) -> HeldTerminal:
        held = self._held.get(name)
        if held is None:
            raise no_such_terminal(name)
        return held

    def _free_name(self) -> str:
        return next(name for name in map(str, itertools.count(1)) if name not in self._held)

    async def _finish(self, operation: Coroutine[None, None, T]) -> T:
        return await asyncio.shield(self._own(operation))

    def _own(self, operation: Coroutine[None, None, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(operation)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
