"""Measurements over the WebSockets of a kernel."""

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.bench import echo_kernel, messages
from tests.bench.http_client import HttpConnection, KernelSocket, request
from tests.bench.messages import Framing
from tests.bench.servers import ECHO_KERNEL, PYTHON_KERNEL, HttpServer

WAIT_S = 120.0
ANSWER_S = 60.0
"""For a request about a kernel, also while what has been waited for too long is cleaned up."""

WARM_UP = 10
REPEATS = 3
"""Floods of which the median counts: one lasts a fraction of a second."""
ITEM = echo_kernel.ITEM.encode()


@asynccontextmanager
async def kernel(server: HttpServer, name: str) -> AsyncIterator[str]:
    """Run a kernel on the server; gives its id."""
    body = json.dumps({"name": name}).encode()
    url = f"{server.url}api/kernels"
    kernel_id = json.loads(await ask_once(server, request("POST", url, server.token, body)))["id"]
    try:
        yield kernel_id
    finally:
        await ask_once(server, request("DELETE", f"{url}/{kernel_id}", server.token))


async def ask_once(server: HttpServer, ready: bytes) -> bytes:
    """Send a request over a connection that nothing has happened to; returns the body."""
    async with asyncio.timeout(ANSWER_S):
        http = await HttpConnection.open(server.url)
        try:
            return await http.send(ready)
        finally:
            http.close()


async def round_trip_ms(server: HttpServer, framing: Framing, number: int) -> float:
    """Return the median time of an empty cell in ms: request to reply and idle."""
    async with asyncio.timeout(WAIT_S), kernel(server, PYTHON_KERNEL) as kernel_id:
        ws = await KernelSocket.open(server.url, server.token, kernel_id, framing)
        await until_done(ws, messages.kernel_info())
        for _ in range(WARM_UP):
            await until_done(ws, messages.execute("pass"))
        times = [await until_done(ws, messages.execute("pass")) for _ in range(number)]
        ws.close()
    return statistics.median(times) * 1000


async def flood_rate(
    server: HttpServer, number: int, framing: Framing = messages.FRAMING_V1, command: str = "flood"
) -> float:
    """Return messages a second to one client when one cell publishes many."""
    async with asyncio.timeout(WAIT_S), kernel(server, ECHO_KERNEL) as kernel_id:
        ws = await KernelSocket.open(server.url, server.token, kernel_id, framing)
        seconds = await _flood([ws], f"{command} {number}", number)
    return number / seconds


async def fan_out_rate(server: HttpServer, clients: int, number: int) -> float:
    """Return deliveries a second when one cell publishes many messages to many clients."""
    async with asyncio.timeout(WAIT_S), kernel(server, ECHO_KERNEL) as kernel_id:
        sockets = [
            await KernelSocket.open(server.url, server.token, kernel_id, messages.FRAMING_V1)
            for _ in range(clients)
        ]
        seconds = await _flood(sockets, f"flood {number}", number)
    return clients * number / seconds


async def _flood(sockets: list[KernelSocket], code: str, number: int) -> float:
    """Return the median seconds until all have what the code publishes; hang up."""
    for ws in sockets:
        await until_done(ws, messages.kernel_info())
    await _flood_once(sockets, "flood 10", 10)
    times = [await _flood_once(sockets, code, number) for _ in range(REPEATS)]
    for ws in sockets:
        ws.close()
    return statistics.median(times)


async def _flood_once(sockets: list[KernelSocket], code: str, number: int) -> float:
    start = time.perf_counter()
    sockets[0].send(sockets[0].framing.pack(*messages.execute(code)))
    async with asyncio.TaskGroup() as group:
        for ws in sockets:
            group.create_task(ws.count(ITEM, number))
    return time.perf_counter() - start


async def until_done(ws: KernelSocket, message: tuple[dict[str, str], dict[str, object]]) -> float:
    """Send a request; return the seconds until its reply and `idle` are here."""
    start = time.perf_counter()
    ws.send(ws.framing.pack(*message))
    ended = 0
    while ended != 1 | 2:
        ended |= messages.ends_request(await ws.receive(), message[0]["msg_id"])
    return time.perf_counter() - start
