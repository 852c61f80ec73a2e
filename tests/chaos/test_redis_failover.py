"""The Redis in charge is killed, and its copy takes over: no session that was made is lost.

Three sentinels and two servers; three edges, sessions and kernels services and four runners.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from services.chassis.tests.redis_sets import SentinelSet, wait_for
from tests.chaos.deployment import Deployment, add_echo_kernel
from tests.jupyter_ws import JupyterClient
from tests.running import Home, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import aiohttp
    from yarl import URL

    from tests.conftest import StartPerijove

BETWEEN_S = 0.5
BEFORE, AFTER = 12, 12
"""Sessions that are made before the death and after the recovery, at least."""
RECOVERY_S = 90.0
"""The sentinels agree after some 3 s; the copy takes nothing before it has one itself."""


@pytest.fixture(scope="module")
def sentinel_set(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelSet]:
    found = SentinelSet(tmp_path_factory.mktemp("sentinels"))
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="module")
def deployment(
    tmp_path_factory: pytest.TempPathFactory,
    start_for_module: StartPerijove,
    sentinel_set: SentinelSet,
) -> Iterator[Deployment]:
    home = Home(tmp_path_factory.mktemp("home"))
    add_echo_kernel(home)
    deployment = Deployment(start_for_module("--redis-url", sentinel_set.url, home=home))
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.stop()


class Creators:
    """Open one notebook after the other at every edge, and keep what they were told."""

    def __init__(self, http: aiohttp.ClientSession, urls: list[URL]) -> None:
        self.made: dict[str, str] = {}
        """Kernels by session."""
        self.refused: Counter[str] = Counter()
        self.enough = False
        self._http = http
        self._urls = urls

    async def create(self, number: int) -> None:
        """Create until it is enough; every path until it is there."""
        count = 0
        while not self.enough:
            path = f"{number}/{count}.ipynb"
            body = {"path": path, "type": "notebook", "name": path, "kernel": {"name": "echo"}}
            url = self._urls[number] / "api/sessions"
            async with self._http.post(url, json=body) as reply:
                if reply.status == 201:
                    model = await reply.json()
                    self.made[model["id"]] = model["kernel"]["id"]
                    count += 1
                else:
                    self.refused[f"{reply.status} {await reply.text()}"] += 1
                    assert reply.status == 503, self.refused
            await asyncio.sleep(BETWEEN_S)

    async def shown(self, url: URL) -> dict[str, str]:
        """Return the kernels by session that an edge shows."""
        kernels = {kernel["id"] for kernel in await self._get(url / "api/kernels")}
        sessions = await self._get(url / "api/sessions")
        found = {session["id"]: session["kernel"]["id"] for session in sessions}
        return {key: kernel for key, kernel in found.items() if kernel in kernels}

    async def _get(self, url: URL) -> Any:
        async with self._http.get(url) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.json()


@pytest.mark.timeout(300)
async def test_no_session_is_lost_when_the_copy_takes_over(
    deployment: Deployment, sentinel_set: SentinelSet
) -> None:
    async with JupyterClient.http(deployment.perijove.token) as http:
        creators = Creators(http, deployment.urls)
        async with asyncio.TaskGroup() as tasks:
            for number in range(len(deployment.urls)):
                tasks.create_task(creators.create(number))
            await until(lambda: len(creators.made) >= BEFORE)
            killed = await asyncio.to_thread(sentinel_set.in_charge)
            killed.kill()
            assert await until(lambda: creators.refused, RECOVERY_S)
            in_charge = await asyncio.to_thread(taken_over, sentinel_set, killed.port)
            assert in_charge != killed.port
            # As what started it would do. It must not come back, empty, before that.
            await asyncio.to_thread(killed.start)
            here = len(creators.made)
            await until(lambda: len(creators.made) >= here + AFTER, RECOVERY_S)
            creators.enough = True
        for url in deployment.urls:
            async with asyncio.timeout(RECOVERY_S):
                while await creators.shown(url) != creators.made:  # noqa: ASYNC110 - elsewhere
                    await asyncio.sleep(0.2)
        assert len(deployment.echo_kernels()) == len(creators.made)
    for text in creators.refused:
        assert "the shared state cannot be reached" in text


def taken_over(sentinel_set: SentinelSet, killed: int) -> int:
    """Wait until another server is in charge, and return its port."""
    wait_for(lambda: sentinel_set.in_charge().port != killed)
    return sentinel_set.in_charge().port
