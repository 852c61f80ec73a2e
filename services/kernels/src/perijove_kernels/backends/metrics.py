"""Who waits for a place at this replica, as metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

    from perijove_kernels.placing import Placing


class WaitingMetrics(Collector):
    """Reads them when they are asked for."""

    def __init__(self, placing: Placing) -> None:
        self._placing = placing

    def collect(self) -> Iterator[Metric]:
        """Return them as they are now."""
        waiting = list(self._placing.waiting.values())
        yield GaugeMetricFamily(
            "perijove_kernels_waiting",
            "Starts of kernels that wait for a place at this replica",
            len(waiting),
        )
        yield GaugeMetricFamily(
            "perijove_kernels_queue_length",
            "Starts of kernels that wait at any replica, as those here were told last",
            max((queued.length for queued in waiting), default=0),
        )
        yield GaugeMetricFamily(
            "perijove_kernels_queue_last_place",
            "The last place in the queue of those that wait here",
            max((queued.place for queued in waiting), default=0),
        )
        ended = CounterMetricFamily(
            "perijove_kernels_waited", "How often waiting has ended how", labels=["outcome"]
        )
        for outcome, number in self._placing.outcomes.items():
            ended.add_metric([outcome.replace(" ", "_")], number)
        yield ended
