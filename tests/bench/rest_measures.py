"""Measurements over the REST API."""

import asyncio
import base64
import json
import random
import time
from pathlib import Path

from tests.bench.http_client import HttpConnection, request
from tests.bench.servers import HttpServer

WAIT_S = 120.0


def notebook(cells: int, output_bytes: int) -> dict[str, object]:
    """Return a valid notebook whose cells put out text and pictures of a size in turn."""
    text = f"{'x' * 79}\n" * (output_bytes // 80)
    picture = base64.b64encode(random.Random(1).randbytes(output_bytes * 3 // 4)).decode()  # noqa: S311, no secret
    outputs: list[dict[str, object]] = [
        {"output_type": "stream", "name": "stdout", "text": text},
        {"output_type": "display_data", "metadata": {}, "data": {"image/png": picture}},
    ]
    return {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{index}",
                "source": "show(data)",
                "execution_count": index,
                "metadata": {},
                "outputs": [outputs[index % 2]],
            }
            for index in range(cells)
        ],
        "metadata": {"kernelspec": {"name": "bench-python", "display_name": "Python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


SMALL = notebook(5, 200)
LARGE = notebook(50, 100_000)


def prepare(root: Path) -> None:
    """Write the files that are asked for."""
    (root / "small.ipynb").write_text(json.dumps(SMALL))
    (root / "large.ipynb").write_text(json.dumps(LARGE))
    (root / "many").mkdir()
    for number in range(100):
        (root / "many" / f"notebook-{number}.ipynb").write_text(json.dumps(SMALL))
        (root / "many" / f"table-{number}.csv").write_text("a,b\n1,2\n")


def get(server: HttpServer, path: str) -> bytes:
    """Return the bytes of a GET."""
    return request("GET", server.url + path, server.token)


def put_notebook(server: HttpServer, path: str, content: dict[str, object]) -> bytes:
    """Return the bytes of a PUT of a notebook."""
    body = json.dumps({"type": "notebook", "format": "json", "content": content}).encode()
    return request("PUT", f"{server.url}api/contents/{path}", server.token, body)


async def rate(server: HttpServer, ready: bytes, connections: int, seconds: float) -> float:
    """Return answers a second to the same request over some connections, for some time."""
    async with asyncio.timeout(WAIT_S):
        https = [await HttpConnection.open(server.url) for _ in range(connections)]
        await https[0].send(ready)
        start = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_ask(http, ready, start + seconds)) for http in https]
        taken = time.perf_counter() - start
        for http in https:
            http.close()
    return sum(task.result() for task in tasks) / taken


async def _ask(http: HttpConnection, ready: bytes, until: float) -> int:
    done = 0
    while done == 0 or time.perf_counter() < until:
        await http.send(ready)
        done += 1
    return done
