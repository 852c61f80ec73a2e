"""Two hundred clients open ten notebooks at once: ten sessions, ten kernels, no orphan."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from services.chassis.tests.redis_proxy import RedisProxy
from services.kernels.tests.own_redis import OwnRedis
from tests.chaos.deployment import Deployment, add_echo_kernel
from tests.jupyter_ws import JupyterClient
from tests.running import Home, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from yarl import URL

    from tests.conftest import StartPerijove

CALLERS, PATHS = 200, 10
BREAKS = 0.3
"""Share of the commands to Redis that are sent again, in the last storm."""
TRIES = 20


class ProxyBeside:
    """A proxy with an event loop of its own, since it outlives a test's."""

    def __init__(self, socket: str, folder: Path) -> None:
        self.proxy = RedisProxy(socket, folder)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.proxy.start(), self._loop).result()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.proxy.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProxy]:
    folder = tmp_path_factory.mktemp("r")
    redis = OwnRedis(folder)
    asyncio.run(redis.start())
    beside = ProxyBeside(redis.url.removeprefix("unix://"), folder)
    beside.start()
    yield beside.proxy
    beside.close()
    redis.kill()


@pytest.fixture(scope="module")
def deployment(
    tmp_path_factory: pytest.TempPathFactory, start_for_module: StartPerijove, proxy: RedisProxy
) -> Iterator[Deployment]:
    home = Home(tmp_path_factory.mktemp("home"))
    add_echo_kernel(home)
    deployment = Deployment(start_for_module("--redis-url", proxy.url, home=home))
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.stop()


@pytest.fixture
async def storm(deployment: Deployment) -> Any:
    async with JupyterClient.http(deployment.perijove.token) as http:
        yield Storm(deployment, http)


class Storm:
    """Two hundred callers over all edges."""

    def __init__(self, deployment: Deployment, http: aiohttp.ClientSession) -> None:
        self._deployment = deployment
        self._http = http
        self.answers = 0

    async def blow(self, folder: str, midway: Callable[[], None] = lambda: None) -> None:
        """Have all call at once, and check what became of it."""
        calls = [
            asyncio.create_task(self._create(number, f"{folder}/{number % PATHS}.ipynb"))
            for number in range(CALLERS)
        ]
        await until(lambda: self.answers >= CALLERS // 10)
        await asyncio.to_thread(midway)
        sessions = await asyncio.gather(*calls)
        by_path: dict[str, set[tuple[str, str]]] = {}
        for session in sessions:
            ids = (session["id"], session["kernel"]["id"])
            by_path.setdefault(session["path"], set()).add(ids)
        assert len(by_path) == PATHS
        assert {len(ids) for ids in by_path.values()} == {1}, by_path
        made = {pair for ids in by_path.values() for pair in ids}
        await self._expect(made)
        for session_id, _ in made:
            url = self._deployment.urls[0] / "api/sessions" / session_id
            async with self._http.delete(url) as reply:
                assert reply.status == 204
        await self._expect(set())

    async def _expect(self, made: set[tuple[str, str]]) -> None:
        """Check that every edge knows these sessions and kernels, and that no other runs."""
        for url in self._deployment.urls:
            async with asyncio.timeout(60):
                while True:
                    sessions = await self._listed(url / "api/sessions")
                    kernels = await self._listed(url / "api/kernels")
                    found = {(session["id"], session["kernel"]["id"]) for session in sessions}
                    if found == made and {k["id"] for k in kernels} == {k for _, k in made}:
                        break
                    await asyncio.sleep(0.1)
        await until(lambda: len(self._deployment.echo_kernels()) == len(made))

    async def _create(self, number: int, path: str) -> dict[str, Any]:
        """Open a notebook as a client does that tries again when it is told to."""
        body = {"path": path, "type": "notebook", "name": path, "kernel": {"name": "echo"}}
        said: Counter[str] = Counter()
        for attempt in range(TRIES):
            url = self._deployment.urls[(number + attempt) % len(self._deployment.urls)]
            try:
                async with self._http.post(url / "api/sessions", json=body) as reply:
                    if reply.status == 201:
                        self.answers += 1
                        return dict(await reply.json())
                    said[f"{reply.status} {(await reply.text())[:200]}"] += 1
                    assert reply.status in (503, 504), said
            except aiohttp.ClientConnectionError as error:
                said[repr(error)] += 1
            await asyncio.sleep(0.1)
        raise AssertionError(said)

    async def _listed(self, url: URL) -> list[dict[str, Any]]:
        async with self._http.get(url) as reply:
            assert reply.status == 200
            return list(await reply.json())


@pytest.mark.timeout(180)
async def test_a_storm_makes_one_session_and_one_kernel_for_each_path(storm: Storm) -> None:
    await storm.blow("plain")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("kind", ["sessions", "kernels", "gateway_http"])
async def test_the_same_if_a_replica_is_killed_midway(
    storm: Storm, deployment: Deployment, kind: str
) -> None:
    await storm.blow(f"killed {kind}", lambda: deployment.kill(kind, 2))


@pytest.mark.timeout(180)
async def test_the_same_if_commands_are_sent_to_redis_again(
    storm: Storm, proxy: RedisProxy
) -> None:
    proxy.breaks = BREAKS
    try:
        await storm.blow("sent again")
    finally:
        proxy.breaks = 0.0
    assert proxy.broken > CALLERS * BREAKS / 2
