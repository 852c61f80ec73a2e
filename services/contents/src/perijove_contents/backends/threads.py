"""Blocking work beside the event loop, in a bounded number of threads."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from perijove_chassis.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

MAX_WAITING = 1000
"""How many calls may wait for a thread; more are turned away."""


class Threads:
    """Runs functions in a few threads."""

    def __init__(self, workers: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._most = workers + MAX_WAITING
        self._running = 0

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a function returns.

        A function that has begun cannot be stopped: when the caller is
        cancelled, this still ends after the function has, so that what it works
        on can be tidied up safely. One that has not begun never does.

        Raises:
            Unavailable: if too many calls wait already.
        """
        if self._running >= self._most:
            raise Unavailable("the storage is too busy")
        context = contextvars.copy_context()
        self._running += 1
        try:
            return await _to_the_end(
                self._pool.submit(lambda: context.run(function, *args, **kwargs))
            )
        finally:
            self._running -= 1

    def close(self) -> None:
        """End the threads when they are done."""
        self._pool.shutdown(wait=False)


async def _to_the_end(work: Future[T]) -> T:
    future = asyncio.wrap_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait((future,))
        except asyncio.CancelledError as error:
            if work.cancel():
                # It had not begun, and now never will.
                raise
            cancelled = error
    if cancelled:
        # Looked at, so that it is not reported as forgotten.
        future.exception()
        raise cancelled
    return future.result()
