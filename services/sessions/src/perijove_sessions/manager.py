"""The rules for sessions: one per path, alive as long as its kernel."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog
from perijove_chassis.errors import (
    Aborted,
    AlreadyExists,
    DomainError,
    InvalidArgument,
    NotFound,
)
from perijove_chassis.paging import page

from perijove_sessions.model import (
    Claim,
    Kernel,
    NewSession,
    OpenSession,
    Session,
    SessionChanges,
    labelled,
    session_name_variable,
)

if TYPE_CHECKING:
    from perijove_chassis.watching import Position

    from perijove_sessions.reconciling import Reconciler
    from perijove_sessions.store import Documents, Kernels, SessionStore

log = structlog.get_logger()

_ATTEMPTS = 8
"""How often one may lose a race in which someone else made progress."""


@dataclass(frozen=True, slots=True)
class SessionPage:
    """Sessions of one page of a list."""

    sessions: list[OpenSession]
    next_token: str
    position: Position | None = None
    """What was written of sessions up to here is in it, if that is known."""
    kernels_position: Position | None = None
    """The same for kernels."""


class SessionManager:
    """Creates, finds, changes and ends sessions."""

    def __init__(
        self,
        store: SessionStore,
        kernels: Kernels,
        documents: Documents,
        reconciler: Reconciler,
    ) -> None:
        self._store = store
        self._kernels = kernels
        self._documents = documents
        self._reconciler = reconciler

    async def create(self, wanted: NewSession) -> tuple[OpenSession, bool]:
        """Return the session of a path, and whether this call created it.

        Raises:
            InvalidArgument: if the path is none.
            NotFound: `NO_SUCH_KERNELSPEC`.
            Aborted: if others keep creating and deleting it.
            Unavailable: if the store, contents or kernels cannot be reached.
        """
        directory = await self._documents.working_directory(wanted.path)
        for _ in range(_ATTEMPTS):
            if await self._store.at_path(wanted.path) is None:
                # The store may have lost it while its kernel runs on.
                await self._reconciler.reconcile()
            found = await self._store.claim(_claim(wanted))
            if isinstance(found, Claim):
                opened, created = await self._fulfil(found, directory)
            else:
                opened, created = await self._reconciler.open(found), False
            if opened:
                return opened, created
        raise Aborted(f"the session of {wanted.path!r} keeps changing")

    async def get(self, session_id: str) -> OpenSession:
        """Return a session.

        Raises:
            NotFound: `NO_SUCH_SESSION`; `SESSION_KERNEL_GONE` if its kernel ended.
            Unavailable: if what is needed to answer cannot be reached.
        """
        session = await self._reconciler.require(session_id)
        return await self._opened(session)

    async def list(self, page_size: int, page_token: str) -> SessionPage:
        """Return the sessions whose kernel runs, in order of creation.

        Raises:
            InvalidArgument: if there can be no such page.
            Unavailable: if nothing is known, and nobody can be asked.
        """
        opened = await self._reconciler.opened()
        shown = page(opened.sessions, _creation_order, page_size, page_token)
        return SessionPage(*shown, opened.position, opened.kernels_position)

    async def update(self, session_id: str, changes: SessionChanges) -> OpenSession:
        """Change a session; a kernel it gives up is shut down.

        Raises:
            NotFound: as `get`; `NO_SUCH_KERNELSPEC`.
            InvalidArgument: if the kernel to take over does not run.
            AlreadyExists: if another session has the path.
            Aborted: if others keep changing it.
        """
        before = await self._reconciler.require(session_id)
        old = (await self._opened(before)).kernel
        after = changes.applied(before, before.kernel_id)
        await self._require_free(after)
        directory = await self._documents.working_directory(after.path)
        kernel, started = await self._chosen(after, changes, old, directory)
        try:
            before, after = await self._replace(before, changes, kernel.kernel_id)
        except DomainError:
            if started:
                await self._give_up(kernel.kernel_id)
            raise
        if after.kernel_id != kernel.kernel_id:
            kernel = (await self._opened(after)).kernel  # somebody else has changed it
        if not started and after != before:
            kernel = await self._tell(kernel, after, directory)
        if after.kernel_id != before.kernel_id:
            log.info("session got another kernel", session_id=session_id, kernel_id=after.kernel_id)
            await self._shut_down(before.kernel_id)
        return OpenSession(after, kernel)

    async def delete(self, session_id: str) -> None:
        """Shut a session's kernel down and forget the session.

        Raises:
            NotFound: as `get`.
            Unavailable: if the kernel could not be shut down; the session stays.
        """
        session = await self._reconciler.require(session_id)
        try:
            # The kernel first: as long as it runs, its label would bring the
            # session back.
            await self._kernels.shutdown(session.kernel_id)
        except NotFound:
            await self._store.delete(session_id, session.kernel_id)
            raise _kernel_gone(session) from None
        await self._store.delete(session_id, session.kernel_id)
        log.info("session deleted", session_id=session_id, kernel_id=session.kernel_id)

    async def _fulfil(self, claim: Claim, directory: str) -> tuple[OpenSession | None, bool]:
        """Give a claimed path its kernel and its session; None if it went to another."""
        session = claim.session
        try:
            kernel, started = await self._kernels.start(
                session.kernel_id,
                claim.kernelspec_name,
                directory,
                session_name_variable(session.path, session.name, directory),
                labelled({}, session),
            )
            if not started:
                kernel = await self._label(kernel, session)
        except DomainError:
            # If it was started all the same, it is a leftover, or found by its label.
            await self._store.withdraw(claim)
            raise
        committed, created = await self._store.commit(claim)
        if committed and committed.session_id == session.session_id:
            if created:
                log.info(
                    "session created",
                    session_id=session.session_id,
                    kernel_id=kernel.kernel_id,
                )
            return OpenSession(committed, kernel), created
        if started or claim.fresh:
            await self._give_up(kernel.kernel_id)
        return None, False

    async def _opened(self, session: Session) -> OpenSession:
        opened = await self._reconciler.open(session)
        if opened is None:
            raise _kernel_gone(session)
        return opened

    async def _require_free(self, after: Session) -> None:
        """Refuse a taken path before a kernel is started for nothing; `replace` decides."""
        other = await self._store.at_path(after.path)
        if other is None or other.session_id == after.session_id:
            return
        if await self._reconciler.open(other):
            raise AlreadyExists(f"a session already has the path {after.path!r}")

    async def _chosen(
        self, session: Session, changes: SessionChanges, old: Kernel, directory: str
    ) -> tuple[Kernel, bool]:
        """Return the kernel a session is to have, and whether it was started for it."""
        choice = changes.choice
        if choice is None or choice.kernel_id == old.kernel_id:
            return old, False
        if choice.kernel_id:
            return await self._running(choice.kernel_id), False
        kernel_id = str(uuid.uuid4())
        await self._store.leave(kernel_id)
        return await self._kernels.start(
            kernel_id,
            choice.kernelspec_name,
            directory,
            session_name_variable(session.path, session.name, directory),
            labelled({}, session),
        )

    async def _running(self, kernel_id: str) -> Kernel:
        try:
            kernel = await self._kernels.get(kernel_id)
        except NotFound:
            kernel = Kernel(kernel_id, ended=True)
        if kernel.ended:
            raise InvalidArgument(f"No such kernel: {kernel_id[:64]}", reason="NO_SUCH_KERNEL")
        return kernel

    async def _replace(
        self, before: Session, changes: SessionChanges, kernel_id: str
    ) -> tuple[Session, Session]:
        """Write a changed session, over whatever others change meanwhile."""
        kept = kernel_id == before.kernel_id
        for _ in range(_ATTEMPTS):
            after = changes.applied(before, before.kernel_id if kept else kernel_id)
            try:
                await self._store.replace(before, after)
            except Aborted:
                before = await self._reconciler.require(before.session_id)
            else:
                return before, after
        raise Aborted(f"session {before.session_id} keeps changing")

    async def _tell(self, kernel: Kernel, session: Session, directory: str) -> Kernel:
        """Note a changed session on its kernel. The session is right in any case."""
        variable = session_name_variable(session.path, session.name, directory)
        try:
            labels = labelled(kernel.labels, session)
            return await self._kernels.update(session.kernel_id, labels, variable)
        except DomainError as error:
            log.warning("kernel not told of its session", error=str(error))
            return kernel

    async def _label(self, kernel: Kernel, session: Session) -> Kernel:
        labels = labelled(kernel.labels, session)
        if labels == kernel.labels:
            return kernel
        return await self._kernels.update(kernel.kernel_id, labels, {})

    async def _give_up(self, kernel_id: str) -> None:
        """Shut down a kernel that was started for a session, unless one has it after all."""
        if await self._store.condemn(kernel_id):
            await self._shut_down(kernel_id)

    async def _shut_down(self, kernel_id: str) -> None:
        """Shut down a kernel that no session needs; if it fails, it stays a leftover."""
        try:
            await self._kernels.shutdown(kernel_id)
        except NotFound:
            pass
        except DomainError as error:
            log.warning("leftover kernel", kernel_id=kernel_id, error=str(error))
            return
        await self._store.settle(kernel_id)


def _claim(wanted: NewSession) -> Claim:
    chosen = wanted.choice.kernel_id
    session = Session(
        session_id=str(uuid.uuid4()),
        path=wanted.path,
        name=wanted.name,
        type=wanted.type,
        kernel_id=chosen or str(uuid.uuid4()),
        create_time=datetime.now(UTC),
    )
    return Claim(session, wanted.choice.kernelspec_name, fresh=not chosen)


def _creation_order(opened: OpenSession) -> str:
    session = opened.session
    return f"{session.create_time.isoformat(timespec='microseconds')} {session.session_id}"


def _kernel_gone(session: Session) -> NotFound:
    return NotFound(
        f"the kernel of session {session.session_id} was culled or ended unexpectedly",
        reason="SESSION_KERNEL_GONE",
    )
