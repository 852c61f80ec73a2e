"""What https costs: a server that speaks it beside the same one that does not."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from services.chassis.tests.certificates import Root
from tests.bench import kernel_measures, messages, rest_measures, servers
from tests.bench.servers import HttpServer

_TURNS = 3


async def slower_gets(server: HttpServer, path: str, seconds: float) -> float:
    """Return how many times as long a GET takes over https, on a connection that stays open."""

    async def time_of_one(which: HttpServer) -> float:
        ready = rest_measures.get(which, path)
        return 1 / await rest_measures.rate(which, [ready], seconds)

    return await _beside(server, time_of_one)


async def slower_cells(server: HttpServer, number: int) -> float:
    """Return how many times as long an empty cell takes over https."""
    return await _beside(
        server, lambda which: kernel_measures.round_trip_ms(which, messages.FRAMING_V1, number)
    )


async def _beside(server: HttpServer, measure: Callable[[HttpServer], Awaitable[float]]) -> float:
    """Return the ratio of the best of some turns: what disturbs only makes longer."""
    with tempfile.TemporaryDirectory(prefix="pjb") as scratch:
        starting = _encrypted(server, Path(scratch))
        encrypted = await asyncio.to_thread(starting.__enter__)
        try:
            turns = [(await measure(server), await measure(encrypted)) for _ in range(_TURNS)]
        finally:
            await asyncio.to_thread(starting.__exit__, None, None, None)
    return min(with_ for _, with_ in turns) / min(without for without, _ in turns)


@contextmanager
def _encrypted(server: HttpServer, scratch: Path) -> Iterator[HttpServer]:
    certificate, key = Root(scratch).sign("bench", "bench", names=("localhost",))
    start = servers.perijove if server.name == servers.PERIJOVE else servers.jupyter_server
    jupyter_path = scratch / "jupyter"
    servers.write_kernelspecs(jupyter_path)
    options = (f"--certfile={certificate}", f"--keyfile={key}")
    with start(scratch / "home", jupyter_path, *options) as running:
        yield running
