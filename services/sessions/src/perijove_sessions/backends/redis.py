"""Sessions in Redis: one script per change, one round trip per read."""

from __future__ import annotations

import importlib.resources
from typing import TYPE_CHECKING

import msgspec
from perijove_chassis.errors import Aborted, AlreadyExists
from perijove_chassis.redis_commands import Commands
from perijove_chassis.watching import Delta, Position

from perijove_sessions.model import Claim, Session
from perijove_sessions.store import HOLD_S, Listing

if TYPE_CHECKING:
    from collections.abc import Iterable

_KEYS = [f"{{s}}:{name}" for name in ("rows", "paths", "claims", "leftovers", "meta", "feed")]

_session = msgspec.json.Decoder(Session)
_claim = msgspec.json.Decoder(Claim)


class RedisSessionStore:
    """A `SessionStore` in Redis 6.2 or later. What is where: `scripts/prelude.lua`."""

    def __init__(self, url: str, hold_s: float = HOLD_S) -> None:
        scripts = importlib.resources.files("perijove_sessions.backends") / "scripts"
        self._commands = Commands(url, scripts, _KEYS)
        self._hold_s = hold_s

    async def close(self) -> None:
        """Close the connections."""
        await self._commands.close()

    async def claim(self, wanted: Claim) -> Session | Claim:
        """Return the session of a path; or the claim that now stands, ours or another's."""
        session = wanted.session
        kind, text = await self._commands.script(
            "claim",
            session.path,
            session.session_id,
            _text(wanted),
            self._hold_s,
            session.kernel_id if wanted.fresh else "",
        )
        return _session.decode(text) if kind == "ROW" else _claim.decode(text)

    async def commit(self, claim: Claim) -> tuple[Session | None, bool]:
        """Make a claim's session, if its path is still free for it."""
        session = claim.session
        row, created = await self._commands.change(
            "commit", session.path, session.session_id, _text(session), session.kernel_id
        )
        return (_session.decode(row) if row else None), bool(created)

    async def withdraw(self, claim: Claim) -> None:
        """Give a path up again, if this claim stands."""
        await self._commands.script("withdraw", claim.session.path, claim.session.session_id)

    async def adopt(self, session: Session) -> tuple[Session | None, bool]:
        """Put back a session, unless its path is taken; return it, and if it was."""
        row, adopted = await self._commands.change(
            "adopt", session.path, session.session_id, _text(session), session.kernel_id
        )
        return (_session.decode(row) if row else None), bool(adopted)

    async def get(self, session_id: str) -> Session | None:
        """Return a session."""
        row = await self._commands.script("get", session_id)
        return _session.decode(row) if row else None

    async def at_path(self, path: str) -> Session | None:
        """Return the session of a path."""
        row = await self._commands.script("at_path", path)
        return _session.decode(row) if row else None

    async def list(self) -> Listing:
        """Return all sessions, in one round trip."""
        rows, leftovers, feed_id, number = await self._commands.script("list")
        position = Position(feed_id, int(number))
        return Listing(_by_id(rows), tuple(leftovers), position)

    async def changes(self, since: Position) -> Delta[Session] | None:
        """Return which sessions have changed, in one round trip; None if that is not known."""
        found = await self._commands.script("changes", since.feed_id, since.number)
        if not found:
            return None
        number, gone, rows = found
        position = Position(since.feed_id, int(number))
        return Delta(_by_id(rows), frozenset(gone), position)

    async def arrival(self, since: Position, within_s: float) -> None:
        """Return when something has changed since, or the time is up."""
        await self._commands.arrival(_KEYS[-1], f"{since.number}-0", within_s)

    async def replace(self, before: Session, after: Session) -> None:
        """Put a session in place of what it was; a kernel it gives up is a leftover at once."""
        outcome = await self._commands.change(
            "replace",
            before.session_id,
            _text(before),
            _text(after),
            before.path,
            after.path,
            before.kernel_id,
            after.kernel_id,
        )
        if outcome == "TAKEN":
            raise AlreadyExists(f"a session already has the path {after.path!r}")
        if outcome == "CHANGED":
            raise Aborted(f"session {before.session_id} has changed")

    async def delete(self, session_id: str, kernel_id: str) -> None:
        """Forget a session, unless it has another kernel by now."""
        await self._commands.change("delete", session_id, kernel_id)

    async def leave(self, kernel_id: str) -> None:
        """Note a kernel that is about to be started as a leftover, for later."""
        await self._commands.script("leave", kernel_id, self._hold_s)

    async def condemn(self, kernel_id: str) -> bool:
        """Note a kernel as a leftover at once, unless a session has it; return if it was."""
        return bool(await self._commands.script("condemn", kernel_id))

    async def settle(self, kernel_id: str) -> None:
        """Note that a kernel is no leftover any more."""
        await self._commands.script("settle", kernel_id)


def _by_id(rows: Iterable[str]) -> dict[str, Session]:
    return {session.session_id: session for session in map(_session.decode, rows)}


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
