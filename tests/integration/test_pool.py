"""Quotas, drains and the commands that show them, on the whole of one machine."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.jupyter_ws import JupyterClient
from tests.running import command_line, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import aiohttp

    from tests.running import RunningPerijove


class Pool:
    """One server, its HTTP, and the commands of whoever looks after it."""

    def __init__(self, perijove: RunningPerijove, http: aiohttp.ClientSession) -> None:
        self.perijove = perijove
        self._http = http

    async def call(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        url = f"{self.perijove.url}api/{path}"
        async with self._http.request(method, url, json=body, headers=headers) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else None

    async def start(self) -> str:
        status, kernel = await self.call("POST", "kernels", {})
        assert status == 201, kernel
        return str(kernel["id"])

    async def command(self, *arguments: str, status: int = 0) -> str:
        command = Path(sys.executable).with_name("perijove")
        done = await asyncio.to_thread(
            subprocess.run,
            [command, *arguments],
            env=self.perijove.home.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == status, done.stderr
        return done.stdout + done.stderr

    async def runner(self) -> dict[str, Any]:
        (found,) = json.loads(await self.command("top", "--json"))
        return dict(found)

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(60):
            while not await condition():  # noqa: ASYNC110 - of other processes
                await asyncio.sleep(0.05)


@pytest.fixture
async def make_pool(start_perijove: Callable[..., RunningPerijove]) -> AsyncIterator[Any]:
    made = []

    def make(*arguments: str, **environment: str) -> Pool:
        perijove = start_perijove(*arguments, **environment)
        made.append(JupyterClient.http(perijove.token))
        return Pool(perijove, made[-1])

    yield make
    for http in made:
        await http.close()


async def test_who_has_as_many_kernels_as_one_may_have_is_told_so(
    make_pool: Callable[..., Pool],
) -> None:
    pool = make_pool("--max-kernels-per-user", "2", PERIJOVE_RUNNER_AUTORESTART="false")
    first, _ = await pool.start(), await pool.start()
    status, body = await pool.call("POST", "kernels", {})
    assert status == 429
    assert body["message"] == "you have 2 kernels, as many as one may have: shut one down first"
    session = {"path": "a.ipynb", "type": "notebook", "name": "", "kernel": {"name": "python3"}}
    status, body = await pool.call("POST", "sessions", session)
    assert status == 429
    assert "as many as one may have" in body["message"]
    assert await pool.call("GET", "sessions") == (200, [])
    assert (await pool.call("DELETE", f"kernels/{first}"))[0] == 204
    assert (await pool.call("POST", "sessions", session))[0] == 201
    for process in pool.perijove.descendants():
        if "ipykernel_launcher" in command_line(process):
            process.kill()

    async def there_is_room() -> bool:
        return (await pool.call("POST", "kernels", {}))[0] == 201

    await pool.until(there_is_room)
    await pool.until(there_is_room)
    assert not await there_is_room()


async def test_who_is_willing_to_wait_for_a_kernel_stands_in_a_queue(
    make_pool: Callable[..., Pool],
) -> None:
    pool = make_pool("--max-kernels-per-user", "1")

    async def waits(number: int) -> None:
        async def so() -> bool:
            return (f"; {number} wait" in await pool.command("top")) is bool(number)

        await pool.until(so)

    first = await pool.start()
    status, body = await pool.call("POST", "kernels", {}, Prefer="respond-async, wait=1")
    assert status == 429
    assert body["message"].endswith("waited 1 s, and was number 1 of 1 in the queue")
    waiting = [
        asyncio.create_task(pool.call("POST", "kernels", {}, Prefer="wait=100")) for _ in range(2)
    ]
    await waits(2)
    waiting[1].cancel()  # closes the connection
    await waits(1)
    assert (await pool.call("DELETE", f"kernels/{first}"))[0] == 204
    status, kernel = await waiting[0]
    assert status == 201
    assert kernel["id"] != first


async def test_a_runner_is_shown_drained_undrained_and_drained_for_good(
    make_pool: Callable[..., Pool],
) -> None:
    pool = make_pool()
    kernel_id = await pool.start()
    runner = await pool.runner()
    assert (runner["state"], runner["kernels"]) == ("live", 1)
    assert "python3" in runner["kernelspecs"]
    name = runner["id"]
    top = await pool.command("top")
    assert name in top
    assert "1/100" in top
    (kernel,) = json.loads(await pool.command("kernels", "--json"))
    assert (kernel["id"], kernel["owner"], kernel["runner"]) == (kernel_id, "token", name)
    assert kernel_id in await pool.command("kernels")

    said = await pool.command("drain", name, "--reason", "a new disk")
    assert "it leaves when it is empty" in said
    runner = await pool.runner()
    assert (runner["state"], runner["drain"]["reason"]) == ("draining", "a new disk")
    assert runner["drain"]["requested_by"] == "token"
    status, body = await pool.call("POST", "kernels", {})
    assert (status, body["message"]) == (503, "every runner is full, or being drained")
    assert "a new disk" in await pool.command("top")

    await pool.command("undrain", name)
    await pool.start()
    assert (await pool.runner())["state"] == "live"

    await pool.command("drain", name, "--deadline", "0.2", "--reason", "a new disk")

    async def has_left() -> bool:
        return not json.loads(await pool.command("top", "--json"))

    await pool.until(has_left)
    status, body = await pool.call("GET", f"kernels/{kernel_id}")
    assert status == 404
    assert "its runner is drained by token: a new disk" in body["message"]
    await until(lambda: "the runner has left" in pool.perijove.said)
    commands = [command_line(process) for process in pool.perijove.descendants()]
    assert not [command for command in commands if "perijove_runner" in str(command)]
    said = await pool.command("drain", name, status=1)
    assert "Runner does not exist" in said
