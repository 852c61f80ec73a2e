from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import WSMsgType
from perijove_gateway_http import event_feed
from perijove_gateway_http.keys import SOCKETS
from perijove_gateway_http.routes.events import MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from gateway_http.tests.lab.running_edge import Edge

PATH = "api/events/subscribe"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No events come here: how long a socket waits for them to begin is all the same."""
    monkeypatch.setattr(event_feed, "BEGIN_S", 0.1)


def connect(edge: Edge, **headers: str) -> Any:
    headers = {"Authorization": "token a-token-of-tests", **headers}
    return edge.http.ws_connect(f"{edge.url}{PATH}", headers=headers)


async def test_a_client_stays_connected_whatever_it_says(edge: Edge) -> None:
    async with connect(edge) as socket:
        await socket.send_str("hello")
        await socket.send_bytes(b"\0")
        await socket.ping(b"there?")
        assert len(edge.app[SOCKETS]) == 1
        await socket.close()
        assert socket.close_code == 1000
    while edge.app[SOCKETS]:  # noqa: ASYNC110 - its handler tells nobody that it ended
        await asyncio.sleep(0)


async def test_a_message_that_is_too_large_ends_the_connection(edge: Edge) -> None:
    async with connect(edge) as socket:
        await socket.send_bytes(b"x" * (MAX_MESSAGE_BYTES + 1))
        message = await socket.receive()
        assert message.type is WSMsgType.CLOSE
        assert message.data == 1009


async def test_clients_are_told_when_the_edge_restarts(edge: Edge) -> None:
    async with connect(edge) as socket:
        waiting = asyncio.ensure_future(socket.receive())
        await edge.app.shutdown()
        assert (await waiting).data == 1012


async def test_without_a_user_or_from_another_site_there_are_no_events(edge: Edge) -> None:
    for headers in ({"Authorization": ""}, {"Authorization": "token wrong"}):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await connect(edge, **headers)
        assert caught.value.status == 403


async def test_events_are_only_for_websockets(edge: Edge) -> None:
    async with edge.get(PATH) as response:
        assert response.status == 400
    async with edge.request("POST", PATH) as response:
        assert response.status == 405
