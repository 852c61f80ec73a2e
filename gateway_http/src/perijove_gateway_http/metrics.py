"""What Prometheus is told: under the names of Jupyter Server, so that its dashboards work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class HttpMetrics:
    """Counts and times requests."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        """Takes further metrics of this process."""
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "Seconds that requests took, by method, route and status.",
            ["method", "handler", "status_code"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        # Finding the row of a metric takes longer than counting in it.
        self._rows: dict[tuple[str, str, int], Histogram] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Record one request; methods and routes are of bounded sets."""
        row = self._rows.get((method, route, status))
        if row is None:
            row = self._seconds.labels(method, route, str(status))
            self._rows[method, route, status] = row
        row.observe(seconds)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is so at the moment."""

    version: str
    """Of the API."""
    extensions: Sequence[str]
    """Names of those that are in use."""
    kernels: Mapping[str, int] | None
    """How many run, by kernelspec; None if that is not known."""
    terminals: int | None
    """How many run; None if that is not known."""
    websockets: int
    """How many are open here."""
    started: float
    """When this process started, in seconds since the epoch."""
    last_activity: float
    """When something was last asked for, or last happened in a kernel; the same."""

    def text(self) -> bytes:
        """Return it as Prometheus reads it. What is not known is left out."""
        registry = CollectorRegistry()

        def gauge(name: str, help_: str, *labels: str) -> Gauge:
            return Gauge(name, help_, labels, registry=registry)

        gauge("jupyter_server_info", "The version of the API.", "version").labels(self.version).set(
            1
        )
        extensions = gauge(
            "jupyter_server_extension_info", "Extensions.", "name", "version", "enabled"
        )
        for name in self.extensions:
            extensions.labels(name, "", "true").set(1)
        if self.kernels is not None:
            running = gauge("kernel_currently_running_total", "Kernels that run.", "type")
            for kind, count in self.kernels.items():
                running.labels(kind).set(count)
        if self.terminals is not None:
            gauge("terminal_currently_running_total", "Terminals that run.").set(self.terminals)
        gauge("perijove_websockets_open", "WebSockets of this process.").set(self.websockets)
        for name, help_, value in (
            ("last_activity_timestamp", "When something last happened.", self.last_activity),
            ("started_timestamp", "When this process started.", self.started),
            ("active_duration", "How long it has been used.", self.last_activity - self.started),
        ):
            gauge(f"jupyter_server_{name}_seconds", help_).set(max(0.0, value))
        return generate_latest(registry)
