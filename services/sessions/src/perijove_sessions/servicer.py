"""Translates each RPC to one call of the manager. Decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove.sessions.v1 import sessions_pb2 as pb
from perijove.sessions.v1 import sessions_pb2_grpc as pb_grpc

from perijove_sessions import wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import grpc
    from perijove_chassis.watching import Watching

    from perijove_sessions.manager import SessionManager
    from perijove_sessions.model import Session


class SessionsServicer(pb_grpc.SessionsServiceServicer):
    """Serves `SessionsService`."""

    def __init__(self, manager: SessionManager, watching: Watching[Session]) -> None:
        self._manager = manager
        self._watching = watching

    async def CreateSession(
        self, request: pb.CreateSessionRequest, _context: grpc.aio.ServicerContext
    ) -> pb.CreateSessionResponse:
        opened, created = await self._manager.create(wire.new_session_from_proto(request))
        return pb.CreateSessionResponse(session=wire.session_to_proto(opened), created=created)

    async def GetSession(
        self, request: pb.GetSessionRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetSessionResponse:
        opened = await self._manager.get(wire.session_id_from_proto(request.session_id))
        return pb.GetSessionResponse(session=wire.session_to_proto(opened))

    async def ListSessions(
        self, request: pb.ListSessionsRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ListSessionsResponse:
        page = await self._manager.list(request.page_size, request.page_token)
        return pb.ListSessionsResponse(
            sessions=[wire.session_to_proto(opened) for opened in page.sessions],
            next_page_token=page.next_token,
            position=wire.position_to_proto(page.position),
            kernels_position=wire.position_to_proto(page.kernels_position),
        )

    async def WatchSessions(
        self, request: pb.WatchSessionsRequest, _context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.WatchSessionsResponse]:
        async for update in self._watching.watch(wire.after_from_proto(request)):
            yield wire.update_to_proto(update)

    async def UpdateSession(
        self, request: pb.UpdateSessionRequest, _context: grpc.aio.ServicerContext
    ) -> pb.UpdateSessionResponse:
        session_id = wire.session_id_from_proto(request.session_id)
        opened = await self._manager.update(session_id, wire.changes_from_proto(request))
        return pb.UpdateSessionResponse(session=wire.session_to_proto(opened))

    async def DeleteSession(
        self, request: pb.DeleteSessionRequest, _context: grpc.aio.ServicerContext
    ) -> pb.DeleteSessionResponse:
        await self._manager.delete(wire.session_id_from_proto(request.session_id))
        return pb.DeleteSessionResponse()
