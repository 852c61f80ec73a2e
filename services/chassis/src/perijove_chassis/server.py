"""How a process serves gRPC: guarded, observed, health-checked and drained."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import sys
import time
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import grpc
import structlog
import uvloop
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection
from prometheus_client import CollectorRegistry

from perijove_chassis import status, telemetry, users
from perijove_chassis.client import MAX_MESSAGE_BYTES
from perijove_chassis.credentials import Principal, PrincipalKind
from perijove_chassis.errors import DomainError, PermissionDenied
from perijove_chassis.listening import Listening
from perijove_chassis.settings import ServerSettings, SettingsError, load

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from perijove_chassis.credentials import Verifier
    from perijove_chassis.pieces import Pieces

S = TypeVar("S", bound=ServerSettings)

log = structlog.get_logger()

principal: ContextVar[Principal] = ContextVar("principal")
"""The checked caller of the RPC that this task serves."""

ANYONE = frozenset(PrincipalKind)
"""Access for every kind of caller that has a valid credential."""

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
class Service:
    """One gRPC service of a process."""

    name: str
    """Full name, for example `perijove.contents.v1.ContentsService`."""
    register: Callable[[grpc.aio.Server], None]
    """Adds the servicer to a server."""
    access: frozenset[PrincipalKind]
    """Who may call it."""
    access_by_method: Mapping[str, frozenset[PrincipalKind]] | None = None
    """Who may call single methods, in place of `access`."""
    pieces: Mapping[str, Pieces[Any]] | None = None
    """How the messages of streamed methods travel that are mostly runs of bytes."""


class Guard(grpc.aio.ServerInterceptor):
    """Around every RPC: who calls, may it, what came of it, how long it took.

    Nothing is allowed by default: an RPC of a service without a row is refused.
    """

    def __init__(
        self,
        verifier: Verifier,
        services: Sequence[Service],
        metrics: telemetry.CallMetrics,
    ) -> None:
        self._verifier = verifier
        self._services = {service.name: service for service in services}
        self._metrics = metrics
        self._guarded: dict[str, grpc.RpcMethodHandler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:  # noqa: ANN401 - handlers are of four shapes
        """Return the handler of a call, guarded."""
        method = handler_call_details.method
        guarded = self._guarded.get(method)
        if guarded is None:
            handler = await continuation(handler_call_details)
            if handler is None:
                # Not kept: callers could fill the table with invented names.
                return grpc.unary_unary_rpc_method_handler(self._around(method, _unknown))
            guarded = self._guarded[method] = self._guard(method, handler)
        return guarded

    def _guard(self, method: str, handler: grpc.RpcMethodHandler) -> grpc.RpcMethodHandler:
        kinds = {
            (False, False): ("unary_unary", grpc.unary_unary_rpc_method_handler),
            (False, True): ("unary_stream", grpc.unary_stream_rpc_method_handler),
            (True, False): ("stream_unary", grpc.stream_unary_rpc_method_handler),
            (True, True): ("stream_stream", grpc.stream_stream_rpc_method_handler),
        }
        name, make = kinds[handler.request_streaming, handler.response_streaming]
        behavior = getattr(handler, name)
        if inspect.isasyncgenfunction(behavior):
            behavior = _as_writer(behavior)
        parse, serialize = handler.request_deserializer, handler.response_serializer
        row, short = self._row(method)
        if pieces := ((row and row.pieces) or {}).get(short):
            parse = pieces.parse if handler.request_streaming else parse
            serialize = pieces.serialize if handler.response_streaming else serialize
        return make(
            self._around(method, behavior),
            request_deserializer=parse,
            response_serializer=serialize,
        )

    def _around(self, method: str, behavior: Any) -> Any:  # noqa: ANN401 - of four shapes
        async def guarded(request: Any, context: grpc.aio.ServicerContext) -> Any:  # noqa: ANN401
            began = time.perf_counter()
            code = grpc.StatusCode.OK
            try:
                self._admit(method, context)
                return await behavior(request, context)
            except asyncio.CancelledError:
                code = grpc.StatusCode.CANCELLED
                raise
            except grpc.aio.AbortError:
                code = (
                    grpc.StatusCode(context.code()) if context.code() else grpc.StatusCode.UNKNOWN
                )
                raise
            except DomainError as error:
                code = status.code_of(error)
                await context.abort(code, str(error), status.trailers_of(error))
            except NotImplementedError:
                code = grpc.StatusCode.UNIMPLEMENTED
                await context.abort(code, "there is no such method")
            except Exception:
                # Not ours to explain: the log gets the story, the client only the fact.
                code = grpc.StatusCode.INTERNAL
                log.exception("unexpected error", method=method)
                await context.abort(code, "internal error")
            finally:
                self._record(method, code.name, time.perf_counter() - began)

        return guarded

    def _admit(self, method: str, context: grpc.aio.ServicerContext) -> None:
        metadata = dict(context.invocation_metadata() or ())
        telemetry.request_id.set(
            str(metadata.get(telemetry.REQUEST_ID_KEY) or telemetry.new_request_id())[:64]
        )
        caller = self._verifier.verify(str(metadata.get("authorization", "")))
        principal.set(caller)
        users.user.set(users.user_of(caller, metadata))
        row, name = self._row(method)
        allowed: frozenset[PrincipalKind] = frozenset()
        if row:
            allowed = (row.access_by_method or {}).get(name, row.access)
        if caller.kind not in allowed:
            raise PermissionDenied("the credential may not make this call", reason="NOT_ALLOWED")

    def _row(self, method: str) -> tuple[Service | None, str]:
        service, _, name = method[1:].partition("/")
        return self._services.get(service), name

    def _record(self, method: str, code: str, seconds: float) -> None:
        known = method if method in self._guarded else "unknown"
        self._metrics.observe(known, code, seconds)
        caller = principal.get(None)
        log.info(
            "rpc",
            method=method[:200],
            code=code,
            ms=round(seconds * 1000, 2),
            caller=caller.name if caller else None,
        )


async def serve(
    settings: ServerSettings,
    verifier: Verifier,
    services: Sequence[Service],
    *,
    background: Callable[[], Awaitable[None]] | None = None,
    ready: Callable[[], Awaitable[object]] | None = None,
    registry: CollectorRegistry | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then say NOT_SERVING, drain, and return.

    Args:
        settings: Where to listen, and how to observe.
        verifier: Checks every call's credential.
        services: What to serve.
        background: Work to do beside serving. It is cancelled at the end; the
            process ends if it fails.
        ready: Returns when the process is of use; its health is NOT_SERVING
            before that, though it answers. At once if not given.
        registry: Metrics to serve besides those of the calls.
    """
    metrics = telemetry.CallMetrics(registry or CollectorRegistry())
    health = HealthServicer()
    for name in ("", *(service.name for service in services)):
        await health.set(name, health_pb2.HealthCheckResponse.NOT_SERVING)
    guarded = [*services, *_chassis_services(health, settings, services)]
    server = grpc.aio.server(
        interceptors=(Guard(verifier, guarded, metrics),),
        options=_options(services),
        maximum_concurrent_rpcs=settings.max_calls,
    )
    for service in guarded:
        service.register(server)
    with Listening(settings.listen):
        server.add_insecure_port(settings.listen)
        await server.start()
    if settings.metrics_listen:
        telemetry.serve_metrics(metrics.registry, settings.metrics_listen)
    saying = asyncio.ensure_future(_say_serving(health, services, ready))
    log.info("serving", listen=settings.listen)
    try:
        await _until_told_to_stop(background)
    finally:
        saying.cancel()
        log.info("draining", grace_s=settings.grace_s)
        await health.enter_graceful_shutdown()
        await server.stop(settings.grace_s)
        log.info("stopped")


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
        )
    ]
    if settings.reflection:
        names = (*(service.name for service in services), reflection.SERVICE_NAME)
        rows.append(
            Service(
                reflection.SERVICE_NAME,
                lambda server: reflection.enable_server_reflection(names, server),
                ANYONE,
            )
        )
    return rows


async def _until_told_to_stop(background: Callable[[], Awaitable[None]] | None) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    waiting: set[asyncio.Future[Any]] = {asyncio.ensure_future(told.wait())}
    if background:
        waiting.add(asyncio.ensure_future(background()))
    done, rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    for task in done:
        task.result()


def _as_writer(behavior: Any) -> Any:  # noqa: ANN401
    async def write(request: Any, context: grpc.aio.ServicerContext) -> None:  # noqa: ANN401
        # Closed here and now, also when the client goes away in the middle.
        async with aclosing(behavior(request, context)) as responses:
            async for response in responses:
                await context.write(response)

    return write


async def _unknown(_request: object, _context: object) -> NoReturn:
    raise NotImplementedError
