"""The end of an edge: clients are sent to another one, requests finish."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from gateway_http.tests.conftest import MakeEdge, RunningEdge

TOKEN = {"Authorization": "token a-token"}


async def _subscribe(edge: RunningEdge) -> aiohttp.ClientWebSocketResponse:
    url = f"http://127.0.0.1:{edge.port}/api/events/subscribe"
    return await edge.http.ws_connect(url, headers=TOKEN)


async def test_websockets_are_told_to_come_back(make_edge: MakeEdge) -> None:
    edge = await make_edge()
    first, second = await _subscribe(edge), await _subscribe(edge)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(edge.runner.cleanup())
        for websocket in (first, second):
            message = await websocket.receive()
            assert message.type is aiohttp.WSMsgType.CLOSE
            # Front ends take 1000 and 1001 for the end of it.
            assert message.data == aiohttp.WSCloseCode.SERVICE_RESTART
