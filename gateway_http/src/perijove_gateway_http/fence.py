"""Who changed or saw something through this edge is not shown what was before.

A mirror is an instant behind. So after every request that may have changed
something, or has read it from a service, the services are asked, until the mirror
has reached what they said.
"""

from __future__ import annotations

import functools
from contextlib import contextmanager
from typing import TYPE_CHECKING

from perijove_gateway_http.keys import LISTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import web
    from perijove_chassis.watching import Position

    from perijove_gateway_http.routing import Handler


class Changes:
    """Counts the requests that may change kernels or sessions, or know of a change."""

    def __init__(self) -> None:
        self._under_way = 0
        self._ended = 0

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Mark a change, however it ends: one that fails may have been made."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._ended += 1

    @property
    def settled(self) -> int | None:
        """How many have ended; None while one is under way."""
        return None if self._under_way else self._ended


class Fence:
    """Says whether a mirror shows every change that was made through this edge."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._settled: int | None = 0
        self._position: Position | None = None

    def passed(self, position: Position | None) -> bool:
        """Return whether what is known as of a position shows every change."""
        settled = self._changes.settled
        if settled is None or settled != self._settled:
            return False
        return self._position is None or (position is not None and position.reaches(self._position))

    def answered(self, settled: int | None, position: Position | None, *, in_step: bool) -> None:
        """Note an answer of the services.

        Args:
            settled: `Changes.settled` as it was before they were asked.
            position: What was written up to here is in the answer, if that is known.
            in_step: Whether the mirror was. If not, it is to show no less than the
                answer: nobody sees the time run backwards.
        """
        if settled is None or settled != self._changes.settled or position is None:
            return
        needed = self._position
        if settled != self._settled or not in_step or not (needed and position.reaches(needed)):
            self._settled, self._position = settled, position


def fenced(handler: Handler) -> Handler:
    """Return a handler after which no list shows less than its answer does.

    For requests that change kernels or sessions, and for those that read one.
    """

    @functools.wraps(handler)
    async def marked(request: web.Request) -> web.StreamResponse:
        with request.app[LISTS].changes.under_way():
            return await handler(request)

    return marked
