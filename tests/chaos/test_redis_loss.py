"""Redis loses everything, or is away and comes back empty: no cell, kernel or session is lost.

Three edges, sessions and kernels services and four runners; cells print numbers all the time.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
import redis

from services.kernels.tests.own_redis import OwnRedis
from tests.chaos.deployment import Deployment, add_echo_kernel
from tests.jupyter_ws import JupyterClient
from tests.running import Home, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    import aiohttp
    from yarl import URL

    from tests.conftest import StartPerijove
    from tests.jupyter_ws import KernelSocket

CELLS, QUIET = 3, 9
"""Notebooks whose cells run, and those that only exist."""
AWAY_S = 20
SOON_S = 10.0
"""Far more than the few seconds in which a start must fail while Redis is away."""
WHOLE_S = 90.0
COUNTING = """
import os, time
number = 0
while not os.path.exists("enough"):
    print(number, flush=True)
    number += 1
    time.sleep(0.05)
print("total", number)
"""


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    own = OwnRedis(tmp_path_factory.mktemp("r"))
    asyncio.run(own.start())
    yield own
    own.kill()


@pytest.fixture(scope="module")
def deployment(
    tmp_path_factory: pytest.TempPathFactory, start_for_module: StartPerijove, own_redis: OwnRedis
) -> Iterator[Deployment]:
    home = Home(tmp_path_factory.mktemp("home"))
    add_echo_kernel(home)
    deployment = Deployment(start_for_module("--redis-url", own_redis.url, home=home))
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.stop()


class Office:
    """Notebooks that are open, with cells that run, looked at through all edges."""

    def __init__(self, deployment: Deployment, http: aiohttp.ClientSession) -> None:
        self.jupyter = JupyterClient(http, str(deployment.urls[0]))
        self.http = http
        self.urls = deployment.urls
        self.sessions: dict[str, str] = {}
        """Kernels by session."""
        self._enough = deployment.perijove.root_dir / "enough"
        self._runs: list[tuple[KernelSocket, str]] = []
        self._stack = AsyncExitStack()

    async def open(self) -> None:
        """Open all notebooks and start the cells."""
        for number in range(CELLS + QUIET):
            kernelspec = "python3" if number < CELLS else "echo"
            session = await self._create(self.urls[number % 3], f"n{number}.ipynb", kernelspec)
            self.sessions[session["id"]] = session["kernel"]["id"]
            if number < CELLS:
                socket = self.jupyter.kernel(session["kernel"]["id"])
                kernel = await self._stack.enter_async_context(socket)
                self._runs.append((kernel, await kernel.start(COUNTING)))
        await self.until_whole()

    async def until_whole(self) -> None:
        """Wait until every edge shows all sessions and kernels, and no others, as they were."""
        for url in self.urls:
            async with asyncio.timeout(WHOLE_S):
                while await self.shown(url) != self.sessions:  # noqa: ASYNC110 - of other processes
                    await asyncio.sleep(0.2)

    async def shown(self, url: URL) -> dict[str, str]:
        """Return the kernels by session, if those that run are just these; none of them dead."""
        sessions = await self._get(url / "api/sessions")
        kernels = {kernel["id"]: kernel for kernel in await self._get(url / "api/kernels")}
        found = {session["id"]: session["kernel"]["id"] for session in sessions}
        dead = [kernel for kernel in kernels.values() if kernel["execution_state"] == "dead"]
        return found if set(found.values()) == kernels.keys() and not dead else {}

    async def expect_reads(self) -> None:
        """Check that every edge shows all that there is, at once."""

        async def expect(url: URL, session_id: str, kernel_id: str) -> None:
            assert (await self._get(url / "api/sessions" / session_id))["id"] == session_id
            assert (await self._get(url / "api/kernels" / kernel_id))["id"] == kernel_id

        for url in self.urls:
            assert await self.shown(url) == self.sessions
        async with asyncio.TaskGroup() as asking:
            for url in self.urls:
                for ids in self.sessions.items():
                    asking.create_task(expect(url, *ids))

    async def expect_starts_fail(self) -> None:
        """Check that whoever wants something new is told clearly, and soon, that it cannot be."""

        async def expect(url: URL, body: dict[str, Any]) -> None:
            async with asyncio.timeout(SOON_S), self.http.post(url, json=body) as reply:
                assert reply.status == 503
                assert (await reply.json())["message"] == "the shared state cannot be reached"

        new = {"path": "new.ipynb", "type": "notebook", "name": "new.ipynb"}
        async with asyncio.TaskGroup() as asking:
            for url in self.urls:
                asking.create_task(expect(url / "api/kernels", {"name": "echo"}))
                asking.create_task(expect(url / "api/sessions", new))

    async def expect_cells_go_on(self) -> None:
        """Wait until all cells have printed more."""
        for kernel, request in self._runs:
            seen = len(kernel.printed(request))
            await kernel.until(lambda k=kernel, r=request, s=seen: len(k.printed(r)) > s, 10.0)

    async def close(self) -> None:
        """End the cells, check that each number came once and in order, and close all."""
        self._enough.touch()
        for kernel, request in self._runs:
            await kernel.finished(request)
            *numbers, _, total = kernel.printed(request).split()
            assert [int(number) for number in numbers] == list(range(int(total)))
            assert kernel.connections == 1
        self._enough.unlink()
        await self._stack.aclose()
        for session_id in self.sessions:
            async with self.http.delete(self.urls[0] / "api/sessions" / session_id) as reply:
                assert reply.status == 204
        self.sessions = {}
        await self.until_whole()

    async def _create(self, url: URL, path: str, kernelspec: str) -> dict[str, Any]:
        body = {"path": path, "type": "notebook", "name": path, "kernel": {"name": kernelspec}}
        async with self.http.post(url / "api/sessions", json=body) as reply:
            assert reply.status == 201, await reply.text()
            return dict(await reply.json())

    async def _get(self, url: URL) -> Any:
        async with self.http.get(url) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.json()


@pytest.fixture
async def office(deployment: Deployment) -> AsyncIterator[Office]:
    async with JupyterClient.http(deployment.perijove.token) as http:
        office = Office(deployment, http)
        await office.open()
        yield office


async def looking(office: Office, stop: asyncio.Event) -> list[str]:
    """Look at the lists all the time; return what was missing in them."""
    missing = []
    while not stop.is_set():
        for url in office.urls:
            for path, expected in (
                ("api/sessions", office.sessions.keys()),
                ("api/kernels", office.sessions.values()),
            ):
                shown = {model["id"] for model in await office._get(url / path)}
                if lost := set(expected) - shown:
                    missing.append(f"{url / path} lacked {len(lost)}")
        await asyncio.sleep(0.1)
    return missing


async def while_looking(office: Office, happens: Callable[[], Awaitable[None]]) -> None:
    """Have something happen, and check that no list ever lacked anything."""
    stop = asyncio.Event()
    look = asyncio.create_task(looking(office, stop))
    try:
        await happens()
    finally:
        stop.set()
        missing = await look
    assert not missing


@pytest.mark.timeout(240)
async def test_a_flush_loses_nothing(office: Office, own_redis: OwnRedis) -> None:
    async def happens() -> None:
        for _ in range(3):
            with redis.Redis.from_url(own_redis.url) as client:
                client.flushall()
                await until(lambda: client.hlen("{k}:owners") == len(office.sessions))
                await until(lambda: client.hlen("{s}:rows") == len(office.sessions))
            await office.expect_cells_go_on()
            await office.until_whole()

    await while_looking(office, happens)
    await office.close()


@pytest.mark.timeout(240)
async def test_a_redis_that_stalls_stops_nobody(office: Office, own_redis: OwnRedis) -> None:
    async def happens() -> None:
        own_redis.stall()
        try:
            for _ in range(2):
                await office.expect_starts_fail()
                await office.expect_reads()
                await office.expect_cells_go_on()
        finally:
            own_redis.go_on()
        await office.until_whole()

    await while_looking(office, happens)
    await office.close()


@pytest.mark.timeout(300)
async def test_a_redis_that_was_killed_and_comes_back_empty_loses_nothing(
    office: Office, own_redis: OwnRedis
) -> None:
    async def happens() -> None:
        own_redis.kill()
        loop = asyncio.get_running_loop()
        back = loop.time() + AWAY_S
        while loop.time() < back:
            await office.expect_starts_fail()
            await office.expect_reads()
            await office.expect_cells_go_on()
        await own_redis.start()
        await office.until_whole()
        await office.expect_cells_go_on()

    await while_looking(office, happens)
    with redis.Redis.from_url(own_redis.url) as client:
        await until(lambda: client.hlen("{s}:rows") == len(office.sessions))
        await until(lambda: client.hlen("{k}:owners") == len(office.sessions))
    await office.close()
