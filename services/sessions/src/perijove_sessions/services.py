"""The row of this process's service: what is served, by whom, to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove.sessions.v1 import sessions_pb2_grpc
from perijove_chassis.credentials import PrincipalKind
from perijove_chassis.server import Service

from perijove_sessions.servicer import SessionsServicer

if TYPE_CHECKING:
    from perijove_chassis.watching import Watching

    from perijove_sessions.manager import SessionManager
    from perijove_sessions.model import Session

_CLIENTS = frozenset({PrincipalKind.SERVICE, PrincipalKind.USER})


def sessions(manager: SessionManager, watching: Watching[Session]) -> Service:
    """Return the row of `SessionsService`: for the other services and for users."""
    servicer = SessionsServicer(manager, watching)
    return Service(
        "perijove.sessions.v1.SessionsService",
        lambda server: sessions_pb2_grpc.add_SessionsServiceServicer_to_server(servicer, server),
        _CLIENTS,
    )
