"""Sessions as those who watch are told of them, and what is done so that they are right."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from perijove_chassis.errors import Unavailable
from perijove_chassis.watching import Delta, Position, Snapshot

if TYPE_CHECKING:
    from perijove_chassis.watching import Watching

    from perijove_sessions.model import Session
    from perijove_sessions.reconciling import Reconciler
    from perijove_sessions.store import Listing, SessionStore

log = structlog.get_logger()

BETWEEN_S = 3.0
"""Seconds from one look at everything to the next."""


class StoredSessions:
    """The source of what is watched: sessions as they are written, whatever their kernels do."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    async def snapshot(self) -> Snapshot[Session]:
        """Return all sessions."""
        return _snapshot(await self._store.list())

    async def changes(self, since: Position) -> Delta[Session] | None:
        """Return the sessions that have changed, or None if that is not known any more."""
        return await self._store.changes(since)

    async def arrival(self, since: Position, within_s: float) -> None:
        """Return when something has changed since, or the time is up."""
        await self._store.arrival(since, within_s)


class Tending:
    """Looks at all sessions every few seconds: those who watch do not list any more.

    A list repairs on the way what does not fit; so does this.
    """

    def __init__(
        self, reconciler: Reconciler, watching: Watching[Session], between_s: float = BETWEEN_S
    ) -> None:
        self._reconciler = reconciler
        self._watching = watching
        self._between_s = between_s

    async def run(self) -> None:
        """Look after the sessions to the end; then all who watch are sent elsewhere."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watching.run())
            reachable = True
            while True:
                was, reachable = reachable, await self._tend()
                if was != reachable:
                    log.warning("sessions are back" if reachable else "sessions unreachable")
                await asyncio.sleep(self._between_s if reachable else self._between_s / 10)

    async def _tend(self) -> bool:
        """Return whether the sessions could be read."""
        try:
            listing = await self._reconciler.tend()
        except Unavailable:
            self._watching.lose_sight()
            return False
        self._watching.take(_snapshot(listing))
        return True


def _snapshot(listing: Listing) -> Snapshot[Session]:
    return Snapshot(listing.sessions, listing.position)
