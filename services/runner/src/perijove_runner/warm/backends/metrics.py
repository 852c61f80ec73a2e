"""What is counted of kernels that are started beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perijove_runner.warm.manager import WarmPool


class WarmMetrics:
    """Asks a pool when it is asked itself."""

    def __init__(self, pool: WarmPool) -> None:
        self._pool = pool

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Return the metrics as they are now."""
        ready = GaugeMetricFamily(
            "perijove_warm_kernels",
            "Kernels that are ready and that nobody has asked for yet.",
            labels=["kernelspec"],
        )
        for name, count in self._pool.ready().items():
            ready.add_metric([name], count)
        yield ready
        launches = CounterMetricFamily(
            "perijove_launches",
            "Launches of kernels' processes, by whether one was ready for them.",
            labels=["start"],
        )
        launches.add_metric(["warm"], self._pool.warm)
        launches.add_metric(["cold"], self._pool.cold)
        yield launches
