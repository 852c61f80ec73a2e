"""Replicas of the sessions service in this process, on real sockets, and a contents beside them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import grpc
from perijove.contents.v1 import contents_pb2, contents_pb2_grpc
from perijove.sessions.v1 import sessions_pb2_grpc
from perijove_chassis import credentials, server, telemetry
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.credentials import PrincipalKind
from perijove_chassis.errors import InvalidArgument
from perijove_chassis.server import Service
from perijove_chassis.settings import Secret
from perijove_chassis.watching import Watching
from perijove_sessions import services
from perijove_sessions.backends.contents import GrpcContents
from perijove_sessions.backends.kernels import GrpcKernels
from perijove_sessions.manager import SessionManager
from perijove_sessions.reconciling import Reconciler
from perijove_sessions.watching import StoredSessions, Tending
from prometheus_client import CollectorRegistry

KEY = Secret("k" * 32)
TOKEN = "tok"


class FakeContents(contents_pb2_grpc.ContentsServiceServicer):
    """Knows where every path is, below `/srv`."""

    async def GetKernelPath(
        self, request: contents_pb2.GetKernelPathRequest, _context: Any
    ) -> contents_pb2.GetKernelPathResponse:
        if ".." in request.path.split("/"):
            raise InvalidArgument("not a path under the root", reason="BAD_PATH")
        folder = request.path.rpartition("/")[0]
        return contents_pb2.GetKernelPathResponse(
            working_directory=f"/srv/{folder}".rstrip("/"),
            document_location=f"/srv/{request.path}",
        )


async def serve(target: str, audience: str, service: Service) -> grpc.aio.Server:
    verifier = credentials.Verifier(audience, service_key=KEY, api_token=Secret(TOKEN))
    metrics = telemetry.CallMetrics(CollectorRegistry())
    grpc_server = grpc.aio.server(interceptors=(server.Guard(verifier, [service], metrics),))
    service.register(grpc_server)
    grpc_server.add_insecure_port(target)
    await grpc_server.start()
    return grpc_server


async def serve_contents(target: str) -> grpc.aio.Server:
    service = Service(
        "perijove.contents.v1.ContentsService",
        lambda s: contents_pb2_grpc.add_ContentsServiceServicer_to_server(FakeContents(), s),
        frozenset({PrincipalKind.SERVICE}),
    )
    return await serve(target, "contents", service)


@dataclass
class Replica:
    """One sessions service."""

    grpc_server: grpc.aio.Server
    store: Any
    backends: tuple[Any, ...]
    reconciler: Reconciler
    tending: asyncio.Task[None]
    channel: Channel
    sessions: Any

    async def tending_ended(self) -> None:
        """Have it repair nothing by itself any more."""
        self.tending.cancel()
        with suppress(asyncio.CancelledError):
            await self.tending

    async def close(self) -> None:
        await self.tending_ended()
        await self.channel.close()
        await self.grpc_server.stop(0)
        for backend in self.backends:
            await backend.close()


async def start_replica(target: str, store: Any, kernels_target: str, contents: str) -> Replica:
    kernels, documents = GrpcKernels(kernels_target, KEY), GrpcContents(contents, KEY)
    reconciler, watching = Reconciler(store, kernels), Watching(StoredSessions(store))
    manager = SessionManager(store, kernels, documents, reconciler)
    grpc_server = await serve(target, "sessions", services.sessions(manager, watching))
    tending = asyncio.create_task(Tending(reconciler, watching).run())
    issuer = credentials.Issuer(credentials.derive_key(KEY, "sessions"), "gateway_http", "sessions")
    channel = Channel(target, issuer, Deadlines(60.0))
    stub = sessions_pb2_grpc.SessionsServiceStub(channel)  # type: ignore[call-overload]
    return Replica(
        grpc_server, store, (kernels, documents, store), reconciler, tending, channel, stub
    )
