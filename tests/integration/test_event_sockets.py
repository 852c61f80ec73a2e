"""The sockets of events before a real service: slow ones, many, and those that come too early."""

from __future__ import annotations

import asyncio
import json
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from perijove_chassis.credentials import Verifier
from perijove_chassis.settings import Secret
from perijove_sessions import services
from perijove_sessions.events.backends.memory import MemoryEventStore
from perijove_sessions.events.backends.schemas import LoadedSchemas, all_documents
from perijove_sessions.events.manager import EventManager
from perijove_sessions.events.model import NewEvent

from tests.integration.edges import KEY, TOKEN, edge_at, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

GATEWAY = "https://events.jupyter.org/jupyter_server/gateway_client/v1"
GENEROUS_S = 60
LARGE = "x" * 60_000


@dataclass
class Service:
    """An `EventsService` that keeps what is published in memory."""

    address: str
    manager: EventManager

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        verifier = Verifier("sessions", service_key=KEY, api_token=Secret(TOKEN))
        running = asyncio.create_task(self.manager.run())
        try:
            async with serving(services.events(self.manager), verifier, self.address):
                yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def publish(self, number: int, text: str = "") -> None:
        data = {"status": "success", "msg": text, "status_code": number}
        event = NewEvent.parse(GATEWAY, "1", json.dumps(data).encode(), None)
        await self.manager.publish([event], "")

    @property
    def subscribers(self) -> int:
        return self.manager._subscribers


@pytest.fixture
def service() -> Service:
    directory = tempfile.mkdtemp(prefix="pje")
    store = MemoryEventStore()
    return Service(f"unix:{directory}/s", EventManager(store, LoadedSchemas(all_documents(""))))


@pytest.fixture
async def url(service: Service) -> AsyncIterator[str]:
    async with edge_at("unix:/nowhere", service.address) as url:
        yield f"{url}/api/events/subscribe"


async def number(websocket: aiohttp.ClientWebSocketResponse) -> int:
    async with asyncio.timeout(GENEROUS_S):
        message = await websocket.receive()
    assert message.type is aiohttp.WSMsgType.TEXT, message
    return int(json.loads(message.data)["status_code"])


async def end(websocket: aiohttp.ClientWebSocketResponse) -> tuple[int, int | None]:
    """Return how many events came, and the code with which the socket was closed."""
    count = 0
    async with asyncio.timeout(GENEROUS_S):
        while (message := await websocket.receive()).type is aiohttp.WSMsgType.TEXT:
            count += 1
    return count, message.data if message.type is aiohttp.WSMsgType.CLOSE else None


async def until(condition: Any) -> None:
    async with asyncio.timeout(GENEROUS_S):
        while not condition():  # noqa: ASYNC110 - it is another task's
            await asyncio.sleep(0.01)


async def test_many_sockets_are_one_stream_that_ends_with_the_last(
    service: Service, url: str, http: aiohttp.ClientSession
) -> None:
    async with service.serve():
        async with AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(http.ws_connect(url)) for _ in range(20)]
            assert service.subscribers == 1
            await service.publish(7)
            assert [await number(socket) for socket in sockets] == [7] * 20
        await until(lambda: service.subscribers == 0)
        await service.publish(8)
        async with http.ws_connect(url) as websocket:
            assert service.subscribers == 1
            await service.publish(9)
            assert await number(websocket) == 9


async def test_a_socket_that_does_not_read_is_closed_and_disturbs_nobody(
    service: Service, url: str, http: aiohttp.ClientSession
) -> None:
    async with service.serve(), http.ws_connect(url) as slow, http.ws_connect(url) as quick:
        for sent in range(400):
            await service.publish(sent, LARGE)
            assert await number(quick) == sent
        count, code = await end(slow)
        assert count < 400
        assert code in (None, aiohttp.WSCloseCode.TRY_AGAIN_LATER)
        await service.publish(1000)
        assert await number(quick) == 1000
        async with http.ws_connect(url) as again:
            await service.publish(1001)
            assert await number(again) == 1001


async def test_a_short_burst_reaches_a_socket_that_reads_later(
    service: Service, url: str, http: aiohttp.ClientSession
) -> None:
    async with service.serve(), http.ws_connect(url) as websocket:
        for sent in range(900):
            await service.publish(sent)
        assert [await number(websocket) for _ in range(900)] == list(range(900))


async def test_a_socket_opens_although_the_service_is_away_and_hears_of_what_follows(
    service: Service, url: str, http: aiohttp.ClientSession
) -> None:
    async with http.ws_connect(url) as websocket, service.serve():
        await until(lambda: service.subscribers == 1)
        await service.publish(1)
        assert await number(websocket) == 1


async def test_a_service_that_comes_back_goes_on_where_it_was(
    service: Service, url: str, http: aiohttp.ClientSession
) -> None:
    async with AsyncExitStack() as stack:
        async with service.serve():
            websocket = await stack.enter_async_context(http.ws_connect(url))
            await service.publish(1)
            assert await number(websocket) == 1
        await service.publish(2)
        again = Service(service.address, EventManager(service.manager._store, _schemas()))
        await stack.enter_async_context(again.serve())
        await again.publish(3)
        assert [await number(websocket), await number(websocket)] == [2, 3]


def _schemas() -> LoadedSchemas:
    return LoadedSchemas(all_documents(""))
