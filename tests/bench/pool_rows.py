"""The rows about many runners and many kernels."""

from tests.bench import pool_measures
from tests.bench.measure import Effort, Measure
from tests.bench.targets import Limit, at_most

SIZES = (10, 100, 1_000)


def starts(effort: Effort) -> list[Measure]:
    """Return the rows of starts."""

    def row(runners: int) -> Measure:
        return Measure(
            f"POST of a cheap kernel, {runners} runner{'s' if runners > 1 else ''}",
            "ms",
            lambda server: pool_measures.start_ms(server, runners, effort.starts),
        )

    return [row(runners) for runners in (1, 2, 4)]


def lists(effort: Effort) -> list[Measure]:
    """Return the rows of lists. They are the last of all: what they fill is not emptied."""

    def row(what: str, number: int) -> Measure:
        return Measure(
            f"GET {what}, {number:,} known",
            "ms",
            lambda server: pool_measures.list_ms(server, f"api/{what}", number, effort.seconds),
            (at_most(1),),
            # The sockets that jupyter_server may have are settled with its first kernel.
            fresh=(what, number) == ("kernels", SIZES[0]),
        )

    most = SIZES[-1]
    return [
        *(row(what, number) for number in SIZES for what in ("kernels", "sessions")),
        Measure(
            f"memory of what keeps {most:,} kernels of 50 runners",
            "MB",
            lambda server: pool_measures.keepers_mb(server, most),
            (Limit(150, "MB"),),
            most_rounds=1,
        ),
    ]
