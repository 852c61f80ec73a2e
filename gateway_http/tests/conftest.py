"""An edge on a real socket, in front of services that each test names."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import grpc
import pytest
from aiohttp import web
from perijove.contents.v1 import contents_pb2_grpc
from perijove_chassis.credentials import PrincipalKind, Verifier
from perijove_chassis.server import Guard, Service
from perijove_chassis.settings import Secret
from perijove_chassis.telemetry import CallMetrics
from perijove_gateway_http.app import build_app
from perijove_gateway_http.routes import routes_for
from perijove_gateway_http.settings import Settings
from prometheus_client import CollectorRegistry
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    MakeEdge = Callable[..., Awaitable["RunningEdge"]]

TOKEN = "a-token"
SERVICE_KEY = "a-key"


@dataclass(frozen=True, slots=True)
class RunningEdge:
    """An edge that listens, and a client without a cookie jar."""

    port: int
    runner: web.AppRunner
    http: aiohttp.ClientSession

    async def ask(
        self, method: str, target: str, *, token: str | None = TOKEN, **options: Any
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        """Send a request to a raw target and return the answer with its body."""
        headers = dict(options.pop("headers", {}))
        if token:
            headers["Authorization"] = f"token {token}"
        url = URL(f"http://127.0.0.1:{self.port}{target}", encoded=True)
        async with self.http.request(
            method, url, headers=headers, allow_redirects=False, **options
        ) as response:
            return response, await response.read()


@pytest.fixture
def sockets() -> Iterator[Path]:
    """Return a directory for unix sockets: their paths must be short."""
    with tempfile.TemporaryDirectory(prefix="pj") as directory:
        yield Path(directory)


@pytest.fixture
async def make_edge(sockets: Path) -> AsyncIterator[MakeEdge]:
    """Start edges; settings may be given by name, and `on_loopback`."""
    runners: list[web.AppRunner] = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:

        async def make(*, on_loopback: bool = True, **given: Any) -> RunningEdge:
            absent = f"unix:{sockets}/absent.sock"
            defaults: dict[str, Any] = {
                "service_key": Secret(SERVICE_KEY),
                "token": Secret(TOKEN),
                "contents": f"unix:{sockets}/contents.sock",
                "sessions": absent,
                "kernels": absent,
            }
            settings = Settings(**(defaults | given)).checked()
            runner = web.AppRunner(
                build_app(settings, routes_for(settings), on_loopback=on_loopback)
            )
            await runner.setup()
            runners.append(runner)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            return RunningEdge(runner.addresses[0][1], runner, http)

        yield make
        for runner in runners:
            await runner.cleanup()


@pytest.fixture
async def serve_contents(
    sockets: Path,
) -> AsyncIterator[Callable[[contents_pb2_grpc.ContentsServiceServicer], Awaitable[None]]]:
    """Serve a contents service of the test's own, guarded as the real one is."""
    servers: list[grpc.aio.Server] = []

    async def serve(servicer: contents_pb2_grpc.ContentsServiceServicer) -> None:
        service = Service(
            "perijove.contents.v1.ContentsService",
            lambda server: contents_pb2_grpc.add_ContentsServiceServicer_to_server(
                servicer, server
            ),
            frozenset({PrincipalKind.SERVICE}),
        )
        verifier = Verifier("contents", service_key=Secret(SERVICE_KEY), api_token=Secret(""))
        guard = Guard(verifier, [service], CallMetrics(CollectorRegistry()))
        server = grpc.aio.server(interceptors=(guard,))
        service.register(server)
        server.add_insecure_port(f"unix:{sockets}/contents.sock")
        await server.start()
        servers.append(server)

    yield serve
    for server in servers:
        await server.stop(None)
