"""The kernels process: `python -m perijove_kernels`."""

from collections.abc import Callable
from functools import partial

from perijove_chassis import server, tls
from perijove_chassis.credentials import Verifier
from perijove_chassis.watching import Watching
from prometheus_client import CollectorRegistry

from perijove_kernels import execution_relay, relay, services
from perijove_kernels.announcements import RunnerManager
from perijove_kernels.backends.events import published
from perijove_kernels.backends.metrics import WaitingMetrics
from perijove_kernels.backends.redis import RedisKernelStore
from perijove_kernels.backends.runners import GrpcRunners
from perijove_kernels.joining.assembly import doors
from perijove_kernels.kernelspecs import KernelspecManager
from perijove_kernels.last_known import LastKnown
from perijove_kernels.lines import Lines
from perijove_kernels.placing import Placing
from perijove_kernels.pool import PoolManager
from perijove_kernels.reporting import Happening, ReportingManager, Unasked
from perijove_kernels.settings import Settings
from perijove_kernels.terminals.assembly import Terminals
from perijove_kernels.watching import ShownKernels


async def main(settings: Settings) -> None:
    """Serve until told to stop."""
    key, dialing, registry = settings.service_key, tls.dialing(settings), CollectorRegistry()
    async with published(settings.events, key, dialing, registry) as tell:
        await _serve(settings, tell, registry)


async def _serve(
    settings: Settings, tell: Callable[[Happening], None], registry: CollectorRegistry
) -> None:
    store = RedisKernelStore(settings.redis_url.reveal(), settings.limits, settings.quotas)
    key, dialing = settings.service_key, tls.dialing(settings)
    runners, lines = GrpcRunners(key, dialing), Lines(key, dialing)
    last_known, default = LastKnown(), settings.default_kernelspec
    watching = Watching(ShownKernels(store))
    observe, limits = Unasked(tell).observe, settings.limits
    announced = RunnerManager(store, runners, last_known, watching, limits, observe)
    placing = Placing(store, runners, settings.quotas)
    registry.register(WaitingMetrics(placing))
    manager = ReportingManager(store, runners, last_known, placing, default, tell)
    terminals = Terminals(settings, runners, dialing)
    pool = PoolManager(store, runners)
    rows = [
        services.kernels(manager, watching),
        relay.channels(manager.get, key, dialing),
        execution_relay.execution(manager.get, lines),
        services.kernelspecs(KernelspecManager(store, runners, default_kernelspec=default)),
        services.runners(announced, pool),
        terminals.service(),
    ]
    verifier = Verifier("kernels", service_key=key, api_token=settings.api_token)
    also = doors(settings, partial(services.runners, announced, pool))
    try:
        await server.serve(
            settings, verifier, rows, background=announced.run, doors=also, registry=registry
        )
    finally:
        await runners.close()
        await lines.close()
        await terminals.close()
        await store.close()


if __name__ == "__main__":
    server.run("kernels", Settings, main, prefix="PERIJOVE_KERNELS_")
