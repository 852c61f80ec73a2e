"""All that is measured, in the order of the table."""

from tests.bench import kernel_rows, pool_rows, rest_rows
from tests.bench.measure import Effort, Measure
from tests.bench.servers import HttpServer
from tests.bench.targets import Limit


def every(effort: Effort) -> list[Measure]:
    """Return all measures in the order of the table."""
    return [
        _idle_memory(),
        *kernel_rows.rows(effort),
        *pool_rows.starts(effort),
        *rest_rows.rows(effort),
        *pool_rows.lists(effort),
    ]


def _idle_memory() -> Measure:
    async def memory(server: HttpServer) -> float:
        return server.memory_mb()

    return Measure(
        "memory of all processes at idle, without kernels (PSS)",
        "MB",
        memory,
        (Limit(240, "MB"),),
    )
