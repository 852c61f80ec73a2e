"""The example of an extension, installed as a user installs it, in a real server."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.running import GENEROUS_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.running import RunningPerijove

EXAMPLE = Path(__file__).parents[2] / "examples" / "greeting"
GREETED = "https://example.org/perijove-greeting/greeted/v1"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the example where only the server under test looks."""
    target = tmp_path_factory.mktemp("installed")
    options = ("--offline", "--no-deps", "--no-build-isolation", "--no-cache", "--quiet")
    python = ("--python", sys.executable, "--target", str(target))
    subprocess.run(
        [Path(sys.executable).with_name("uv"), "pip", "install", *options, *python, EXAMPLE],
        check=True,
        # What builds it is in this environment.
        env=os.environ | {"VIRTUAL_ENV": sys.prefix},
    )
    return target


@pytest.fixture(scope="module")
def server(installed: Path, start_for_module: Callable[..., RunningPerijove]) -> RunningPerijove:
    path = os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
    return start_for_module("--base-url", "/a/", PYTHONPATH=path)


@pytest.fixture
async def http(server: RunningPerijove) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"token {server.token}"}
    timeout = aiohttp.ClientTimeout(GENEROUS_S)
    async with aiohttp.ClientSession(server.url, headers=headers, timeout=timeout) as session:
        yield session


async def test_it_greets_whoever_asks_and_counts_kernels(http: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(GENEROUS_S):
        while True:
            async with http.get("greeting/api/hello") as response:
                if response.status == 200:
                    greeting = await response.json()
                    break
                assert response.status == 503  # it has not begun yet
            await asyncio.sleep(0.05)
    assert greeting["hello"].startswith("Anonymous ")
    assert greeting["kernels"] == greeting["counted"] == 0


async def test_its_page_and_files_are_there_and_pages_are_told_of_it(
    http: aiohttp.ClientSession,
) -> None:
    async with http.get("greeting") as response:
        assert response.url.path == "/a/static/greeting/index.html"
        assert "greeting.js" in await response.text()
    async with http.get("static/greeting/greeting.js") as response:
        assert response.headers["Content-Type"] == "text/javascript"
    async with http.get("lab") as response:
        assert '"greetingUrl":"/greeting"' in await response.text()


async def test_its_events_are_heard_by_all(http: aiohttp.ClientSession) -> None:
    async with http.ws_connect("api/events/subscribe") as socket:
        async with http.post("greeting/api/hello/Io") as response:
            assert response.status == 201, await response.text()
        async with asyncio.timeout(GENEROUS_S):
            while True:
                event = json.loads(await socket.receive_str())
                if event["schema_id"] == GREETED:
                    break
    assert event["name"] == "Io"
    async with http.post(f"greeting/api/hello/{'x' * 101}") as response:
        assert response.status == 400
        assert (await response.json())["message"] == "a name has at most 100 characters"


async def test_without_a_credential_it_greets_nobody(server: RunningPerijove) -> None:
    async with aiohttp.ClientSession(server.url) as nobody:
        for method, path, status in (
            ("GET", "greeting", 302),
            ("GET", "greeting/api/hello", 403),
            ("POST", "greeting/api/hello/Io", 403),
            ("GET", "static/greeting/index.html", 302),
        ):
            async with nobody.request(method, path, allow_redirects=False) as response:
                assert response.status == status, path
