"""How kernels are shown, and spoken to, where the server is told otherwise."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.conformance.kernels import TestKernel
from tests.jupyter_ws import PROTOCOL
from tests.kernel_sockets import printed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conformance.client import Server
    from tests.conformance.conftest import StartServer

UNTRACKED = ["execute_request", "execute_input", "kernel_info_request", "status", "stream"]


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> Server:
    return start_server(kernel_ws_protocol="", untracked_message_types=UNTRACKED)


@pytest.fixture(scope="module")
def kernel(server: Server) -> Iterator[TestKernel]:
    kernel = TestKernel(server)
    yield kernel
    kernel.remove()


async def test_only_the_older_format_is_spoken(server: Server, kernel: TestKernel) -> None:
    headers = {"Authorization": f"token {server.token}"}
    url = f"{server.url}{kernel.address}/channels"
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.ws_connect(url, protocols=(PROTOCOL,)) as websocket,
    ):
        assert websocket.protocol is None
    async with kernel.connected() as socket:
        asked = await socket.execute("print('ü')")
        assert printed(await socket.until_done(asked), asked) == "ü\n"


async def test_what_is_said_to_be_untracked_is_no_activity(kernel: TestKernel) -> None:
    async with kernel.connected() as socket:
        await socket.run("1")
        before = await kernel.until_state("idle")
        await socket.run("print(2)")
        assert kernel.ask().json["last_activity"] == before["last_activity"]
        await socket.until_done(
            await socket.send("shell", "comm_info_request", {"target_name": "x"})
        )
        await kernel.until(lambda a: a.json["last_activity"] > before["last_activity"])


def test_front_ends_are_told_what_is_untracked(server: Server) -> None:
    page = server.ask("GET", "lab").body.decode()
    found = re.search(r'<script[^>]*id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found
    assert json.loads(found[1])["untracked_message_types"] == UNTRACKED
