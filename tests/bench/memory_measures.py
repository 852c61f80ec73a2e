"""How much memory large files take on their way."""

import asyncio
import base64
import json
from collections.abc import Awaitable

from tests.bench.http_client import HttpConnection, request
from tests.bench.servers import HttpServer

CHUNK_BYTES = 1024 * 1024
WAIT_S = 600.0

_SAMPLE_S = 0.05


async def download_mb(server: HttpServer, mib: int) -> float:
    """Return by how much the memory of any process grows while a file is downloaded, in MB."""
    with (server.root_dir / "huge.bin").open("wb") as file:
        file.truncate(mib * CHUNK_BYTES)

    async def download() -> None:
        http = await HttpConnection.open(server.url)
        ready = request("GET", f"{server.url}files/huge.bin", server.token)
        received = await http.count_body(ready)
        http.close()
        if received != mib * CHUNK_BYTES:
            raise RuntimeError(f"{server.name} sent {received} bytes")

    return await growth_mb(server, download())


async def upload_mb(server: HttpServer, mib: int) -> float:
    """Return by how much the memory of any process grows while a file is uploaded, in MB."""
    url = f"{server.url}api/contents/uploaded.bin"
    text = base64.b64encode(bytes(CHUNK_BYTES)).decode()

    async def upload() -> None:
        http = await HttpConnection.open(server.url)
        for number in range(1, mib + 1):
            chunk = -1 if number == mib else number
            body = {"type": "file", "format": "base64", "content": text, "chunk": chunk}
            await http.send(request("PUT", url, server.token, json.dumps(body).encode()))
        http.close()

    growth = await growth_mb(server, upload())
    if (server.root_dir / "uploaded.bin").stat().st_size != mib * CHUNK_BYTES:
        raise RuntimeError(f"{server.name} has not stored all of it")
    return growth


async def growth_mb(server: HttpServer, transfer: Awaitable[None]) -> float:
    """Return by how much the memory of any process grows while something is done, in MB."""
    before = server.memory_by_process_mb()
    most = 0.0
    async with asyncio.timeout(WAIT_S):
        task = asyncio.ensure_future(transfer)
        while not task.done():
            await asyncio.wait((task,), timeout=_SAMPLE_S)
            now = await asyncio.to_thread(server.memory_by_process_mb)
            most = max(most, *(now[pid] - before.get(pid, now[pid]) for pid in now))
        await task
    return most
