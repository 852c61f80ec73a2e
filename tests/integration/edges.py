"""The edge before a real relay, in one process: WebSocket, gRPC, ZeroMQ, kernel."""

from __future__ import annotations

import socket
import tempfile
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
from aiohttp import web
from perijove.kernels.v1 import kernels_pb2, kernels_pb2_grpc
from perijove_chassis import server, telemetry
from perijove_chassis.credentials import PrincipalKind, RunnerVerifier, Verifier, derive_key
from perijove_chassis.errors import NotFound
from perijove_chassis.settings import Secret
from perijove_gateway_http.app import build_app
from perijove_gateway_http.routes import ROUTES
from perijove_gateway_http.settings import Settings
from perijove_runner.channels_servicer import channels_service
from prometheus_client import CollectorRegistry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from perijove_runner.relay import KernelRelay

KEY = Secret("k" * 32)
TOKEN = "tok"


class OneRunner(kernels_pb2_grpc.KernelsServiceServicer):
    """A registry whose kernels are all on one runner."""

    def __init__(self, relays: Mapping[str, KernelRelay], address: str) -> None:
        self._relays = relays
        self._address = address

    async def GetKernel(
        self, request: kernels_pb2.GetKernelRequest, context: Any
    ) -> kernels_pb2.GetKernelResponse:
        """Say where a kernel is."""
        del context
        if request.kernel_id not in self._relays:
            raise NotFound("no such kernel", reason="NO_SUCH_KERNEL")
        kernel = kernels_pb2.Kernel(
            kernel_id=request.kernel_id, runner_id="r", runner_address=self._address
        )
        return kernels_pb2.GetKernelResponse(kernel=kernel)


@asynccontextmanager
async def runner_of(relays: Mapping[str, KernelRelay], address: str) -> AsyncIterator[None]:
    """Serve relays as a runner does."""

    def lookup(kernel_id: str) -> KernelRelay:
        if kernel_id not in relays:
            raise NotFound("no such kernel", reason="NO_SUCH_KERNEL")
        return relays[kernel_id]

    service = channels_service(lookup)
    verifier = RunnerVerifier("r", derive_key(KEY, "runner/r"))
    async with serving(service, verifier, address):
        yield


@asynccontextmanager
async def edge_of(relays: Mapping[str, KernelRelay]) -> AsyncIterator[tuple[str, str]]:
    """Serve the edge before a registry. Yields its URL, and where the runner is to listen."""
    with tempfile.TemporaryDirectory(prefix="pje") as directory:
        runner, kernels = f"unix:{directory}/r", f"unix:{directory}/k"
        service = server.Service(
            "perijove.kernels.v1.KernelsService",
            lambda grpc_server: kernels_pb2_grpc.add_KernelsServiceServicer_to_server(
                OneRunner(relays, runner), grpc_server
            ),
            frozenset({PrincipalKind.SERVICE}),
        )
        verifier = Verifier("kernels", service_key=KEY, api_token=Secret(TOKEN))
        async with serving(service, verifier, kernels), edge_at(kernels) as url:
            yield url, runner


@asynccontextmanager
async def edge_at(kernels: str, sessions: str = "unix:/nowhere") -> AsyncIterator[str]:
    """Serve the edge before a kernels and a sessions service. Yields its URL."""
    settings = Settings(
        service_key=KEY,
        token=Secret(TOKEN),
        contents="unix:/nowhere",
        sessions=sessions,
        kernels=kernels,
    ).checked()
    app = build_app(settings, ROUTES, on_loopback=True)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listening).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving(service: server.Service, verifier: Verifier, address: str) -> AsyncIterator[None]:
    """Serve one service as a process does."""
    metrics = telemetry.CallMetrics(CollectorRegistry())
    options = (
        ("grpc.max_receive_message_length", 64 * 1024 * 1024),
        ("grpc.max_send_message_length", 64 * 1024 * 1024),
    )
    grpc_server = grpc.aio.server(
        interceptors=(server.Guard(verifier, [service], metrics),), options=options
    )
    service.register(grpc_server)
    grpc_server.add_insecure_port(address)
    await grpc_server.start()
    try:
        yield
    finally:
        await grpc_server.stop(0)
