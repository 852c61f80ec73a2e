"""Sessions in memory: for one replica, and as the measure of those in Redis."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from perijove_chassis.errors import Aborted, AlreadyExists
from perijove_chassis.memory_feed import MemoryFeed
from perijove_chassis.watching import Delta

from perijove_sessions.store import HOLD_S, Listing

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_chassis.watching import Position

    from perijove_sessions.model import Claim, Session


class MemorySessionStore:
    """A `SessionStore` that ends with its process."""

    def __init__(self, hold_s: float = HOLD_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._hold_s = hold_s
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._claims: dict[str, tuple[float, Claim]] = {}
        self._leftovers: dict[str, float] = {}
        self._feed = MemoryFeed()

    async def claim(self, wanted: Claim) -> Session | Claim:
        """Return the session of a path; or the claim that now stands, ours or another's."""
        path = wanted.session.path
        if session := await self.at_path(path):
            return session
        if standing := self._standing(path):
            return standing
        expires = self._clock() + self._hold_s
        self._claims[path] = (expires, wanted)
        if wanted.fresh:
            self._leftovers[wanted.session.kernel_id] = expires
        return wanted

    async def commit(self, claim: Claim) -> tuple[Session | None, bool]:
        """Make a claim's session, if its path is still free for it."""
        mine = claim.session
        session = await self.at_path(mine.path)
        standing = self._standing(mine.path)
        if session and session.session_id != mine.session_id:
            return session, False
        if not session and standing and standing.session.session_id != mine.session_id:
            return None, False
        if not session and self._is_left_over(mine.kernel_id):
            return None, False
        if mine.session_id not in self._sessions:
            self._write(mine)
        self._claims.pop(mine.path, None)
        self._leftovers.pop(mine.kernel_id, None)
        return self._sessions[mine.session_id], bool(standing) or not session

    async def withdraw(self, claim: Claim) -> None:
        """Give a path up again, if this claim stands."""
        standing = self._standing(claim.session.path)
        if standing and standing.session.session_id == claim.session.session_id:
            del self._claims[claim.session.path]

    async def adopt(self, session: Session) -> tuple[Session | None, bool]:
        """Put back a session, unless its path is taken; return it, and if it was."""
        if known := self._sessions.get(session.session_id):
            return known, False
        if await self.at_path(session.path) or self._is_left_over(session.kernel_id):
            return None, False
        standing = self._standing(session.path)
        if standing and standing.session.session_id != session.session_id:
            return None, False
        self._write(session)
        return session, True

    async def get(self, session_id: str) -> Session | None:
        """Return a session."""
        return self._sessions.get(session_id)

    async def at_path(self, path: str) -> Session | None:
        """Return the session of a path."""
        return next((s for s in self._sessions.values() if s.path == path), None)

    async def list(self) -> Listing:
        """Return all sessions."""
        now = self._clock()
        self._claims = {path: held for path, held in self._claims.items() if held[0] >= now}
        due = [kernel for kernel, at in self._leftovers.items() if at <= now]
        return Listing(dict(self._sessions), tuple(due), self._feed.position)

    async def changes(self, since: Position) -> Delta[Session] | None:
        """Return which sessions have changed; None if that is not known any more."""
        keys = self._feed.since(since)
        if keys is None:
            return None
        held = {key: self._sessions[key] for key in keys if key in self._sessions}
        return Delta(held, keys - held.keys(), self._feed.position)

    async def arrival(self, since: Position, within_s: float) -> None:
        """Return when something has changed since, or the time is up."""
        await self._feed.arrival(since, within_s)

    async def replace(self, before: Session, after: Session) -> None:
        """Put a session in place of what it was; a kernel it gives up is a leftover at once."""
        known = self._sessions.get(before.session_id)
        if known == after:
            return
        if known != before:
            raise Aborted(f"session {before.session_id} has changed")
        moved = before.path != after.path
        if moved and (await self.at_path(after.path) or self._standing(after.path)):
            raise AlreadyExists(f"a session already has the path {after.path!r}")
        self._write(after)
        if before.kernel_id != after.kernel_id:
            self._leftovers[before.kernel_id] = self._clock()
            self._leftovers.pop(after.kernel_id, None)

    async def delete(self, session_id: str, kernel_id: str) -> None:
        """Forget a session, unless it has another kernel by now."""
        session = self._sessions.get(session_id)
        if session and session.kernel_id == kernel_id:
            del self._sessions[session_id]
            self._feed.note(session_id)

    async def leave(self, kernel_id: str) -> None:
        """Note a kernel that is about to be started as a leftover, for later."""
        self._leftovers[kernel_id] = self._clock() + self._hold_s

    async def condemn(self, kernel_id: str) -> bool:
        """Note a kernel as a leftover at once, unless a session has it; return if it was."""
        if any(session.kernel_id == kernel_id for session in self._sessions.values()):
            return False
        self._leftovers[kernel_id] = self._clock()
        return True

    async def settle(self, kernel_id: str) -> None:
        """Note that a kernel is no leftover any more."""
        self._leftovers.pop(kernel_id, None)

    def _is_left_over(self, kernel_id: str) -> bool:
        return self._leftovers.get(kernel_id, float("inf")) <= self._clock()

    def _write(self, session: Session) -> None:
        self._sessions[session.session_id] = session
        self._feed.note(session.session_id)

    def _standing(self, path: str) -> Claim | None:
        expires, claim = self._claims.get(path, (0.0, None))
        return claim if expires >= self._clock() else None
