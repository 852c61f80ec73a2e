"""Between the messages of the wire contract and the model."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from perijove.kernels.v1 import kernels_pb2
from perijove.sessions.v1 import sessions_pb2
from perijove_chassis.errors import InvalidArgument
from perijove_chassis.watching import Position

from perijove_sessions.model import (
    Kernel,
    KernelChoice,
    NewSession,
    OpenSession,
    Session,
    SessionChanges,
)

if TYPE_CHECKING:
    from perijove_chassis.watching import Update


_UPDATABLE = frozenset({"path", "name", "type", "kernel"})


def session_to_proto(opened: OpenSession) -> sessions_pb2.Session:
    """Return a session as clients see it."""
    session, description = opened.session, opened.kernel.description
    if not isinstance(description, kernels_pb2.Kernel):
        description = kernels_pb2.Kernel(kernel_id=session.kernel_id)
    return sessions_pb2.Session(
        session_id=session.session_id,
        path=session.path,
        name=session.name,
        type=session.type,
        kernel=description,
        create_time=session.create_time,
    )


def row_to_proto(session: Session) -> sessions_pb2.Session:
    """Return a session as watchers see it: with no more of its kernel than the id."""
    return session_to_proto(OpenSession(session, Kernel(session.kernel_id)))


def update_to_proto(update: Update[Session]) -> sessions_pb2.WatchSessionsResponse:
    """Return what a watcher is sent."""
    return sessions_pb2.WatchSessionsResponse(
        resync=update.resync,
        sessions=[row_to_proto(session) for session in update.items],
        deleted_session_ids=update.gone,
        synced=update.synced,
        position=position_to_proto(update.position) if update.synced else None,
        incomplete=update.synced and update.incomplete,
    )


def position_to_proto(position: Position | None) -> kernels_pb2.FeedPosition | None:
    """Return a place in a feed, if there is one."""
    if position is None:
        return None
    return kernels_pb2.FeedPosition(feed_id=position.feed_id, number=position.number)


def after_from_proto(request: sessions_pb2.WatchSessionsRequest) -> Position | None:
    """Return where a watcher left off; None if it begins."""
    return _position_from_proto(request.after) if request.HasField("after") else None


def position_from_proto(reply: kernels_pb2.ListKernelsResponse) -> Position | None:
    """Return as of which kernels were listed, if that is known."""
    return _position_from_proto(reply.position) if reply.HasField("position") else None


def kernel_from_proto(message: kernels_pb2.Kernel) -> Kernel:
    """Return a kernel as the kernels service describes it."""
    dead = message.execution_state == kernels_pb2.EXECUTION_STATE_DEAD
    may_return = message.last_exit.cause == kernels_pb2.EXIT_CAUSE_RUNNER_LOST
    return Kernel(
        kernel_id=message.kernel_id,
        labels=dict(message.labels),
        create_time=message.create_time.ToDatetime(tzinfo=UTC),
        ended=dead and not may_return,
        description=message,
    )


def new_session_from_proto(request: sessions_pb2.CreateSessionRequest) -> NewSession:
    """Return the session a client wants.

    Raises:
        InvalidArgument: if it cannot be one.
    """
    name = request.name if request.HasField("name") else None
    return NewSession.parse(request.path, name, request.type, _choice(request.kernel))


def changes_from_proto(request: sessions_pb2.UpdateSessionRequest) -> SessionChanges:
    """Return what a client wants changed.

    Raises:
        InvalidArgument: if that cannot be done.
    """
    named = frozenset(request.update_mask.paths)
    if not named or not named <= _UPDATABLE:
        raise InvalidArgument(f"update_mask must name some of {', '.join(sorted(_UPDATABLE))}")
    return SessionChanges.parse(
        request.path if "path" in named else None,
        request.name if "name" in named else None,
        request.type if "type" in named else None,
        _choice(request.kernel) if "kernel" in named else None,
    )


def session_id_from_proto(text: str) -> str:
    """Return a session's id.

    Raises:
        InvalidArgument: if there is none.
    """
    if not text:
        raise InvalidArgument("session_id is required")
    return text


def _position_from_proto(message: kernels_pb2.FeedPosition) -> Position:
    return Position(message.feed_id, message.number)


def _choice(message: sessions_pb2.KernelChoice) -> KernelChoice:
    return KernelChoice(message.kernel_id, message.kernelspec_name)
