"""The end of an edge: clients are sent to another one, requests finish."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
from perijove_gateway_http.serving import drain

if TYPE_CHECKING:
    from gateway_http.tests.conftest import MakeEdge, RunningEdge

TOKEN = {"Authorization": "token a-token"}


async def _subscribe(edge: RunningEdge) -> aiohttp.ClientWebSocketResponse:
    url = f"http://127.0.0.1:{edge.port}/api/events/subscribe"
    return await edge.http.ws_connect(url, headers=TOKEN)


async def test_websockets_are_told_to_come_back(make_edge: MakeEdge) -> None:
    edge = await make_edge()
    first, second = await asyncio.gather(_subscribe(edge), _subscribe(edge))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(edge.runner.cleanup())
        for websocket in (first, second):
            message = await websocket.receive()
            assert message.type is aiohttp.WSMsgType.CLOSE
            # Front ends take 1000 and 1001 for the end of it.
            assert message.data == aiohttp.WSCloseCode.SERVICE_RESTART


async def _connect(edge: RunningEdge) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect, and wait until the edge has taken the connection."""
    streams = await asyncio.open_connection("127.0.0.1", edge.port)
    while not (edge.runner.server and edge.runner.server.connections):  # noqa: ASYNC110
        await asyncio.sleep(0)
    return streams


async def test_who_has_just_connected_is_answered(make_edge: MakeEdge) -> None:
    edge = await make_edge()
    reader, writer = await _connect(edge)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(drain(edge.runner))
        while edge.runner.sites:  # noqa: ASYNC110 - it takes no more connections
            await asyncio.sleep(0)
        writer.write(b"GET /api HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        assert await reader.read()
    writer.close()


async def test_who_is_connected_and_asks_for_nothing_is_let_go(make_edge: MakeEdge) -> None:
    edge = await make_edge()
    reader, writer = await _connect(edge)
    await drain(edge.runner)
    assert await reader.read() == b""
    writer.close()
