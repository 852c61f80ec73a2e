"""What a measure is, and how much is done for one."""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Self

from tests.bench.servers import HttpServer
from tests.bench.targets import Goal


@dataclasses.dataclass(frozen=True, slots=True)
class Measure:
    """One row of the table."""

    name: str
    unit: str
    over_http: Callable[[HttpServer], Awaitable[float]]
    targets: tuple[Goal, ...] = ()
    direct: Callable[[], float] | None = None
    most_rounds: int = 100
    """For what takes so long that it is not repeated."""
    fresh: bool = False
    """Whether the servers are started anew for it: what they did before would show."""


@dataclasses.dataclass(frozen=True, slots=True)
class Effort:
    """How much is done for one value."""

    executions: int
    flood: int
    fan_out: int
    large: int
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
            large=200,
            printed_mb=200,
            idle_sockets=5_000,
            starts=10,
            seconds=2.0,
            file_mib=2048,
        )

    @classmethod
    def quick(cls) -> Self:
        """Return what shows that it works, and roughly how things stand."""
        return cls(
            executions=15,
            flood=10_000,
            fan_out=200,
            large=200,
            printed_mb=60,
            idle_sockets=200,
            starts=5,
            seconds=0.5,
            file_mib=256,
        )
