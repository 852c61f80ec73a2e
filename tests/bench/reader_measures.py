"""What slow and idle clients cost the others, and the server."""

import asyncio
import statistics
import time
from contextlib import AsyncExitStack

from tests.bench import echo_kernel, kernel_measures, memory_measures, messages
from tests.bench.http_client import KernelSocket
from tests.bench.servers import ECHO_KERNEL, HttpServer

WAIT_S = 120.0
MANY_WAIT_S = 600.0
"""The same for thousands of sockets, which are opened one after the other."""
KERNELS = 50
"""Kernels that idle sockets are spread over."""

_TURNS = 3
_HELD_BYTES = 2**14
"""What a slow client holds of what it has not read."""


async def rate_beside_slow(server: HttpServer, printed_mb: int) -> float:
    """Return the rate of a client beside one that reads 10 bytes a second, by its rate alone."""
    async with asyncio.timeout(WAIT_S):
        alone = [await _print(server, printed_mb, slow=False) for _ in range(_TURNS)]
        beside = [await _print(server, printed_mb, slow=True) for _ in range(_TURNS)]
    return statistics.median(alone) / statistics.median(beside)


async def growth_beside_slow_mb(server: HttpServer, printed_mb: int) -> float:
    """Return by how much any process grows while two read, one of them slowly, in MB."""

    async def both() -> None:
        await _print(server, printed_mb, slow=True)

    return await memory_measures.growth_mb(server, both())


async def idle_socket_kb(server: HttpServer, number: int) -> float:
    """Return what a WebSocket takes of all processes that nothing comes over, in kB."""
    async with asyncio.timeout(MANY_WAIT_S), AsyncExitStack() as stack:
        kernel_ids = [
            await stack.enter_async_context(kernel_measures.kernel(server, ECHO_KERNEL))
            for _ in range(KERNELS)
        ]
        for kernel_id in kernel_ids:
            stack.callback((await _socket(server, kernel_id)).close)
        before = server.memory_mb()
        for index in range(number):
            ws = await _socket(server, kernel_ids[index % KERNELS])
            stack.callback(ws.close)
        return (server.memory_mb() - before) * 1024 / number


async def _socket(server: HttpServer, kernel_id: str, limit: int = 2**24) -> KernelSocket:
    return await KernelSocket.open(
        server.url, server.token, kernel_id, messages.FRAMING_V1, limit=limit
    )


async def _print(server: HttpServer, printed_mb: int, *, slow: bool) -> float:
    """Return the seconds in which a client gets all that a cell prints."""
    async with kernel_measures.kernel(server, ECHO_KERNEL) as kernel_id:
        quick = await _socket(server, kernel_id)
        await kernel_measures.until_done(quick, messages.kernel_info())
        reading = None
        if slow:
            other = await _socket(server, kernel_id, _HELD_BYTES)
            reading = asyncio.ensure_future(other.read_slowly())
        start = time.perf_counter()
        quick.send(quick.framing.pack(*messages.execute(f"print {printed_mb}")))
        count = printed_mb * echo_kernel.LARGE_A_MB
        await quick.count(kernel_measures.ITEM, count)
        seconds = time.perf_counter() - start
        if reading:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            other.close()
        quick.close()
    return seconds
