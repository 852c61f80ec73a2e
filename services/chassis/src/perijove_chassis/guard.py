"""Around every RPC of a server: who calls, may it, what came of it."""

from __future__ import annotations

import asyncio
import inspect
import time
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
import structlog

from perijove_chassis import permissions, status, telemetry, users
from perijove_chassis.credentials import Principal, PrincipalKind
from perijove_chassis.errors import DomainError, PermissionDenied, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from perijove_chassis.credentials import Verifier
    from perijove_chassis.pieces import Pieces

log = structlog.get_logger()

principal: ContextVar[Principal] = ContextVar("principal")
"""The checked caller of the RPC that this task serves."""

ANYONE = frozenset(PrincipalKind)
"""Access for every kind of caller that has a valid credential."""


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
    permissions: frozenset[str] = frozenset()
    """Of which a user needs one whose permissions are limited."""
    permissions_by_method: Mapping[str, frozenset[str]] | None = None
    """The same for single methods, in place of `permissions`."""

    def needed(self, method: str) -> frozenset[str]:
        """Return the permissions of which one is needed for a method."""
        return (self.permissions_by_method or {}).get(method, self.permissions)


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
        if not self._is_somebody(handler_call_details):
            # A stream is refused before anything of it is read into memory.
            return grpc.stream_stream_rpc_method_handler(self._around(method, _unknown))
        guarded = self._guarded.get(method)
        if guarded is None:
            handler = await continuation(handler_call_details)
            if handler is None:
                # Not kept: callers could fill the table with invented names.
                return grpc.unary_unary_rpc_method_handler(self._around(method, _unknown))
            guarded = self._guarded[method] = self._guard(method, handler)
        return guarded

    def _is_somebody(self, details: grpc.HandlerCallDetails) -> bool:
        try:
            self._verifier.verify(_authorization(details.invocation_metadata))
        except Unauthenticated:
            return False
        return True

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
        users.user.set(caller.user)
        permissions.permissions.set(caller.permissions)
        row, name = self._row(method)
        allowed: frozenset[PrincipalKind] = frozenset()
        if row:
            allowed = (row.access_by_method or {}).get(name, row.access)
        if caller.kind not in allowed:
            raise PermissionDenied("the credential may not make this call", reason="NOT_ALLOWED")
        if row and not permissions.allow(row.needed(name), caller.permissions):
            raise PermissionDenied("the user may not do this", reason="USER_NOT_ALLOWED")

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
            **({"user": caller.user} if caller and caller.user else {}),
        )


def _as_writer(behavior: Any) -> Any:  # noqa: ANN401
    async def write(request: Any, context: grpc.aio.ServicerContext) -> None:  # noqa: ANN401
        # Closed here and now, also when the client goes away in the middle.
        async with aclosing(behavior(request, context)) as responses:
            async for response in responses:
                await context.write(response)

    return write


def _authorization(metadata: Iterable[tuple[str, str | bytes]] | None) -> str:
    return next((str(value) for key, value in metadata or () if key == "authorization"), "")


async def _unknown(_request: object, _context: object) -> NoReturn:
    raise NotImplementedError
