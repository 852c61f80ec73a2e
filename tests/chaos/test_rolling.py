"""Every process is replaced, one by one and politely, while many kernels work."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import pytest
from yarl import URL

from tests.chaos.cells import kernel_pid

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.conftest import StartPerijove
    from tests.jupyter_ws import JupyterClient, KernelSocket
    from tests.running import RunningPerijove

KERNELS = 20
AT_ONCE = 4
"""Kernels that are started side by side."""
PROCESSES = (
    *("contents", "sessions", "kernels", "redis", "gateway_http"),
    *("runner", "runner_supervisor"),
)
HOLDS_KERNELS = ("runner", "runner_supervisor")
LONGER_S = 300.0

BUSY = """
import os, time
number = 0
while not os.path.exists({path!r}):
    print(number, flush=True)
    number += 1
    time.sleep(0.1)
"""


@pytest.fixture
def shared_perijove(start_perijove: StartPerijove) -> RunningPerijove:
    return start_perijove(PERIJOVE_RUNNER_KERNELS_ON_STOP="keep")


class Users:
    """People who list, read and write all the time, each request on a new connection."""

    def __init__(self, perijove: RunningPerijove, kernel_ids: set[str]) -> None:
        self.done = 0
        self.failures: list[str] = []
        self._url = URL(perijove.url)
        self._headers = {"Authorization": f"token {perijove.token}"}
        self._kernel_ids = kernel_ids
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        for work in (self._list_kernels, self._list_sessions, self._save, self._open_sessions):
            self._tasks.append(asyncio.create_task(self._repeat(work)))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _repeat(self, work: Callable[[int], Awaitable[None]]) -> None:
        for number in itertools.count():
            try:
                await work(number)
            except (aiohttp.ClientError, AssertionError, TimeoutError) as error:
                self.failures.append(f"{work.__name__}: {error!r}")
            self.done += 1
            await asyncio.sleep(0.05)

    async def _ask(self, method: str, path: str, body: Any = None, *, expect: int = 200) -> Any:
        timeout = aiohttp.ClientTimeout(total=60)
        async with (
            aiohttp.ClientSession(headers=self._headers, timeout=timeout) as http,
            http.request(method, self._url / path, json=body) as answer,
        ):
            text = await answer.text()
            assert answer.status == expect, f"{method} {path}: {answer.status} {text[:300]}"
            return None if answer.status == 204 else await answer.json()

    async def _list_kernels(self, _: int) -> None:
        listed = {one["id"] for one in await self._ask("GET", "api/kernels")}
        assert self._kernel_ids <= listed, f"{len(self._kernel_ids - listed)} are not listed"

    async def _list_sessions(self, _: int) -> None:
        listed = {one["kernel"]["id"] for one in await self._ask("GET", "api/sessions")}
        assert self._kernel_ids <= listed, f"{len(self._kernel_ids - listed)} have no session"

    async def _save(self, number: int) -> None:
        text = str(number)
        body = {"type": "file", "format": "text", "content": text}
        await self._ask("PUT", "api/contents/rolled.txt", body, expect=200 if number else 201)
        assert (await self._ask("GET", "api/contents/rolled.txt"))["content"] == text

    async def _open_sessions(self, number: int) -> None:
        path = f"{number % KERNELS}.ipynb"
        body = {"path": path, "type": "notebook", "name": path, "kernel": {"name": "python3"}}
        opened = await self._ask("POST", "api/sessions", body, expect=201)
        assert opened["kernel"]["id"] in self._kernel_ids


@pytest.mark.timeout(600)
async def test_nobody_notices_that_all_processes_are_replaced(
    perijove: RunningPerijove, jupyter: JupyterClient, tmp_path: Path
) -> None:
    enough = tmp_path / "enough"
    limit = asyncio.Semaphore(AT_ONCE)

    async def started(number: int) -> str:
        async with limit:
            session = await jupyter.new_session(f"{number}.ipynb")
            return str(session["kernel"]["id"])

    kernel_ids = await asyncio.gather(*(started(number) for number in range(KERNELS)))
    async with AsyncExitStack() as stack:
        kernels = [await stack.enter_async_context(jupyter.kernel(one)) for one in kernel_ids]
        pids = [await kernel_pid(kernel) for kernel in kernels]
        cells = [await kernel.start(BUSY.format(path=str(enough))) for kernel in kernels]
        async with Users(perijove, set(kernel_ids)) as users:
            for name in PROCESSES:
                await _all_go_on(kernels, cells)
                old, asked = perijove.pid(name), users.done
                os.kill(old, signal.SIGTERM)
                await perijove.wait_restarted(name, old)
                async with asyncio.timeout(LONGER_S):
                    while users.done < asked + 40:  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
                assert not users.failures, f"{name}: {users.failures}\n{perijove.report()}"
            await _all_go_on(kernels, cells)
        enough.touch()
        for kernel, cell, pid in zip(kernels, cells, pids, strict=True):
            reply = await kernel.finished(cell, LONGER_S)
            assert reply.content["status"] == "ok"
            numbers = [int(word) for word in kernel.printed(cell).split()]
            # Only while there was no runner, some may have been lost.
            assert numbers == sorted(set(numbers))
            gaps = sum(b != a + 1 for a, b in itertools.pairwise(numbers))
            assert gaps <= len(HOLDS_KERNELS)
            assert await kernel_pid(kernel) == pid
    for kernel_id in kernel_ids:
        await jupyter.call("DELETE", f"api/kernels/{kernel_id}", expect=204)


async def _all_go_on(kernels: list[KernelSocket], cells: list[str]) -> None:
    """Wait until every cell has printed more."""
    for kernel, cell in zip(kernels, cells, strict=True):
        seen = len(kernel.of(cell))
        await kernel.until(lambda k=kernel, c=cell, n=seen: len(k.of(c)) > n, LONGER_S)
