"""One question for all who ask it at the same time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


class Shared(Generic[T]):
    """Asks once for all who came before the question was put.

    So nobody gets an answer that is older than his own request, and what he did
    before it shows. At most one question is under way; those who come meanwhile
    share the next one. Whoever goes away leaves the question to the others; it
    ends by its own deadline.
    """

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        """Take the question; it is put when somebody comes."""
        self._ask = ask
        self._current: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """Return an answer to the question as put from now on; raises what `ask` does."""
        if self._next is None:
            self._next = asyncio.ensure_future(self._put(self._current))
            self._next.add_done_callback(_looked_at)
        return await asyncio.shield(self._next)

    async def _put(self, before: asyncio.Task[T] | None) -> T:
        if before and not before.done():
            await asyncio.wait((before,))
        self._current, self._next = self._next, None
        return await self._ask()


def _looked_at(task: asyncio.Task[T]) -> None:
    # All who waited for it may be gone.
    if not task.cancelled():
        task.exception()
