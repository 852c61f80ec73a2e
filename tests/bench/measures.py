"""What is measured, in what unit, and what is to be reached."""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Self

from tests.bench import direct, kernel_measures, rest_measures
from tests.bench.messages import FRAMING_LEGACY, FRAMING_V1
from tests.bench.rest_measures import LARGE
from tests.bench.servers import HttpServer


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """How Perijove is to stand beside jupyter_server."""

    ratio: float
    more_is_better: bool = True

    def __str__(self) -> str:
        return f"{'>=' if self.more_is_better else '<='} {self.ratio:g}x"

    def met(self, ratio: float) -> bool:
        """Tell whether a ratio reaches it."""
        return ratio >= self.ratio if self.more_is_better else ratio <= self.ratio


@dataclasses.dataclass(frozen=True, slots=True)
class Measure:
    """One row of the table."""

    name: str
    unit: str
    over_http: Callable[[HttpServer], Awaitable[float]]
    target: Target | None = None
    direct: Callable[[], float] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Effort:
    """How much is done for one value."""

    executions: int
    flood: int
    fan_out: int
    seconds: float

    @classmethod
    def full(cls) -> Self:
        """Return what a table in the documentation needs."""
        return cls(executions=50, flood=10_000, fan_out=1_000, seconds=3.0)

    @classmethod
    def quick(cls) -> Self:
        """Return what shows that it works, and roughly how things stand."""
        return cls(executions=15, flood=10_000, fan_out=200, seconds=0.5)


def every(effort: Effort) -> list[Measure]:
    """Return all measures in the order of the table."""
    return [_memory(), *_kernels(effort), *_documents(effort), *_small_gets(effort)]


def _memory() -> Measure:
    async def memory(server: HttpServer) -> float:
        return server.memory_mb()

    return Measure("memory without kernels (PSS)", "MB", memory)


def _kernels(effort: Effort) -> list[Measure]:
    def round_trip(name: str, framing: object, direct_too: Callable[[], float] | None) -> Measure:
        return Measure(
            f"execute round trip, {name}",
            "ms",
            lambda server: kernel_measures.round_trip_ms(server, framing, effort.executions),
            Target(0.10, more_is_better=False),
            direct_too,
        )

    return [
        round_trip("v1", FRAMING_V1, lambda: direct.round_trip_ms(effort.executions)),
        round_trip("legacy protocol", FRAMING_LEGACY, None),
        Measure(
            f"flood of {effort.flood} messages, 1 client",
            "messages/s",
            lambda server: kernel_measures.flood_rate(server, effort.flood),
            Target(6),
            lambda: direct.flood_rate(effort.flood),
        ),
        Measure(
            f"{effort.fan_out} messages to 50 clients of a kernel",
            "deliveries/s",
            lambda server: kernel_measures.fan_out_rate(server, 50, effort.fan_out),
            Target(20),
        ),
    ]


def _documents(effort: Effort) -> list[Measure]:
    def rest(
        name: str, ready: Callable[[HttpServer], bytes], target: float, unit: str = "requests/s"
    ) -> Measure:
        return Measure(
            name,
            unit,
            lambda server: rest_measures.rate(server, ready(server), 1, effort.seconds),
            Target(target),
        )

    return [
        rest("GET directory of 200 files", lambda s: rest_measures.get(s, "api/contents/many"), 5),
        rest("GET 5 MB notebook", lambda s: rest_measures.get(s, "api/contents/large.ipynb"), 1.5),
        rest(
            "PUT 5 MB notebook",
            lambda s: rest_measures.put_notebook(s, "written.ipynb", LARGE),
            1.5,
        ),
    ]


def _small_gets(effort: Effort) -> list[Measure]:
    paths = {
        "status": "api/status",
        "kernels": "api/kernels",
        "sessions": "api/sessions",
        "small notebook": "api/contents/small.ipynb",
    }

    def small(name: str, path: str, connections: int) -> Measure:
        return Measure(
            f"GET {name}, {connections} connection{'s' if connections > 1 else ''}",
            "requests/s",
            lambda server: rest_measures.rate(
                server, rest_measures.get(server, path), connections, effort.seconds
            ),
            Target(1),
        )

    return [small(name, path, count) for name, path in paths.items() for count in (1, 32)]
