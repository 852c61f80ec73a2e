"""Measurements over the REST API."""

import asyncio
import base64
import json
import random
import time
from collections.abc import Sequence
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


def directory(number: int) -> str:
    """Return the name of the directory that holds so many files."""
    return f"holds-{number}"


def prepare(root: Path) -> None:
    """Write the files that are asked for."""
    (root / "small.ipynb").write_text(json.dumps(SMALL))
    (root / "large.ipynb").write_text(json.dumps(LARGE))
    for total in (200, 10_000):
        folder = root / directory(total)
        folder.mkdir()
        for number in range(total // 2):
            (folder / f"notebook-{number}.ipynb").write_text(json.dumps(SMALL))
            (folder / f"table-{number}.csv").write_text("a,b\n1,2\n")


def get(server: HttpServer, path: str) -> bytes:
    """Return the bytes of a GET."""
    return request("GET", server.url + path, server.token)


def put_notebook(server: HttpServer, path: str, content: dict[str, object]) -> bytes:
    """Return the bytes of a PUT of a notebook."""
    body = json.dumps({"type": "notebook", "format": "json", "content": content}).encode()
    return request("PUT", f"{server.url}api/contents/{path}", server.token, body)


async def rate(server: HttpServer, ready: Sequence[bytes], seconds: float) -> float:
    """Return answers a second to requests, each over a connection of its own, for some time."""
    async with asyncio.timeout(WAIT_S):
        https = [await HttpConnection.open(server.url) for _ in ready]
        for http, request_ in zip(https, ready, strict=True):
            await http.send(request_)
        start = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_ask(http, request_, start + seconds))
                for http, request_ in zip(https, ready, strict=True)
            ]
        taken = time.perf_counter() - start
        for http in https:
            http.close()
    return sum(task.result() for task in tasks) / taken


async def rate_of_changed(server: HttpServer, seconds: float) -> float:
    """Return answers a second to GETs of a large notebook that is replaced before each."""
    file = server.root_dir / "changing.ipynb"
    texts = [json.dumps(LARGE | {"metadata": {"version": number}}) for number in range(2)]
    done, busy = 0, 0.0
    async with asyncio.timeout(WAIT_S):
        http = await HttpConnection.open(server.url)
        while busy < seconds:
            file.write_text(texts[done % 2])
            start = time.perf_counter()
            await http.send(get(server, "api/contents/changing.ipynb"))
            busy += time.perf_counter() - start
            done += 1
        http.close()
    return done / busy


async def longest_wait_ms(server: HttpServer) -> float:
    """Return the longest time a small GET takes in ms while a notebook of 50 MB is written."""
    ready = get(server, "api/contents/small.ipynb")
    async with asyncio.timeout(WAIT_S):
        http, other = [await HttpConnection.open(server.url) for _ in range(2)]
        await http.send(ready)
        huge = put_notebook(server, "huge.ipynb", notebook(500, 100_000))
        writing = asyncio.create_task(other.send(huge))
        longest = 0.0
        while not writing.done():
            start = time.perf_counter()
            await http.send(ready)
            longest = max(longest, time.perf_counter() - start)
        await writing
        http.close()
        other.close()
    return longest * 1000


async def _ask(http: HttpConnection, ready: bytes, until: float) -> int:
    done = 0
    while done == 0 or time.perf_counter() < until:
        await http.send(ready)
        done += 1
    return done
