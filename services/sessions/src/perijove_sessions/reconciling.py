"""Keeps sessions and kernels in step: whichever of the two lost something."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog
from perijove_chassis.errors import DeadlineExceeded, DomainError, NotFound, Unavailable

from perijove_sessions.model import Kernel, OpenSession, Session, sessions_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perijove_chassis.watching import Position

    from perijove_sessions.store import KernelList, Kernels, Listing, SessionStore

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Opened:
    """The sessions whose kernel runs."""

    sessions: list[OpenSession]
    position: Position | None = None
    """What was written of sessions up to here is in it, if that is known."""
    kernels_position: Position | None = None
    """The same for kernels."""


class Reconciler:
    """Finds sessions with their kernels, and repairs on the way what does not fit.

    A session whose kernel is gone is forgotten; one that only its kernel remembers
    is put back; a kernel that was started for a session and is in none is shut
    down. Nothing is ever forgotten because the kernels could not be asked.
    """

    def __init__(self, store: SessionStore, kernels: Kernels) -> None:
        self._store = store
        self._kernels = kernels
        self._last_listing: Listing | None = None
        self._last_kernels: Mapping[str, Kernel] | None = None

    async def require(self, session_id: str) -> Session:
        """Return a session.

        Raises:
            NotFound: `NO_SUCH_SESSION`.
            Unavailable: if the store cannot be reached and the session was not
                known before.
        """
        try:
            session = await self._store.get(session_id)
            if session is None:
                await self.reconcile()
                session = await self._store.get(session_id)
        except Unavailable:
            if self._last_listing and (known := self._last_listing.sessions.get(session_id)):
                return known
            raise
        if session is None:
            raise NotFound(f"there is no session {session_id[:64]}", reason="NO_SUCH_SESSION")
        return session

    async def open(self, session: Session) -> OpenSession | None:
        """Return a session with its kernel; forget it and return None if that is gone.

        Raises:
            Unavailable: if it cannot be known now whether the kernel is gone.
        """
        try:
            kernel = await self._kernels.get(session.kernel_id)
        except NotFound:
            listed = await self._kernels.list()
            if session.kernel_id in listed.kernels:
                return OpenSession(session, listed.kernels[session.kernel_id])
            if not listed.lacks(session.kernel_id):
                raise Unavailable(
                    "it is not known yet which kernels run", reason="STATE_UNREACHABLE"
                ) from None
        except (Unavailable, DeadlineExceeded):
            if known := (self._last_kernels or {}).get(session.kernel_id):
                return OpenSession(session, known)
            raise
        else:
            if not kernel.ended:
                return OpenSession(session, kernel)
        await self._forget(session)
        return None

    async def opened(self) -> Opened:
        """Return all sessions whose kernel runs.

        What cannot be asked answers as it was last known.

        Raises:
            Unavailable: if nothing is known.
        """
        try:
            listing, stale = await self._store.list(), False
        except Unavailable:
            if self._last_listing is None:
                raise
            listing, stale = self._last_listing, True
        try:
            listed = await self._kernels.list()
        except (Unavailable, DeadlineExceeded):
            if self._last_kernels is None:
                raise
            return Opened(_joined(listing, self._last_kernels))
        if not stale:
            listing = await self._repair(listing, listed)
        joined = _joined(listing, listed.kernels)
        return Opened(joined, None if stale else listing.position, listed.position)

    async def tend(self) -> Listing:
        """Repair what would be repaired if somebody listed, except that none is forgotten.

        A session whose kernel is gone stays for who asks for it, and is then told why.

        Returns:
            All sessions. That the kernels cannot be asked does not matter to them.

        Raises:
            Unavailable: if the store cannot be reached.
        """
        listing = await self._store.list()
        try:
            listed = await self._kernels.list()
        except (Unavailable, DeadlineExceeded):
            return listing
        listing = await self._put_back(listing, listed)
        await self._end_leftovers(listing, listed)
        return listing

    async def reconcile(self) -> None:
        """Repair what does not fit."""
        # Sessions first: a kernel is listed before its session is, so one that is
        # missing from the later list is gone.
        listing = await self._store.list()
        await self._repair(listing, await self._kernels.list())

    async def _repair(self, listing: Listing, listed: KernelList) -> Listing:
        listing = await self._put_back(listing, listed)
        kept = {}
        for session in listing.sessions.values():
            if listed.lacks(session.kernel_id):
                await self._forget(session)
            else:
                kept[session.session_id] = session
        await self._end_leftovers(listing, listed)
        self._last_listing = replace(listing, sessions=kept)
        self._last_kernels = listed.kernels
        return self._last_listing

    async def _put_back(self, listing: Listing, listed: KernelList) -> Listing:
        """Rebuild the sessions that only their kernels remember.

        Nothing else is added: sessions that were made since have kernels that were, too,
        which are not in the list of kernels, and so would be taken for gone.
        """
        adopted: dict[str, Session] = {}
        for kernel in listed.kernels.values():
            for session in sessions_of(kernel):
                if kernel.ended or session.session_id in listing.sessions:
                    continue
                found, rebuilt = await self._store.adopt(session)
                if rebuilt:
                    log.info("session rebuilt", session_id=session.session_id)
                # Another replica may have put it back since the store was listed.
                if found and found.kernel_id == kernel.kernel_id:
                    adopted[session.session_id] = found
        return replace(listing, sessions={**listing.sessions, **adopted}) if adopted else listing

    async def _end_leftovers(self, listing: Listing, listed: KernelList) -> None:
        needed = {session.kernel_id for session in listing.sessions.values()}
        for kernel_id in listing.leftovers:
            if kernel_id not in listed.kernels and listed.incomplete:
                continue
            try:
                if kernel_id in listed.kernels and kernel_id not in needed:
                    await self._kernels.shutdown(kernel_id)
                    log.info("leftover kernel shut down", kernel_id=kernel_id)
            except NotFound:
                pass
            except DomainError as error:
                log.warning("leftover kernel", kernel_id=kernel_id, error=str(error))
                continue
            await self._store.settle(kernel_id)

    async def _forget(self, session: Session) -> None:
        log.info("session ended with its kernel", session_id=session.session_id)
        await self._store.delete(session.session_id, session.kernel_id)


def _joined(listing: Listing, kernels: Mapping[str, Kernel]) -> list[OpenSession]:
    return [
        OpenSession(session, kernels.get(session.kernel_id, Kernel(session.kernel_id)))
        for session in listing.sessions.values()
    ]
