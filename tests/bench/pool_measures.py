"""Measurements of many runners and of many kernels that are known."""

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil

from tests.bench import announced, kernel_measures, rest_measures
from tests.bench.http_client import HttpConnection, request
from tests.bench.more_runners import more_runners
from tests.bench.servers import ECHO_KERNEL, NAMES_ONLY_KERNEL, PERIJOVE, HttpServer

WAIT_S = 300.0
_POLL_S = 0.1
KEEPERS = ("perijove_kernels", "valkey-server")
"""The processes that keep what is known of kernels."""


async def start_ms(server: HttpServer, runners: int, number: int) -> float:
    """Return the median time of a POST in ms that starts a kernel which does next to nothing."""
    url = f"{server.url}api/kernels"
    ready = request("POST", url, server.token, json.dumps({"name": ECHO_KERNEL}).encode())
    times = []
    async with asyncio.timeout(WAIT_S), more_runners(server, runners - 1):
        http = await HttpConnection.open(server.url)
        for _ in range(number):
            start = time.perf_counter()
            kernel_id = json.loads(await http.send(ready))["id"]
            times.append(time.perf_counter() - start)
            await http.send(request("DELETE", f"{url}/{kernel_id}", server.token))
        http.close()
    return statistics.median(times) * 1000


async def list_ms(server: HttpServer, path: str, kernels: int, seconds: float) -> float:
    """Return the time of a GET in ms while so many kernels with a session are known."""
    async with asyncio.timeout(WAIT_S), _known(server, kernels):
        ready = rest_measures.get(server, path)
        while len(json.loads(await kernel_measures.ask_once(server, ready))) < kernels:  # noqa: ASYNC110
            await asyncio.sleep(_POLL_S)
        return 1000 / await rest_measures.rate(server, [ready], seconds)


async def keepers_mb(server: HttpServer, kernels: int) -> float:
    """Return the memory of the processes that keep what is known of kernels, in MB.

    Of a server that is one process, all of it.
    """
    async with asyncio.timeout(WAIT_S), _known(server, kernels):
        await kernel_measures.ask_once(server, rest_measures.get(server, "api/sessions"))
        by_process = server.memory_by_process_mb()
        if server.name != PERIJOVE:
            return sum(by_process.values())
        return sum(mb for pid, mb in by_process.items() if _keeps(pid))


@asynccontextmanager
async def _known(server: HttpServer, number: int) -> AsyncIterator[None]:
    """Have so many kernels be known, each with a session; they are not taken away again."""
    if server.name == PERIJOVE:
        async with announced.kernels(server, number):
            yield
        return
    http = await HttpConnection.open(server.url)
    sessions = json.loads(await http.send(rest_measures.get(server, "api/sessions")))
    for index in range(len(sessions), number):
        path = f"{index}.ipynb"
        body = {"path": path, "type": "notebook", "name": path}
        body["kernel"] = {"name": NAMES_ONLY_KERNEL}
        url = f"{server.url}api/sessions"
        await http.send(request("POST", url, server.token, json.dumps(body).encode()))
    http.close()
    yield


def _keeps(pid: int) -> bool:
    words = " ".join(psutil.Process(pid).cmdline())
    return any(keeper in words for keeper in KEEPERS)
