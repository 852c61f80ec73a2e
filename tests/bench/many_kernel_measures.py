"""Measurements of kernels that are there, or work, at the same time."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.bench import kernel_measures, messages
from tests.bench.http_client import KernelSocket
from tests.bench.servers import ECHO_KERNEL, HttpServer

WAIT_S = 240.0


async def execute_rate(server: HttpServer, kernels: int, seconds: float) -> float:
    """Return cells a second of kernels that work at the same time, each with a client."""
    async with asyncio.timeout(WAIT_S), _connected(server, kernels) as sockets:
        start = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_execute(ws, start + seconds)) for ws in sockets]
        taken = time.perf_counter() - start
    return sum(task.result() for task in tasks) / taken


async def memory_mb(server: HttpServer, kernels: int) -> float:
    """Return what a kernel with a client takes of the server's processes, in MB.

    Only of what they have written: what they share with the kernels' processes they
    have a smaller share of when there are more of these, though it takes no less.
    """
    async with asyncio.timeout(WAIT_S):
        async with _connected(server, kernels):
            pass  # whatever is kept once and for all is there
        before = server.written_mb()
        async with _connected(server, kernels) as sockets:
            for ws in sockets:
                await kernel_measures.until_done(ws, messages.execute("pass"))
            after = server.written_mb()
    return (after - before) / kernels


@asynccontextmanager
async def _connected(server: HttpServer, kernels: int) -> AsyncIterator[list[KernelSocket]]:
    """Run kernels that do next to nothing; gives a WebSocket to each."""
    ready: asyncio.Queue[KernelSocket] = asyncio.Queue()
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(kernels):
            group.create_task(_hold(server, ready, over))
        yield [await ready.get() for _ in range(kernels)]
        over.set()


async def _hold(
    server: HttpServer, ready: asyncio.Queue[KernelSocket], over: asyncio.Event
) -> None:
    async with kernel_measures.kernel(server, ECHO_KERNEL) as kernel_id:
        ws = await KernelSocket.open(server.url, server.token, kernel_id, messages.FRAMING_V1)
        await kernel_measures.until_done(ws, messages.kernel_info())
        ready.put_nowait(ws)
        await over.wait()
        ws.close()


async def _execute(ws: KernelSocket, until: float) -> int:
    done = 0
    while time.perf_counter() < until:
        await kernel_measures.until_done(ws, messages.execute("pass"))
        done += 1
    return done
