from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest
from perijove_gateway_http.keys import SOCKETS

from gateway_http.tests.lab.running_edge import TOKEN

if TYPE_CHECKING:
    from pathlib import Path

    from gateway_http.tests.lab.installing import Packages
    from gateway_http.tests.lab.running_edge import Edge, MakeEdge

RUNS = """
@asynccontextmanager
async def run(host):
    {before}
    yield
    {after}

def extension():
    return Extension(routes=(Route("GET", "{name}", who),), run=run)
"""


async def test_what_an_extension_runs_is_begun_and_ended(
    packages: Packages, make_edge: MakeEdge, tmp_path: Path
) -> None:
    begun, ended = tmp_path / "begun", tmp_path / "ended"
    packages.install(
        "moons",
        RUNS.format(
            name="moons",
            before=f"Path({str(begun)!r}).write_text(host.base_url)",
            after=f"Path({str(ended)!r}).touch()",
        ),
    )
    edge = await make_edge(base_url="/a/")
    await answers(edge, "moons", 200)
    assert begun.read_text() == "/a/"
    await edge.app.cleanup()
    assert ended.exists()


@pytest.mark.parametrize("before", ["raise OSError('no moon')", "import asyncio; 1 / 0"])
async def test_one_that_fails_to_start_costs_its_own_routes(
    packages: Packages, make_edge: MakeEdge, before: str
) -> None:
    packages.install("bad", RUNS.format(name="bad", before=before, after=""))
    edge = await make_edge()
    await answers(edge, "bad", 503)
    async with edge.get("bad") as response:
        assert "no moon" not in await response.text()
    assert (await edge.json("api"))["version"]


async def test_one_that_fails_later_costs_its_own_routes(
    packages: Packages, make_edge: MakeEdge
) -> None:
    code = """
import asyncio

async def fail():
    raise OSError("no moon")

@asynccontextmanager
async def run(host):
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fail())
        yield

def extension():
    return Extension(routes=(Route("GET", "bad", who),), run=run)
"""
    packages.install("bad", code)
    edge = await make_edge()
    await answers(edge, "bad", 503)
    assert (await edge.json("api"))["version"]


async def test_one_that_waits_forever_keeps_nobody_waiting(
    packages: Packages, make_edge: MakeEdge
) -> None:
    waits = "import asyncio; await asyncio.Event().wait()"
    packages.install("slow", RUNS.format(name="slow", before=waits, after=""))
    edge = await make_edge()
    async with edge.get("slow") as response:
        assert response.status == 503
        assert "still starting" in await response.text()
        assert response.headers["Retry-After"] == "1"
    assert (await edge.json("api"))["version"]


async def test_a_websocket_is_for_users_and_told_to_come_back_when_the_edge_ends(
    packages: Packages, make_edge: MakeEdge
) -> None:
    code = """
async def echo(request):
    async with websocket(request) as socket:
        async for message in socket:
            await socket.send_str(message.data.upper())
    return socket

def extension():
    return Extension(routes=(Route("GET", "moons/echo", echo, Guard.WEBSOCKET),))
"""
    packages.install("moons", code)
    edge = await make_edge()
    url = edge.url / "moons/echo"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await edge.http.ws_connect(url)
    assert refused.value.status == 403
    headers = {"Authorization": f"token {TOKEN}"}
    async with edge.http.ws_connect(url, headers=headers) as socket:
        await socket.send_str("io")
        assert await socket.receive_str() == "IO"
        assert len(edge.app[SOCKETS]) == 1
        closing, _ = await asyncio.gather(socket.receive(), edge.app.shutdown())
        assert (closing.type, closing.data) == (
            aiohttp.WSMsgType.CLOSE,
            aiohttp.WSCloseCode.SERVICE_RESTART,
        )


async def answers(edge: Edge, path: str, status: int) -> None:
    """Wait until a path is answered with a status."""
    async with asyncio.timeout(30):
        while True:
            async with edge.get(path) as response:
                if response.status == status and "starting" not in await response.text():
                    return
            await asyncio.sleep(0.01)
