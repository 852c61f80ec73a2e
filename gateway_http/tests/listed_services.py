"""Kernels and sessions that are names only, served with their watches on real sockets."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import grpc
from perijove.kernels.v1 import kernels_pb2, kernels_pb2_grpc
from perijove.sessions.v1 import sessions_pb2, sessions_pb2_grpc
from perijove_chassis.credentials import PrincipalKind, Verifier
from perijove_chassis.errors import NotFound, Unavailable
from perijove_chassis.memory_feed import MemoryFeed
from perijove_chassis.server import Guard, Service
from perijove_chassis.settings import Secret
from perijove_chassis.telemetry import CallMetrics
from perijove_chassis.watching import Delta, Position, Snapshot, Update, Watching, WatchLimits
from prometheus_client import CollectorRegistry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from google.protobuf.message import Message

T = TypeVar("T", bound="Message")

LIMITS = WatchLimits(heartbeat_s=0.1, arrival_s=0.1, between_s=0.0, batch=2)


class Kept(Generic[T]):
    """Items with a feed of their changes, which may be held back."""

    def __init__(self) -> None:
        self.items: dict[str, T] = {}
        self.feed = MemoryFeed()
        self.asked = 0
        self.let_through = asyncio.Event()
        """Whether the feed tells what happens."""
        self.let_through.set()

    def put(self, key: str, item: T) -> None:
        self.items[key] = item
        self.feed.note(key)

    def drop(self, key: str) -> None:
        self.items.pop(key, None)
        self.feed.note(key)

    async def snapshot(self) -> Snapshot[T]:
        return Snapshot(dict(self.items), self.feed.position)

    async def changes(self, since: Position) -> Delta[T] | None:
        await self.let_through.wait()
        keys = self.feed.since(since)
        if keys is None:
            return None
        held = {key: self.items[key] for key in keys if key in self.items}
        return Delta(held, keys - held.keys(), self.feed.position)

    async def arrival(self, since: Position, within_s: float) -> None:
        await self.feed.arrival(since, within_s)

    def position(self) -> kernels_pb2.FeedPosition:
        return _position(self.feed.position)


class Kernels(kernels_pb2_grpc.KernelsServiceServicer):
    """Serves `KernelsService`, but for starting anything."""

    def __init__(self) -> None:
        self.kept: Kept[kernels_pb2.Kernel] = Kept()
        self.watching = Watching(self.kept, LIMITS)
        self.may_shut_down = asyncio.Event()
        self.may_shut_down.set()
        self.shutting_down = asyncio.Event()
        self.fails_after_all = False
        self.watches = 0

    def put(self, kernel_id: str, **fields: Any) -> None:
        self.kept.put(kernel_id, kernels_pb2.Kernel(kernel_id=kernel_id, **fields))

    async def ListKernels(self, _request: Any, _context: Any) -> kernels_pb2.ListKernelsResponse:
        self.kept.asked += 1
        return kernels_pb2.ListKernelsResponse(
            kernels=self.kept.items.values(), position=self.kept.position()
        )

    async def GetKernel(
        self, request: kernels_pb2.GetKernelRequest, _context: Any
    ) -> kernels_pb2.GetKernelResponse:
        return kernels_pb2.GetKernelResponse(kernel=self.kept.items[request.kernel_id])

    async def WatchKernels(
        self, request: kernels_pb2.WatchKernelsRequest, _context: Any
    ) -> AsyncIterator[kernels_pb2.WatchKernelsResponse]:
        self.watches += 1
        async for update in self.watching.watch(_after(request)):
            yield kernels_pb2.WatchKernelsResponse(
                kernels=update.items, ended_kernel_ids=update.gone, **_rest(update)
            )

    async def ShutdownKernel(
        self, request: kernels_pb2.ShutdownKernelRequest, _context: Any
    ) -> kernels_pb2.ShutdownKernelResponse:
        self.shutting_down.set()
        await self.may_shut_down.wait()
        if request.kernel_id not in self.kept.items:
            raise NotFound("no such kernel", reason="NO_SUCH_KERNEL")
        self.kept.drop(request.kernel_id)
        if self.fails_after_all:
            raise Unavailable("who knows")
        return kernels_pb2.ShutdownKernelResponse()


class Sessions(sessions_pb2_grpc.SessionsServiceServicer):
    """Serves lists and watches of `SessionsService`."""

    def __init__(self, kernels: Kernels) -> None:
        self.kept: Kept[sessions_pb2.Session] = Kept()
        self.watching = Watching(self.kept, LIMITS)
        self._kernels = kernels

    def put(self, session_id: str, kernel_id: str, **fields: Any) -> None:
        kernel = kernels_pb2.Kernel(kernel_id=kernel_id)
        session = sessions_pb2.Session(session_id=session_id, kernel=kernel, **fields)
        self.kept.put(session_id, session)

    async def ListSessions(self, _request: Any, _context: Any) -> sessions_pb2.ListSessionsResponse:
        self.kept.asked += 1
        running = self._kernels.kept.items
        sessions = [
            sessions_pb2.Session(
                session_id=session.session_id,
                path=session.path,
                type=session.type,
                kernel=running[session.kernel.kernel_id],
            )
            for session in self.kept.items.values()
            if session.kernel.kernel_id in running
        ]
        return sessions_pb2.ListSessionsResponse(
            sessions=sessions,
            position=self.kept.position(),
            kernels_position=self._kernels.kept.position(),
        )

    async def WatchSessions(
        self, request: sessions_pb2.WatchSessionsRequest, _context: Any
    ) -> AsyncIterator[sessions_pb2.WatchSessionsResponse]:
        async for update in self.watching.watch(_after(request)):
            yield sessions_pb2.WatchSessionsResponse(
                sessions=update.items, deleted_session_ids=update.gone, **_rest(update)
            )


class Served:
    """Both services, each on a socket, until `stop`."""

    def __init__(self, folder: str, key: str) -> None:
        self.kernels = Kernels()
        self.sessions = Sessions(self.kernels)
        self.targets = {name: f"unix:{folder}/{name}.sock" for name in ("kernels", "sessions")}
        self._key = Secret(key)
        self._servers: dict[str, grpc.aio.Server] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    async def start(self, name: str) -> None:
        """Serve `kernels` or `sessions`."""
        servicer: Any = getattr(self, name)
        full, register = {
            "kernels": (
                "perijove.kernels.v1.KernelsService",
                kernels_pb2_grpc.add_KernelsServiceServicer_to_server,
            ),
            "sessions": (
                "perijove.sessions.v1.SessionsService",
                sessions_pb2_grpc.add_SessionsServiceServicer_to_server,
            ),
        }[name]
        service = Service(
            full,
            lambda server: register(servicer, server),
            frozenset({PrincipalKind.SERVICE}),
        )
        servicer.watching = Watching(servicer.kept, LIMITS)
        servicer.watching.take(await servicer.kept.snapshot())
        self._running[name] = asyncio.create_task(servicer.watching.run())
        verifier = Verifier(name, service_key=self._key, api_token=Secret(""))
        guard = Guard(verifier, [service], CallMetrics(CollectorRegistry()))
        server = grpc.aio.server(interceptors=(guard,))
        service.register(server)
        server.add_insecure_port(self.targets[name])
        await server.start()
        self._servers[name] = server

    async def stop(self, name: str) -> None:
        running = self._running.pop(name, None)
        if running:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            await self._servers.pop(name).stop(None)


def _after(request: Any) -> Position | None:
    if not request.HasField("after"):
        return None
    return Position(request.after.feed_id, request.after.number)


def _rest(update: Update[Any]) -> dict[str, Any]:
    return {
        "resync": update.resync,
        "synced": update.synced,
        "position": _position(update.position) if update.position else None,
        "incomplete": update.incomplete,
    }


def _position(position: Position) -> kernels_pb2.FeedPosition:
    return kernels_pb2.FeedPosition(feed_id=position.feed_id, number=position.number)
