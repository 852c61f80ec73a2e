"""The control plane, put together."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from perijove_chassis import tls
from perijove_chassis.watching import Watching

from perijove_kernels import execution_relay, relay, services
from perijove_kernels.announcements import RunnerManager
from perijove_kernels.backends.metrics import WaitingMetrics
from perijove_kernels.backends.redis import RedisKernelStore
from perijove_kernels.backends.runners import GrpcRunners
from perijove_kernels.joining.assembly import doors
from perijove_kernels.kernelspecs import KernelspecManager
from perijove_kernels.last_known import LastKnown
from perijove_kernels.lines import Lines
from perijove_kernels.naming import Naming
from perijove_kernels.placing import Placing
from perijove_kernels.pool import PoolManager
from perijove_kernels.reporting import ReportingManager, Unasked
from perijove_kernels.terminals.assembly import Terminals
from perijove_kernels.watching import ShownKernels

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from perijove_chassis.happening import Happening
    from perijove_chassis.server import Door, Service
    from prometheus_client import CollectorRegistry

    from perijove_kernels.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """What the process does."""

    rows: list[Service]
    """What it serves."""
    doors: list[Door]
    """Where else than at its own address."""
    background: Callable[[], Awaitable[None]]
    """What it does beside that, until it is told to stop."""


@asynccontextmanager
async def assembled(
    settings: Settings, tell: Callable[[Happening], None], registry: CollectorRegistry
) -> AsyncIterator[Parts]:
    """Put the parts together; they are closed when the block ends.

    Args:
        settings: Of the process.
        tell: Told of what is done with kernels.
        registry: Where the parts' metrics go.
    """
    key, dialing, limits = settings.service_key, tls.dialing(settings), settings.limits
    naming = Naming(settings.default_kernelspec, settings.forced_kernelspec)
    store = RedisKernelStore(settings.redis_url.reveal(), limits, settings.quotas)
    runners, lines, last_known = GrpcRunners(key, dialing), Lines(key, dialing), LastKnown()
    watching = Watching(ShownKernels(store))
    announced = RunnerManager(
        store, runners, last_known, watching, limits, observe=Unasked(tell).observe
    )
    placing = Placing(store, runners, settings.quotas)
    registry.register(WaitingMetrics(placing))
    manager = ReportingManager(store, runners, last_known, placing, naming, tell)
    terminals = Terminals(settings, runners, dialing)
    pool = PoolManager(store, runners)
    rows = [
        services.kernels(manager, watching),
        relay.channels(manager.get, key, dialing),
        execution_relay.execution(manager.get, lines),
        services.kernelspecs(KernelspecManager(store, runners, default_kernelspec=naming.of(""))),
        services.runners(announced, pool),
        terminals.service(),
    ]
    also = doors(settings, partial(services.runners, announced, pool))
    async with AsyncExitStack() as stack:
        for part in (store, terminals, lines, runners):
            stack.push_async_callback(part.close)
        yield Parts(rows, also, announced.run)
