"""Fixtures: an edge before a real relay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from perijove_runner.backends.spool import SpoolRoom
from perijove_runner.snapshot import SpoolLimits

from tests.integration.edges import TOKEN, edge_of
from tests.integration.websockets import KERNEL_ID, V1, Stack
from tests.kernel_sockets import Socket
from tests.relays import IpyKernel, relay_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from perijove_runner.relay import KernelRelay


@pytest.fixture
def kernel() -> Iterator[IpyKernel]:
    kernel = IpyKernel()
    kernel.start()
    yield kernel
    kernel.remove()


@pytest.fixture
async def stack(kernel: IpyKernel) -> AsyncIterator[Stack]:
    room = SpoolRoom(SpoolLimits(kernel_bytes=16_000_000))
    async with relay_of(kernel, room=room) as relay:
        relays = {KERNEL_ID: relay}
        async with edge_of(relays) as (url, address):
            stack = Stack(url, address, relays)
            await stack.start_runner()
            yield stack
            await stack.stop_runner()


@pytest.fixture
def relay(stack: Stack) -> KernelRelay:
    return stack.relays[KERNEL_ID]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"token {TOKEN}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        yield http


@pytest.fixture
def connect(stack: Stack, http: aiohttp.ClientSession) -> Callable[..., Any]:
    async def connect(session_id: str = "", *, v1: bool = True) -> Socket:
        websocket = await http.ws_connect(
            f"{stack.url}/api/kernels/{KERNEL_ID}/channels",
            params={"session_id": session_id} if session_id else {},
            protocols=(V1,) if v1 else (),
            max_msg_size=0,
        )
        return Socket(websocket)

    return connect
