"""Lists through the whole stack: never other than what was done, and mirrored again after kills."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.jupyter_ws import GENEROUS_S, JupyterClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from tests.running import RunningPerijove

ROUNDS = 30
KEPT = 3


class Front:
    """A front end that lists, and knows what it should be shown."""

    def __init__(self, jupyter: JupyterClient, http: aiohttp.ClientSession, url: str) -> None:
        self._jupyter = jupyter
        self._http = http
        self._url = url
        self._open: list[dict[str, Any]] = []

    async def create(self, path: str) -> None:
        self._open.append(await self._jupyter.new_session(path))

    async def delete(self) -> None:
        session = self._open.pop(0)
        await self._jupyter.call("DELETE", f"api/sessions/{session['id']}", expect=204)

    async def delete_all(self) -> None:
        while self._open:
            await self.delete()

    async def expect_exact(self) -> None:
        """Check that all lists show just what was done."""
        sessions = await self._jupyter.call("GET", "api/sessions")
        assert [found["id"] for found in sessions] == self._ids()
        kernels = await self._jupyter.call("GET", "api/kernels")
        assert {found["id"] for found in kernels} == self._kernel_ids()
        status = await self._jupyter.call("GET", "api/status")
        assert status["kernels"] == len(self._open)

    async def expect_exact_or_error(self) -> int:
        """Check a list that may be refused; return its status."""
        status, text = await self._get("api/sessions")
        if status == 200:
            assert {found["id"] for found in json.loads(text)} == set(self._ids())
        else:
            assert status == 503, text
        return status

    async def mirrored(self, listed: str) -> int:
        """Return how many lists were answered without asking a service."""
        _, text = await self._get("metrics")
        pattern = rf'^perijove_lists_total{{by="mirror",listed="{listed}"}} (\S+)$'
        (count,) = re.findall(pattern, text, re.MULTILINE)
        return int(float(count))

    async def until_mirrored(self) -> None:
        """List until all lists come from mirrors, and are right."""
        async with asyncio.timeout(GENEROUS_S):
            for listed in ("sessions", "kernels"):
                before = await self.mirrored(listed)
                while await self.mirrored(listed) == before:
                    await self.expect_exact()
                    await asyncio.sleep(0.02)

    async def _get(self, path: str) -> tuple[int, str]:
        async with self._http.get(self._url + path) as answer:
            return answer.status, await answer.text()

    def _ids(self) -> list[str]:
        return [session["id"] for session in self._open]

    def _kernel_ids(self) -> set[str]:
        return {session["kernel"]["id"] for session in self._open}


@pytest.fixture
async def front(perijove: RunningPerijove, jupyter: JupyterClient) -> AsyncIterator[Front]:
    async with JupyterClient.http(perijove.token) as http:
        front = Front(jupyter, http, perijove.url)
        yield front
        await front.delete_all()
        await front.expect_exact()


async def test_a_list_after_each_change_is_exact(front: Front) -> None:
    await front.expect_exact()
    for number in range(ROUNDS):
        await front.create(f"mirror-{number}.ipynb")
        await front.expect_exact()
        if number >= KEPT:
            await front.delete()
            await front.expect_exact()
    await front.until_mirrored()
    await front.delete_all()
    await front.expect_exact()
    await front.until_mirrored()


@pytest.mark.parametrize("name", ["kernels", "sessions", "redis"])
async def test_lists_are_right_or_refused_when_a_process_is_killed(
    perijove: RunningPerijove, front: Front, name: str
) -> None:
    await front.create("one.ipynb")
    await front.create("two.ipynb")
    await front.until_mirrored()
    old = perijove.kill(name)
    restarted = asyncio.ensure_future(perijove.wait_restarted(name, old))
    while not restarted.done():
        await front.expect_exact_or_error()
    await restarted
    async with asyncio.timeout(GENEROUS_S):
        while await front.expect_exact_or_error() != 200:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.02)
    await front.create("three.ipynb")
    await front.expect_exact()
    await front.delete()
    await front.expect_exact()
    await front.until_mirrored()


async def test_what_a_kernel_does_is_shown(jupyter: JupyterClient, front: Front) -> None:
    await front.create("dies.ipynb")
    await front.until_mirrored()
    (kernel,) = await jupyter.call("GET", "api/kernels")
    before = kernel["last_activity"]
    async with jupyter.kernel(kernel["id"]) as socket:
        assert await socket.run("print('Io')") == "Io\n"

        async def shown() -> bool:
            (found,) = await jupyter.call("GET", "api/kernels")
            return bool(
                found["connections"] == 1
                and found["execution_state"] == "idle"
                and found["last_activity"] > before
            )

        async with asyncio.timeout(GENEROUS_S):
            while not await shown():  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.02)
