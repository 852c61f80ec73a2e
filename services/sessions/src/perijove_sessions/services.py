"""The rows of this process's services: what is served, by whom, to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove.events.v1 import events_pb2_grpc
from perijove.sessions.v1 import sessions_pb2_grpc
from perijove_chassis.credentials import PrincipalKind
from perijove_chassis.permissions import EXECUTE, WRITE, any_of, to
from perijove_chassis.server import Service

from perijove_sessions.events.servicer import EventsServicer
from perijove_sessions.servicer import SessionsServicer

if TYPE_CHECKING:
    from perijove_chassis.watching import Watching

    from perijove_sessions.events.manager import EventManager
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
        permissions=to(WRITE, "sessions"),
        permissions_by_method=dict.fromkeys(
            ("GetSession", "ListSessions", "WatchSessions"), any_of("sessions")
        ),
    )


def events(manager: EventManager) -> Service:
    """Return the row of `EventsService`: for the other services and for users."""
    servicer = EventsServicer(manager)
    return Service(
        "perijove.events.v1.EventsService",
        lambda server: events_pb2_grpc.add_EventsServiceServicer_to_server(servicer, server),
        _CLIENTS,
        permissions=any_of("events"),
        permissions_by_method={
            "PublishEvents": to(WRITE, "events"),
            "SubscribeEvents": to(EXECUTE, "events"),
        },
    )
