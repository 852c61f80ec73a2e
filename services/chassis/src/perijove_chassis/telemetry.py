"""Logs and metrics: one structured line and one observation per call."""

from __future__ import annotations

import logging
import random
import sys
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

from perijove_chassis.log_lines import LogLines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REQUEST_ID_KEY = "x-request-id"
"""Metadata key under which a request's id travels from process to process."""

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Id of the request that this task serves; it is in every log line and every call made."""

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


def new_request_id() -> str:
    """Return an id that no other request has. It is no secret: it only tells requests apart."""
    # To ask the system for randomness lets another thread in, which costs far more.
    return f"{random.getrandbits(64):016x}"


def configure_logging(process: str, *, level: str, fmt: str) -> None:
    """Send all logs of this process to stderr, one line each.

    Libraries that log through `logging` are included, from `warning` up.
    """
    renderer: Any = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    if fmt == "json":
        renderer = _as_json
    shared: list[Any] = [_saying_whose_and_when(process), structlog.processors.format_exc_info]
    lines = LogLines(sys.stderr.buffer)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


class CallMetrics:
    """Counts and times the calls a process serves."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._handled = Counter(
            "perijove_calls_total",
            "Calls served, by method and outcome.",
            ["method", "code"],
            registry=registry,
        )
        self._seconds = Histogram(
            "perijove_call_seconds",
            "Seconds that calls took, by method.",
            ["method"],
            buckets=_SECONDS,
            registry=registry,
        )
        # Finding the row of a metric takes longer than counting in it.
        self._rows: dict[tuple[str, str], tuple[Counter, Histogram]] = {}

    def observe(self, method: str, code: str, seconds: float) -> None:
        """Record one finished call; methods are names of a bounded set."""
        row = self._rows.get((method, code))
        if row is None:
            row = self._handled.labels(method, code), self._seconds.labels(method)
            self._rows[method, code] = row
        handled, took = row
        handled.inc()
        took.observe(seconds)


def serve_metrics(registry: CollectorRegistry, listen: str) -> None:
    """Serve a registry to Prometheus on `host:port`, from a thread of its own."""
    host, _, port = listen.rpartition(":")
    start_http_server(int(port), addr=host or "127.0.0.1", registry=registry)


def _saying_whose_and_when(process: str) -> Callable[[object, str, Any], Mapping[str, Any]]:
    known = (0, "")

    def add(_logger: object, name: str, event: Any) -> Mapping[str, Any]:  # noqa: ANN401
        nonlocal known
        event.setdefault("process", process)
        if current := request_id.get():
            event.setdefault("request_id", current)
        event["level"] = name
        second, rest = divmod(time.time_ns(), 1_000_000_000)
        if second != known[0]:
            known = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        event["timestamp"] = f"{known[1]}.{rest // 1000:06}Z"
        return event  # type: ignore[no-any-return]

    return add


def _as_json(_logger: object, _name: str, event: object) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()
