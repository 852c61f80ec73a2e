"""Blocking work beside the event loop, in a bounded number of threads."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from perijove_chassis.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

MAX_WAITING = 1000
"""How many calls may wait for a thread; more are turned away."""


class Threads:
    """Runs functions in a few threads, for one event loop at a time.

    The executors of the standard library do as much, for twice the time: their
    futures are for threads that wait, and here only the event loop does.
    """

    def __init__(self, workers: int, name: str) -> None:
        """Prepare threads; each is started when it is needed first.

        Args:
            workers: How many there may be.
            name: What to call them.
        """
        self._workers = workers
        self._name = name
        self._started = 0
        self._running = 0
        self._waiting: SimpleQueue[_Work[Any] | _Aside | None] = SimpleQueue()

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a function returns.

        A function that has begun cannot be stopped: when the caller is
        cancelled, this still ends after the function has, so that what it works
        on can be tidied up safely. One that has not begun never does.

        Raises:
            Unavailable: if too many calls wait already.
        """
        if self._running >= self._workers + MAX_WAITING:
            raise Unavailable("the storage is too busy")
        self._running += 1
        try:
            self._start_if_needed()
            work = _Work(partial(function, *args, **kwargs))
            self._waiting.put(work)
            return await work.result()
        finally:
            self._running -= 1

    def begin(self, function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Have a function called by the next thread that is free, for a function of theirs.

        What it raises is told to nobody.
        """
        self._waiting.put(_Aside(partial(function, *args, **kwargs)))

    def close(self) -> None:
        """End the threads when they are done."""
        for _ in range(self._started):
            self._waiting.put(None)

    def _start_if_needed(self) -> None:
        if self._started < min(self._running, self._workers):
            self._started += 1
            name = f"{self._name}-{self._started}"
            # None of them holds up the end of the process: that may come at any moment.
            threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        while work := self._waiting.get():
            work.do()
            # Not kept until there is more to do: it may hold a lot.
            del work


class _Aside:
    """One call of a function that nobody waits for."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function

    def do(self) -> None:
        """Call the function. For a thread."""
        with suppress(Exception):
            self._function()


class _Outcome(Generic[T]):
    """What came of a call: a value unless there is an error."""

    value: T
    error: BaseException | None = None


class _Work(Generic[T]):
    """One call of a function, between the event loop and a thread."""

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._context = contextvars.copy_context()
        self._loop = asyncio.get_running_loop()
        self._begun = threading.Lock()
        self._outcome: _Outcome[T] | None = None
        self._told: asyncio.Future[None] = self._loop.create_future()

    def do(self) -> None:
        """Call the function, unless nobody wants it any more. For a thread."""
        if not self._begun.acquire(blocking=False):
            return
        outcome = _Outcome[T]()
        try:
            outcome.value = self._context.run(self._function)
        except BaseException as error:  # noqa: BLE001 - it is the caller's
            outcome.error = error
        # The loop may have ended meanwhile, and with it whoever waited.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._tell, outcome)

    async def result(self) -> T:
        """Return what the function returned; if cancelled, when it has ended or never begins."""
        cancelled: asyncio.CancelledError | None = None
        while self._outcome is None:
            try:
                await self._told
            except asyncio.CancelledError as error:
                if self._begun.acquire(blocking=False):
                    raise
                cancelled = error
                self._told = self._loop.create_future()
        if cancelled:
            raise cancelled
        if self._outcome.error:
            raise self._outcome.error
        return self._outcome.value

    def _tell(self, outcome: _Outcome[T]) -> None:
        self._outcome = outcome
        if not self._told.done():
            self._told.set_result(None)
