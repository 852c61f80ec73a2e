"""The rows about kernels."""

from tests.bench import (
    direct,
    kernel_measures,
    many_kernel_measures,
    reader_measures,
    start_measures,
)
from tests.bench.measure import Effort, Measure
from tests.bench.messages import FRAMING_LEGACY, FRAMING_V1, Framing
from tests.bench.targets import BesideDirect, Least, Limit, Target, at_most

_KERNELS_IN_MEMORY = 20


def rows(effort: Effort) -> list[Measure]:
    """Return them in the order of the table."""
    return [
        *_round_trips(effort),
        *_floods(effort),
        *_many_kernels(effort),
        *_readers(effort),
        *_starts(effort),
    ]


def _round_trips(effort: Effort) -> list[Measure]:
    def round_trip(name: str, framing: Framing) -> Measure:
        return Measure(
            f"execute round trip, {name}",
            "ms",
            lambda server: kernel_measures.round_trip_ms(server, framing, effort.executions),
            (at_most(0.07), BesideDirect(at_most(2.3))),
            lambda: direct.round_trip_ms(effort.executions),
        )

    return [round_trip("v1", FRAMING_V1), round_trip("legacy protocol", FRAMING_LEGACY)]


def _floods(effort: Effort) -> list[Measure]:
    flood = f"flood of {effort.flood} messages, 1 client"
    return [
        Measure(
            flood,
            "messages/s",
            lambda server: kernel_measures.flood_rate(server, effort.flood),
            (Target(8), BesideDirect(Target(0.65))),
            lambda: direct.flood_rate(effort.flood),
        ),
        Measure(
            f"{flood}, legacy protocol",
            "messages/s",
            lambda server: kernel_measures.flood_rate(server, effort.flood, FRAMING_LEGACY),
            (Target(4),),
        ),
        Measure(
            f"{effort.large} messages of 1 MB, 1 client",
            "messages/s",
            lambda server: kernel_measures.flood_rate(server, effort.large, command="large"),
            (Target(1),),
            lambda: direct.flood_rate(effort.large, "large"),
        ),
        Measure(
            f"{effort.fan_out} messages to 50 clients of a kernel",
            "deliveries/s",
            lambda server: kernel_measures.fan_out_rate(server, 50, effort.fan_out),
            (Target(30),),
        ),
    ]


def _many_kernels(effort: Effort) -> list[Measure]:
    def at_once(kernels: int, target: float) -> Measure:
        return Measure(
            f"cells of {kernels} kernels at once",
            "executes/s",
            lambda server: many_kernel_measures.execute_rate(server, kernels, effort.seconds),
            (Target(target),),
            lambda: direct.execute_rate(kernels, effort.seconds),
        )

    return [
        at_once(20, 5),
        at_once(60, 3),
        Measure(
            f"memory of each of {_KERNELS_IN_MEMORY} connected kernels beyond their processes",
            "MB",
            lambda server: many_kernel_measures.memory_mb(server, _KERNELS_IN_MEMORY),
            (Limit(1.5, "MB"),),
            most_rounds=1,
            fresh=True,
        ),
    ]


def _readers(effort: Effort) -> list[Measure]:
    printed = f"{effort.printed_mb} MB printed, one of two clients reads 10 bytes/s"
    return [
        Measure(
            f"{printed}: rate of the other",
            "of its rate alone",
            lambda server: reader_measures.rate_beside_slow(server, effort.printed_mb),
            (Least(0.9, "of its rate alone"),),
            most_rounds=3,
        ),
        Measure(
            f"{printed}: growth of any process",
            "MB",
            lambda server: reader_measures.growth_beside_slow_mb(server, effort.printed_mb),
            (Limit(64, "MB"),),
            most_rounds=1,
        ),
        Measure(
            f"memory of each of {effort.idle_sockets} idle WebSockets (PSS)",
            "kB",
            lambda server: reader_measures.idle_socket_kb(server, effort.idle_sockets),
            most_rounds=1,
            fresh=True,
        ),
    ]


def _starts(effort: Effort) -> list[Measure]:
    start = "kernel start, POST to kernel_info_reply"
    return [
        Measure(
            f"{start}, cold",
            "ms",
            lambda server: start_measures.cold_ms(server, effort.starts),
            (BesideDirect(at_most(1.1)),),
            lambda: direct.start_ms(effort.starts),
        ),
        Measure(
            f"{start}, warm",
            "ms",
            lambda server: start_measures.warm_ms(server, effort.starts),
        ),
        Measure(
            f"{start}, warm, slowest 1 %",
            "ms",
            lambda server: start_measures.slowest_warm_ms(server, 3 * effort.starts),
            (Limit(50, "ms"),),
            most_rounds=1,
        ),
    ]
