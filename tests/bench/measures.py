"""What is measured, in what unit, and what is to be reached."""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Self

from tests.bench import (
    direct,
    kernel_measures,
    memory_measures,
    reader_measures,
    rest_measures,
    start_measures,
)
from tests.bench.messages import FRAMING_LEGACY, FRAMING_V1
from tests.bench.rest_measures import LARGE, SMALL
from tests.bench.servers import HttpServer


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """How Perijove is to stand beside jupyter_server."""

    ratio: float
    more_is_better: bool = True

    def __str__(self) -> str:
        return f"{'>=' if self.more_is_better else '<='} {self.ratio:g}x"

    def met(self, ours: float, theirs: float) -> bool:
        """Tell whether it is reached."""
        ratio = ours / theirs
        return ratio >= self.ratio if self.more_is_better else ratio <= self.ratio


@dataclasses.dataclass(frozen=True, slots=True)
class Limit:
    """What Perijove may take, whatever jupyter_server does."""

    most: float
    unit: str

    def __str__(self) -> str:
        return f"<= {self.most:g} {self.unit}"

    def met(self, ours: float, theirs: float) -> bool:
        """Tell whether it is kept."""
        del theirs
        return ours <= self.most


@dataclasses.dataclass(frozen=True, slots=True)
class Least:
    """What Perijove is to reach, whatever jupyter_server does."""

    least: float
    unit: str

    def __str__(self) -> str:
        return f">= {self.least:g} {self.unit}"

    def met(self, ours: float, theirs: float) -> bool:
        """Tell whether it is reached."""
        del theirs
        return ours >= self.least


@dataclasses.dataclass(frozen=True, slots=True)
class Measure:
    """One row of the table."""

    name: str
    unit: str
    over_http: Callable[[HttpServer], Awaitable[float]]
    target: Target | Limit | Least | None = None
    direct: Callable[[], float] | None = None
    most_rounds: int = 100
    """For what takes so long that it is not repeated."""


@dataclasses.dataclass(frozen=True, slots=True)
class Effort:
    """How much is done for one value."""

    executions: int
    flood: int
    fan_out: int
    printed_mb: int
    idle_sockets: int
    starts: int
    seconds: float
    file_mib: int

    @classmethod
    def full(cls) -> Self:
        """Return what a table in the documentation needs."""
        return cls(
            executions=50,
            flood=10_000,
            fan_out=1_000,
            printed_mb=200,
            idle_sockets=1_000,
            starts=20,
            seconds=3.0,
            file_mib=2048,
        )

    @classmethod
    def quick(cls) -> Self:
        """Return what shows that it works, and roughly how things stand."""
        return cls(
            executions=15,
            flood=10_000,
            fan_out=200,
            printed_mb=60,
            idle_sockets=200,
            starts=5,
            seconds=0.5,
            file_mib=256,
        )


def every(effort: Effort) -> list[Measure]:
    """Return all measures in the order of the table."""
    return [
        _memory(),
        *_kernels(effort),
        *_readers(effort),
        *_starts(effort),
        *_documents(effort),
        *_large_files(effort),
        *_small_requests(effort),
    ]


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


def _readers(effort: Effort) -> list[Measure]:
    printed = f"{effort.printed_mb} MB printed, one of two clients reads 10 bytes/s"
    return [
        Measure(
            f"{printed}: rate of the other",
            "of its rate alone",
            lambda server: reader_measures.rate_beside_slow(server, effort.printed_mb),
            Least(0.9, "of its rate alone"),
            most_rounds=3,
        ),
        Measure(
            f"{printed}: growth of any process",
            "MB",
            lambda server: reader_measures.growth_beside_slow_mb(server, effort.printed_mb),
            Limit(64, "MB"),
            most_rounds=1,
        ),
        Measure(
            f"memory of each of {effort.idle_sockets} idle WebSockets (PSS)",
            "kB",
            lambda server: reader_measures.idle_socket_kb(server, effort.idle_sockets),
            most_rounds=1,
        ),
    ]


def _starts(effort: Effort) -> list[Measure]:
    def start(
        name: str,
        measured: Callable[[HttpServer, int], Awaitable[float]],
        target: Limit | Target | None,
    ) -> Measure:
        return Measure(
            f"kernel start, POST to kernel_info_reply, {name}",
            "ms",
            lambda server: measured(server, effort.starts),
            target,
            lambda: direct.start_ms(effort.starts),
        )

    return [
        start("cold", start_measures.cold_ms, Target(1.1, more_is_better=False)),
        start("warm", start_measures.warm_ms, None),
        start("warm, slowest 1 %", start_measures.slowest_warm_ms, Limit(50, "ms")),
    ]


def _documents(effort: Effort) -> list[Measure]:
    def rest(name: str, ready: Callable[[HttpServer], bytes], target: float) -> Measure:
        return Measure(
            name,
            "requests/s",
            lambda server: rest_measures.rate(server, [ready(server)], effort.seconds),
            Target(target),
        )

    def listing(number: int) -> Measure:
        path = f"api/contents/{rest_measures.directory(number)}"
        return rest(f"GET directory of {number} files", lambda s: rest_measures.get(s, path), 10)

    return [
        listing(200),
        listing(10_000),
        rest("GET 5 MB notebook", lambda s: rest_measures.get(s, "api/contents/large.ipynb"), 3),
        Measure(
            "GET 5 MB notebook that has just changed",
            "requests/s",
            lambda server: rest_measures.rate_of_changed(server, effort.seconds),
        ),
        rest("PUT 5 MB notebook", lambda s: rest_measures.put_notebook(s, "new.ipynb", LARGE), 3),
        Measure(
            "longest GET of a small notebook during PUT of 50 MB",
            "ms",
            rest_measures.longest_wait_ms,
            Limit(50, "ms"),
        ),
    ]


def _large_files(effort: Effort) -> list[Measure]:
    limit = Limit(64, "MB")
    return [
        Measure(
            f"growth of any process during download of {effort.file_mib} MiB",
            "MB",
            lambda server: memory_measures.download_mb(server, effort.file_mib),
            limit,
            most_rounds=1,
        ),
        Measure(
            f"growth of any process during upload of {effort.file_mib} MiB in chunks",
            "MB",
            lambda server: memory_measures.upload_mb(server, effort.file_mib),
            limit,
            most_rounds=1,
        ),
    ]


def _small_requests(effort: Effort) -> list[Measure]:
    def small(
        name: str, ready: Callable[[HttpServer, int], bytes], connections: int, target: float
    ) -> Measure:
        return Measure(
            f"{name}, {connections} connection{'s' if connections > 1 else ''}",
            "requests/s",
            lambda server: rest_measures.rate(
                server, [ready(server, index) for index in range(connections)], effort.seconds
            ),
            Target(target),
        )

    def get(path: str) -> Callable[[HttpServer, int], bytes]:
        return lambda server, _: rest_measures.get(server, path)

    def put(server: HttpServer, index: int) -> bytes:
        return rest_measures.put_notebook(server, f"small-{index}.ipynb", SMALL)

    return [
        small(name, ready, connections, target)
        for name, ready, at_32 in (
            ("GET status", get("api/status"), 1),
            ("GET kernels", get("api/kernels"), 1),
            ("GET sessions", get("api/sessions"), 1),
            ("GET small notebook", get("api/contents/small.ipynb"), 2),
            ("PUT small notebook", put, 2),
        )
        for connections, target in ((1, 1), (32, at_32))
    ]
