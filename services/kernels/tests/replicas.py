"""Replicas of the kernels service in this process, on real sockets."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from perijove.kernels.v1 import kernels_pb2_grpc, kernelspecs_pb2_grpc
from perijove_chassis import credentials, server, telemetry
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.settings import Secret
from perijove_chassis.watching import Watching, WatchLimits
from perijove_kernels import services
from perijove_kernels.announcements import RunnerManager
from perijove_kernels.backends.runners import GrpcRunners
from perijove_kernels.kernelspecs import KernelspecManager
from perijove_kernels.last_known import LastKnown
from perijove_kernels.naming import Naming
from perijove_kernels.placement import UNLIMITED, Quotas
from perijove_kernels.placing import Placing
from perijove_kernels.pool import PoolManager
from perijove_kernels.reporting import ReportingManager, Unasked
from perijove_kernels.store import Limits
from perijove_kernels.watching import ShownKernels
from prometheus_client import CollectorRegistry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from perijove_chassis.happening import Happening

KEY = Secret("k" * 32)
TOKEN = "tok"
NAMING = Naming("python3")
LIMITS = Limits(lost_after_s=1.0, forget_after_s=600.0)


async def until(condition: Callable[[], Awaitable[Any]], within_s: float = 20.0) -> Any:
    """Wait until a condition holds, and return what it said."""
    async with asyncio.timeout(within_s):
        while not (found := await condition()):  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.02)
        return found


@dataclass
class Replica:
    """One kernels service."""

    target: str
    store: Any
    grpc_server: grpc.aio.Server
    runners: GrpcRunners
    running: asyncio.Task[None]
    channel: Channel
    kernels: Any
    kernelspecs: Any
    placing: Placing
    told: list[Happening]

    async def close(self) -> None:
        self.running.cancel()
        with suppress(asyncio.CancelledError):
            await self.running
        await self.channel.close()
        await self.grpc_server.stop(0)
        await self.runners.close()
        await self.store.close()


async def start_replica(
    target: str,
    store: Any,
    limits: Limits = LIMITS,
    watch_limits: WatchLimits | None = None,
    quotas: Quotas = UNLIMITED,
    naming: Naming = NAMING,
) -> Replica:
    runners, last_known = GrpcRunners(KEY), LastKnown()
    watching = Watching(ShownKernels(store), watch_limits)
    told: list[Happening] = []
    observe = Unasked(told.append).observe
    announced = RunnerManager(store, runners, last_known, watching, limits, observe)
    placing = Placing(store, runners, quotas)
    manager = ReportingManager(store, runners, last_known, placing, naming, told.append)
    rows = [
        services.kernels(manager, watching),
        services.kernelspecs(KernelspecManager(store, runners, default_kernelspec=naming.of(""))),
        services.runners(announced, PoolManager(store, runners)),
    ]
    verifier = credentials.Verifier("kernels", service_key=KEY, api_token=Secret(TOKEN))
    metrics = telemetry.CallMetrics(CollectorRegistry())
    grpc_server = grpc.aio.server(interceptors=(server.Guard(verifier, rows, metrics),))
    for row in rows:
        row.register(grpc_server)
    grpc_server.add_insecure_port(target)
    await grpc_server.start()
    issuer = credentials.Issuer(credentials.derive_key(KEY, "kernels"), "gateway_http", "kernels")
    channel = Channel(target, issuer, Deadlines(60.0))
    return Replica(
        target,
        store,
        grpc_server,
        runners,
        asyncio.create_task(announced.run()),
        channel,
        kernels_pb2_grpc.KernelsServiceStub(channel),  # type: ignore[arg-type]
        kernelspecs_pb2_grpc.KernelspecsServiceStub(channel),  # type: ignore[arg-type]
        placing,
        told,
    )
