"""Measurements of how long a kernel takes from being asked for to its first answer."""

import asyncio
import json
import math
import statistics
import time
import urllib.request

from tests.bench import kernel_measures, messages
from tests.bench.http_client import HttpConnection, KernelSocket, request
from tests.bench.servers import PYTHON_KERNEL, WARM_KERNEL, HttpServer

WAIT_S = 120.0
QUIET_S = 0.3
"""Between two starts, for what ends a kernel to be over."""


async def cold_ms(server: HttpServer, number: int) -> float:
    """Return the median time of a start in ms: POST to the first kernel_info_reply."""
    return statistics.median(await _starts(server, PYTHON_KERNEL, number))


async def warm_ms(server: HttpServer, number: int) -> float:
    """Return the median of the same where the server may have a kernel ready."""
    return statistics.median(await _starts(server, WARM_KERNEL, number))


async def slowest_warm_ms(server: HttpServer, number: int) -> float:
    """Return what 99 % of those starts take at most."""
    times = sorted(await _starts(server, WARM_KERNEL, number))
    return times[math.ceil(0.99 * len(times)) - 1]


async def _starts(server: HttpServer, name: str, number: int) -> list[float]:
    return [await _start(server, name) for _ in range(number)]


async def _start(server: HttpServer, name: str) -> float:
    """Start a kernel with variables and a directory, as a session does; end it."""
    url = f"{server.url}api/kernels"
    env = {"JPY_SESSION_NAME": "start.ipynb", "KERNEL_USERNAME": "bench"}
    body = json.dumps({"name": name, "path": "", "env": env}).encode()
    async with asyncio.timeout(WAIT_S):
        await _until_ready(server, name)
        await asyncio.sleep(QUIET_S)
        http = await HttpConnection.open(server.url)
        start = time.perf_counter()
        kernel_id = json.loads(await http.send(request("POST", url, server.token, body)))["id"]
        ws = await KernelSocket.open(server.url, server.token, kernel_id, messages.FRAMING_V1)
        header, content = messages.kernel_info()
        ws.send(ws.framing.pack(header, content))
        while messages.ends_request(await ws.receive(), header["msg_id"]) != 1:
            pass
        seconds = time.perf_counter() - start
        ws.close()
        http.close()
        delete = request("DELETE", f"{url}/{kernel_id}", server.token)
        await kernel_measures.ask_once(server, delete)
    return seconds * 1000


async def _until_ready(server: HttpServer, name: str) -> None:
    """Wait until the server has a kernel ready, if it ever has one."""
    if name == WARM_KERNEL and server.metrics_url:
        wanted = f'perijove_warm_kernels{{kernelspec="{name}"}} 1.0'
        while wanted not in await asyncio.to_thread(_read, server.metrics_url):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - our own
        return str(response.read(), "utf-8")
