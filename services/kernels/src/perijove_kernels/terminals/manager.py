"""The rules for terminals: where they go, and who is asked for them."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog
from perijove_chassis.errors import (
    Aborted,
    DeadlineExceeded,
    DomainError,
    NotFound,
    ResourceExhausted,
    Unavailable,
)
from perijove_chassis.paging import page

from perijove_kernels.model import Runner
from perijove_kernels.terminals.model import no_such_terminal

if TYPE_CHECKING:
    from perijove_kernels.terminals.model import Launch, Terminal
    from perijove_kernels.terminals.store import TerminalNames, TerminalRunners

log = structlog.get_logger()

_TRIES: Final = 50
_PAUSE_S: Final = 0.05
_REMEMBERED: Final = 1000


class TerminalManager:
    """Starts, finds and ends terminals, wherever they are."""

    def __init__(self, names: TerminalNames, runners: TerminalRunners) -> None:
        self._names = names
        self._runners = runners
        self._last_known: tuple[Runner, ...] | None = None
        self._where: dict[str, Runner] = {}
        """Where terminals were found last; it is asked first, and need not be right."""

    async def create(self, launch: Launch) -> tuple[Terminal, bool]:
        """Start a terminal where there are fewest, unless one has the name.

        Returns:
            The terminal, and whether this call started it.

        Raises:
            FailedPrecondition: `TERMINAL_START_FAILED`.
            ResourceExhausted: `NO_CAPACITY`.
            Unavailable: if the store, or one of the runners, cannot be reached.
            Aborted: if the name is being given to another one.
        """
        for _ in range(_TRIES):
            view = await self._names.look()
            self._last_known = view.runners
            if not view.runners:
                raise Unavailable("no runner can be reached", reason="RUNNER_UNREACHABLE")
            held = await self._held(view.runners)
            used = {terminal.name: terminal for found in held.values() for terminal in found}
            if launch.name in used:
                return used[launch.name], False
            name = await self._names.take(view.turn, used, launch.name)
            if name is not None:
                # Those that are asked at the same time should not all choose the same one.
                shuffled = random.sample(view.runners, len(view.runners))
                by_load = sorted(shuffled, key=lambda runner: len(held[runner.runner_id]))
                terminal, created = await self._start(by_load, replace(launch, name=name))
                if created or launch.name:
                    return terminal, created
            await asyncio.sleep(_PAUSE_S)
        raise Aborted("the name is being given to another terminal", reason="ID_IN_USE")

    async def get(self, name: str) -> Terminal:
        """Return a terminal.

        Raises:
            NotFound: `NO_SUCH_TERMINAL`.
            Unavailable: if a runner that may have it cannot be reached.
        """
        if runner := self._where.get(name):
            try:
                return await self._runners.get(runner, name)
            except NotFound:
                self._where.pop(name, None)
        found = await asyncio.gather(*(self._look_for(one, name) for one in await self._living()))
        terminals = [terminal for terminal in found if terminal]
        if not terminals:
            raise no_such_terminal(name)
        return min(terminals, key=_start_order)

    async def all(self, page_size: int, page_token: str) -> tuple[list[Terminal], str]:
        """Return terminals in order of their start, and the token of the next page.

        Raises:
            InvalidArgument: if there can be no such page.
            Unavailable: if one of the runners cannot be reached: a terminal that is
                missing in a list is taken for gone.
        """
        held = await self._held(await self._living())
        everything = [terminal for found in held.values() for terminal in found]
        return page(everything, _start_order, page_size, page_token)

    async def delete(self, name: str) -> None:
        """End a terminal.

        Raises:
            NotFound: `NO_SUCH_TERMINAL`.
        """
        terminal = await self.get(name)
        await self._runners.delete(_runner_of(terminal), name)
        self._where.pop(name, None)
        log.info("terminal deleted", name=name, runner_id=terminal.runner_id)

    async def _start(self, runners: list[Runner], launch: Launch) -> tuple[Terminal, bool]:
        """Start a terminal on the first runner that has room."""
        full: DomainError | None = None
        for runner in runners:
            try:
                terminal, created = await self._runners.create(runner, launch)
            except (Unavailable, DeadlineExceeded):
                # It may be started all the same: nobody else gets the name for a while.
                raise
            except ResourceExhausted as error:
                full = error
            except DomainError:
                await self._release(launch.name)
                raise
            else:
                await self._release(launch.name)
                self._remember(terminal)
                log.info("terminal started", name=launch.name, runner_id=runner.runner_id)
                return terminal, created
        await self._release(launch.name)
        raise full or Unavailable("no runner can be reached", reason="RUNNER_UNREACHABLE")

    async def _release(self, name: str) -> None:
        try:
            await self._names.release(name)
        except Unavailable:
            log.warning("name not released", name=name)

    async def _living(self) -> tuple[Runner, ...]:
        try:
            self._last_known = (await self._names.look()).runners
        except Unavailable:
            # Terminals do not notice that the store is away, nor should who looks for one.
            if self._last_known is None:
                raise
        return self._last_known

    async def _held(self, runners: tuple[Runner, ...]) -> dict[str, list[Terminal]]:
        found = await asyncio.gather(*(self._runners.all(runner) for runner in runners))
        return {runner.runner_id: held for runner, held in zip(runners, found, strict=True)}

    async def _look_for(self, runner: Runner, name: str) -> Terminal | None:
        try:
            terminal = await self._runners.get(runner, name)
        except NotFound:
            return None
        self._remember(terminal)
        return terminal

    def _remember(self, terminal: Terminal) -> None:
        self._where[terminal.name] = _runner_of(terminal)
        if len(self._where) > _REMEMBERED:
            del self._where[next(iter(self._where))]


def _start_order(terminal: Terminal) -> str:
    return f"{terminal.create_time.isoformat(timespec='microseconds')} {terminal.terminal_id}"


def _runner_of(terminal: Terminal) -> Runner:
    return Runner(terminal.runner_id, terminal.runner_address, capacity=0)
