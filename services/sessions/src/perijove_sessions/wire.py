"""Between the messages of the wire contract and the model."""

from __future__ import annotations

from datetime import UTC

from perijove.kernels.v1 import kernels_pb2
from perijove.sessions.v1 import sessions_pb2
from perijove_chassis.errors import InvalidArgument

from perijove_sessions.model import Kernel, KernelChoice, NewSession, OpenSession, SessionChanges

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
    )


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


def _choice(message: sessions_pb2.KernelChoice) -> KernelChoice:
    return KernelChoice(message.kernel_id, message.kernelspec_name)
