"""How a process serves gRPC: guarded, observed, health-checked and drained."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import structlog
import uvloop
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection
from prometheus_client import CollectorRegistry

from perijove_chassis import telemetry, tls
from perijove_chassis.client import MAX_MESSAGE_BYTES
from perijove_chassis.guard import ANYONE, Guard, Service, principal
from perijove_chassis.listening import Listening
from perijove_chassis.permissions import FREE
from perijove_chassis.settings import ServerSettings, SettingsError, load

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from perijove_chassis.credentials import Verifier

__all__ = ["ANYONE", "Door", "Guard", "Service", "principal", "run", "serve"]

S = TypeVar("S", bound=ServerSettings)

log = structlog.get_logger()

_OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Otherwise the window of a stream that nobody reads grows to many megabytes.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    # Otherwise a second server on the port shares it silently.
    ("grpc.so_reuseport", 0),
)

_AHEAD_BYTES = 1024 * 1024
"""How much a caller may send that nobody has taken in, where long runs of bytes travel.

Elsewhere it is 64 KB: of a longer message, each of these waits for word to send on.
"""


@dataclass(frozen=True, slots=True)
class Door:
    """Another address of a process, with callers and services of its own."""

    listen: str
    """Address, with TLS."""
    tls: tls.Serving
    """What it shows."""
    verifier: Verifier
    """Checks the credentials of calls that come here."""
    services: Sequence[Service]
    """All that is served here."""


async def serve(
    settings: ServerSettings,
    verifier: Verifier,
    services: Sequence[Service],
    *,
    background: Callable[[], Awaitable[None]] | None = None,
    ready: Callable[[], Awaitable[object]] | None = None,
    on_stop: Callable[[], bool] | None = None,
    registry: CollectorRegistry | None = None,
    doors: Sequence[Door] = (),
) -> None:
    """Serve until SIGTERM or SIGINT, then say NOT_SERVING, drain, and return.

    Args:
        settings: Where to listen, and how to observe.
        verifier: Checks every call's credential.
        services: What to serve.
        background: Work to do beside serving. It is cancelled at the end; the
            process ends if it does.
        ready: Returns when the process is of use; its health is NOT_SERVING
            before that, though it answers. At once if not given.
        on_stop: Told of the first SIGTERM or SIGINT; returns whether the background
            work, which then ends by itself, is to be waited for. A second signal
            is obeyed at once.
        registry: Metrics to serve besides those of the calls.
        doors: Where else it listens, for others.

    Raises:
        SettingsError: if it cannot listen as it is told to.
    """
    metrics = telemetry.CallMetrics(registry or CollectorRegistry())
    health = HealthServicer()
    for name in ("", *(service.name for service in services)):
        await health.set(name, health_pb2.HealthCheckResponse.NOT_SERVING)
    inside = [*services, *_chassis_services(health, settings, services)]
    servers = [_server(settings, Guard(verifier, inside, metrics), inside)]
    for door in doors:
        rows = [*door.services, *_chassis_services(health, settings, door.services)]
        servers.append(_server(settings, Guard(door.verifier, rows, metrics), rows))
        tls.add_tls_port(servers[-1], door.listen, door.tls)
    with ExitStack() as listening:
        for address in settings.addresses():
            listening.enter_context(Listening(address))
            tls.add_port(servers[0], address, settings)
        for server in servers:
            await server.start()
    if settings.metrics_listen:
        telemetry.serve_metrics(metrics.registry, settings.metrics_listen)
    saying = asyncio.ensure_future(_say_serving(health, services, ready))
    log.info("serving", listen=settings.listen, doors=[door.listen for door in doors])
    try:
        await _until_told_to_stop(background, on_stop)
    finally:
        saying.cancel()
        log.info("draining", grace_s=settings.grace_s)
        await health.enter_graceful_shutdown()
        await asyncio.gather(*(server.stop(settings.grace_s) for server in servers))
        log.info("stopped")


def _server(settings: ServerSettings, guard: Guard, services: Sequence[Service]) -> grpc.aio.Server:
    server = grpc.aio.server(
        interceptors=(guard,),
        options=_options(services),
        maximum_concurrent_rpcs=settings.max_calls,
    )
    for service in services:
        service.register(server)
    return server


def _options(services: Sequence[Service]) -> tuple[tuple[str, Any], ...]:
    if any(service.pieces for service in services):
        return (*_OPTIONS, ("grpc.http2.lookahead_bytes", _AHEAD_BYTES))
    return _OPTIONS


async def _say_serving(
    health: HealthServicer,
    services: Sequence[Service],
    ready: Callable[[], Awaitable[object]] | None,
) -> None:
    if ready:
        await ready()
    for name in ("", *(service.name for service in services)):
        await health.set(name, health_pb2.HealthCheckResponse.SERVING)


def run(process: str, cls: type[S], main: Callable[[S], Awaitable[None]], *, prefix: str) -> None:
    """Run a process: read its settings, set up its logs, run `main` to the end.

    Exits with status 2 if a setting is missing or wrong.
    """
    os.umask(0o077)
    try:
        settings = load(cls, prefix, os.environ)
    except SettingsError as error:
        print(f"{process}: {error}", file=sys.stderr)  # noqa: T201 - logs are not set up yet
        sys.exit(2)
    telemetry.configure_logging(process, level=settings.log_level, fmt=settings.log_format)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(main(settings))  # type: ignore[arg-type]
        except SettingsError as error:
            print(f"{process}: {error}", file=sys.stderr)  # noqa: T201 - whoever starts it reads that
            sys.exit(2)


def _chassis_services(
    health: HealthServicer, settings: ServerSettings, services: Sequence[Service]
) -> list[Service]:
    rows = [
        Service(
            health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
            lambda server: health_pb2_grpc.add_HealthServicer_to_server(health, server),
            ANYONE,
            permissions=FREE,
        )
    ]
    if settings.reflection:
        names = (*(service.name for service in services), reflection.SERVICE_NAME)
        rows.append(
            Service(
                reflection.SERVICE_NAME,
                lambda server: reflection.enable_server_reflection(names, server),
                ANYONE,
                permissions=FREE,
            )
        )
    return rows


async def _until_told_to_stop(
    background: Callable[[], Awaitable[None]] | None, on_stop: Callable[[], bool] | None
) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    postponed = False

    def stop() -> None:
        nonlocal postponed
        if on_stop and not postponed and (postponed := on_stop()):
            return
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    waiting: set[asyncio.Future[Any]] = {asyncio.ensure_future(told.wait())}
    if background:
        waiting.add(asyncio.ensure_future(background()))
    done, rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    for task in done:
        task.result()
