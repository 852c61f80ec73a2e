"""The lists that every front end asks for every few seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from perijove.kernels.v1 import kernels_pb2
from perijove.sessions.v1 import sessions_pb2

from perijove_gateway_http.models import session_model
from perijove_gateway_http.sharing import Shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perijove_gateway_http.stubs import Stubs


class Lists:
    """Whole lists, page by page, each asked for once for all who ask at the same time."""

    def __init__(self, stubs: Stubs) -> None:
        self._stubs = stubs
        self.kernels = Shared(self._all_kernels)
        """All kernels."""
        self.sessions = Shared(self._all_sessions)
        """The models of all sessions, as JSON."""

    async def _all_kernels(self) -> Sequence[kernels_pb2.Kernel]:
        kernels: list[kernels_pb2.Kernel] = []
        request = kernels_pb2.ListKernelsRequest()
        while True:
            reply = await self._stubs.kernels.ListKernels(request)
            kernels += reply.kernels
            request.page_token = reply.next_page_token
            if not request.page_token:
                return kernels

    async def _all_sessions(self) -> bytes:
        sessions: list[sessions_pb2.Session] = []
        request = sessions_pb2.ListSessionsRequest()
        while True:
            reply = await self._stubs.sessions.ListSessions(request)
            sessions += reply.sessions
            request.page_token = reply.next_page_token
            if not request.page_token:
                return msgspec.json.encode([session_model(session) for session in sessions])
