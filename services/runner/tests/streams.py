"""Streams of a relay, served as a process serves them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import grpc
from perijove_chassis import errors, server, telemetry
from perijove_chassis.credentials import Verifier
from perijove_chassis.settings import Secret
from perijove_chassis.status import error_of
from perijove_runner.channels_servicer import channels_service
from prometheus_client import CollectorRegistry

if TYPE_CHECKING:
    from tests.relays import Client


def guarded() -> tuple[tuple[server.Guard], Secret]:
    """Return what a real process puts before its services."""
    key = Secret("k" * 32)
    verifier = Verifier("runner", service_key=key, api_token=Secret("tok"))
    metrics = telemetry.CallMetrics(CollectorRegistry())

    def lookup(kernel_id: str) -> Any:
        raise NotImplementedError(kernel_id)

    return (server.Guard(verifier, [channels_service(lookup)], metrics),), key


def guarded_always() -> tuple[grpc.aio.ServerInterceptor, ...]:
    """Return a guard that maps errors as a process does, and lets everybody in."""
    guard = guarded()[0][0]
    guard._admit = lambda *_: None  # type: ignore[method-assign]
    guard._is_somebody = lambda _: True  # type: ignore[method-assign]
    return (guard,)


async def failure(client: Client) -> errors.DomainError:
    """Read to the end and return why the stream ended."""
    try:
        while True:
            await client.next()
    except grpc.aio.AioRpcError as error:
        return error_of(error)


async def until_end(client: Client) -> None:
    """Read to the end of a stream that ends well."""
    with suppress(EOFError):
        while True:
            await client.next()
