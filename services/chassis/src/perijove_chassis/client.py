"""How a process calls another: with a deadline, a credential, user and request id.

`Channel` stands in for `grpc.aio.Channel` below a generated stub. It adds what
every call needs where the call is made, without a task per call as the
interceptors of grpc.aio take, which cost a fifth of a unary call.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc

from perijove_chassis import permissions, users
from perijove_chassis.telemetry import REQUEST_ID_KEY, request_id
from perijove_chassis.tls import SCHEME, Dialing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perijove_chassis.credentials import Issuer
    from perijove_chassis.pieces import Pieces

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""Largest gRPC message: one kernel message travels whole. Everything else comes in chunks."""

AHEAD_BYTES = 1024 * 1024
"""What a stream of content may have under way: a whole message, and some of the next."""

_OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Otherwise the window of a stream that nobody reads grows to many megabytes.
    ("grpc.http2.bdp_probe", 0),
    # A process that was restarted is found again within a fraction of a second.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # A peer that went silent is noticed within seconds, not minutes.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long calls may take, in seconds; None for streams that live on."""

    default_s: float = 10.0
    by_method: Mapping[str, float | None] = field(default_factory=dict)
    """By the last part of the method's name, for example `RestartKernel`."""

    def of(self, method: str) -> float | None:
        """Return the deadline of a method such as `/package.Service/Method`."""
        return self.by_method.get(method.rpartition("/")[2], self.default_s)


class Channel:
    """A gRPC channel whose calls carry deadline, credential, user and request id.

    Calls wait for a callee that is being restarted, until their deadline.
    """

    def __init__(
        self,
        target: str,
        issuer: Issuer,
        deadlines: Deadlines,
        *,
        retry: Sequence[Mapping[str, str]] = (),
        pieces: Mapping[str, Pieces[Any]] | None = None,
        tls: Dialing | None = None,
    ) -> None:
        """Make a channel; it connects on the first call.

        Args:
            target: gRPC target, for example `unix:/run/contents.sock`; with `tls:`
                before it, only whom the credentials are for is talked to.
            issuer: Signs the credentials for this callee.
            deadlines: How long each method may take.
            retry: Methods (`{"service": ..., "method": ...}`) that may be called
                again when the connection breaks: those that only read.
            pieces: How the messages of streamed methods travel that are mostly
                runs of bytes, by the whole name of the method.
            tls: What is shown and asked for where the target says `tls:`.
        """
        options = _OPTIONS
        if pieces:
            options = (*options, ("grpc.http2.lookahead_bytes", AHEAD_BYTES))
        if retry:
            options = (*options, ("grpc.service_config", _retry_config(retry)))
        self._channel = _dial(target, issuer, options, tls or Dialing())
        self._issuer = issuer
        self._deadlines = deadlines
        self._pieces = pieces or {}

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Return a callable for a unary method; the generated stub calls this."""
        return self._with_extras(method, self._channel.unary_unary(method, *args, **kwargs))

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Return a callable for a server stream; the generated stub calls this."""
        if method in self._pieces:
            kwargs["response_deserializer"] = self._pieces[method].parse
        return self._with_extras(method, self._channel.unary_stream(method, *args, **kwargs))

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Return a callable for a client stream; the generated stub calls this."""
        if method in self._pieces:
            kwargs["request_serializer"] = self._pieces[method].serialize
        return self._with_extras(method, self._channel.stream_unary(method, *args, **kwargs))

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Return a callable for a stream both ways; the generated stub calls this."""
        return self._with_extras(method, self._channel.stream_stream(method, *args, **kwargs))

    async def close(self) -> None:
        """Close the channel; calls in flight are cancelled."""
        await self._channel.close()

    def _with_extras(self, method: str, callable_: Any) -> Any:  # noqa: ANN401
        default = self._deadlines.of(method)
        issuer = self._issuer

        def call(
            request: Any = None,  # noqa: ANN401
            *,
            timeout: float | None = default,
            wait_for_ready: bool = True,
        ) -> Any:  # noqa: ANN401
            shown = issuer.credential(users.user.get(), permissions.permissions.get())
            metadata = (
                ("authorization", shown),
                (REQUEST_ID_KEY, request_id.get()),
            )
            extras = {"timeout": timeout, "metadata": metadata, "wait_for_ready": wait_for_ready}
            return callable_(**extras) if request is None else callable_(request, **extras)

        return call


def _dial(
    target: str, issuer: Issuer, options: Sequence[tuple[str, Any]], tls: Dialing
) -> grpc.aio.Channel:
    if target.startswith(SCHEME):
        return tls.channel(target.removeprefix(SCHEME), issuer.audience, options)
    return grpc.aio.insecure_channel(target, options=options)


def _retry_config(methods: Sequence[Mapping[str, str]]) -> str:
    policy = {
        "maxAttempts": 4,
        "initialBackoff": "0.1s",
        "maxBackoff": "1s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    return json.dumps({"methodConfig": [{"name": list(methods), "retryPolicy": policy}]})
