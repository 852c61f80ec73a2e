"""The WebSocket of a kernel, in both formats."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.conformance.client import cookie_header
from tests.conformance.differences import differs_in
from tests.conformance.kernels import TestKernel
from tests.conformance.routes import HANDSHAKE
from tests.jupyter_ws import PROTOCOL, pack
from tests.kernel_sockets import all_within, answers, printed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conformance.client import Server

BOTH = pytest.mark.parametrize("v1", [True, False], ids=["v1", "legacy"])
ECHO = """
from ipykernel.comm import Comm
def opened(comm, message):
    @comm.on_msg
    def answer(message):
        buffers = [bytes(buffer)[::-1] for buffer in message["buffers"]]
        comm.send(message["content"]["data"], buffers=buffers)
get_ipython().kernel.comm_manager.register_target("echo", opened)
"""


@pytest.fixture(scope="module")
def kernel(server: Server) -> Iterator[TestKernel]:
    kernel = TestKernel(server, name="python3")
    yield kernel
    kernel.remove()


# The handshake.


def test_handshake_is_refused_as_it_must(server: Server, kernel: TestKernel) -> None:
    target = f"{kernel.address}/channels"
    assert server.ask("GET", target, headers=HANDSHAKE, token=None).status == 403
    plain = server.ask("GET", target)
    assert plain.status == 400
    assert b"Upgrade" in plain.body
    old = {**HANDSHAKE, "Sec-WebSocket-Version": "12"}
    assert server.ask("GET", target, headers=old).status == 426
    cookie = cookie_header(server.ask("GET", "api/me"))
    foreign = {**HANDSHAKE, "Cookie": cookie, "Origin": "http://other.example"}
    assert server.ask("GET", target, headers=foreign, token=None).status == 403


async def test_who_has_the_token_or_the_cookie_is_let_in(
    server: Server, kernel: TestKernel
) -> None:
    url = f"{server.url}{kernel.address}/channels"
    cookie = cookie_header(server.ask("GET", "api/me"))
    origin = {"Origin": f"http://{server.netloc}"}
    async with aiohttp.ClientSession() as http:
        for headers, query in (
            ({"Cookie": cookie, **origin}, {}),
            ({"Authorization": f"Bearer {server.token}"}, {}),
            ({"Origin": "http://localhost"}, {"token": server.token}),
        ):
            async with http.ws_connect(url, headers=headers, params=query) as websocket:
                assert websocket.protocol is None


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ((), None),
        ((PROTOCOL,), PROTOCOL),
        (("other", PROTOCOL), PROTOCOL),
        (("other",), None),
    ],
)
async def test_format_is_chosen_of_those_offered(
    offered: tuple[str, ...], chosen: str | None, server: Server, kernel: TestKernel
) -> None:
    headers = {"Authorization": f"token {server.token}"}
    url = f"{server.url}{kernel.address}/channels"
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.ws_connect(url, protocols=offered, compress=15) as websocket,
    ):
        assert websocket.protocol == chosen
        assert not websocket.compress


async def test_socket_opens_once_the_kernel_answers(server: Server) -> None:
    kernel = TestKernel(server)
    try:
        async with kernel.connected(None) as socket:
            # What is asked at once is heard, and so is all it says.
            assert await socket.output("print(1)") == "1\n"
    finally:
        kernel.remove()


# Messages.


@BOTH
async def test_messages_have_their_parts(kernel: TestKernel, *, v1: bool) -> None:
    async with kernel.connected(v1=v1) as socket:
        asked = await socket.execute("print('ü')\n6 * 7")
        seen = answers(await socket.until_done(asked), asked)
        kinds = [message["header"]["msg_type"] for message in seen if message["channel"] == "iopub"]
        assert kinds == ["status", "execute_input", "stream", "execute_result", "status"]
        assert printed(seen, asked) == "ü\n"
        for message in seen:
            assert set(message["header"]) >= {
                *("msg_id", "msg_type", "username", "session", "date", "version"),
            }
            assert message["parent_header"]["username"] == "ü"
            assert isinstance(message["metadata"], dict)
            assert message["buffers"] == []
            if not v1:
                assert message["msg_id"] == message["header"]["msg_id"]
                assert message["msg_type"] == message["header"]["msg_type"]
                assert message["header"]["date"].endswith("Z")
        (reply,) = (message for message in seen if message["channel"] == "shell")
        assert reply["content"]["status"] == "ok"


@BOTH
async def test_buffers_travel_both_ways(kernel: TestKernel, *, v1: bool) -> None:
    async with kernel.connected(v1=v1) as socket:
        await socket.run(ECHO)
        comm_id = uuid.uuid4().hex
        opened = {"comm_id": comm_id, "target_name": "echo", "data": {}}
        await socket.send("shell", "comm_open", opened)
        buffers = (b"", b"\x00\xff\x01", bytes(range(256)) * 8192)
        await socket.send("shell", "comm_msg", {"comm_id": comm_id, "data": {"a": "ü"}}, buffers)
        while True:
            message = await socket.next()
            if message["header"]["msg_type"] == "comm_msg":
                break
        assert message["content"]["data"] == {"a": "ü"}
        assert [bytes(one) for one in message["buffers"]] == [one[::-1] for one in buffers]


@BOTH
async def test_large_messages_pass_both_ways(kernel: TestKernel, *, v1: bool) -> None:
    size = 9_000_000  # somewhat less than any server takes
    async with kernel.connected(v1=v1) as socket:
        asked = await socket.execute(f"x = '{'x' * size}'\nx")
        result = [
            message["content"]["data"]["text/plain"]
            for message in await socket.until_done(asked)
            if message["header"]["msg_type"] == "execute_result"
        ]
        assert [len(one) for one in result] == [size + 2]


@BOTH
async def test_every_channel_is_carried(kernel: TestKernel, *, v1: bool) -> None:
    async with kernel.connected(v1=v1) as socket:
        info = await socket.send("control", "kernel_info_request", {})
        replies = [m for m in await socket.until_done(info) if m["channel"] == "control"]
        assert [m["header"]["msg_type"] for m in replies] == ["kernel_info_reply"]
        asked = await socket.execute("print(input('?'))", allow_stdin=True)
        while True:
            message = await socket.next()
            if message["channel"] == "stdin":
                break
        assert message["header"]["msg_type"] == "input_request"
        assert message["content"]["prompt"] == "?"
        await socket.send("stdin", "input_reply", {"value": "an answer"})
        assert printed(await socket.until_done(asked), asked) == "an answer\n"


@BOTH
async def test_what_names_no_channel_of_kernels_is_dropped(kernel: TestKernel, *, v1: bool) -> None:
    async with kernel.connected(v1=v1) as socket:
        await socket.send("nope", "kernel_info_request", {})
        await socket.send("shell", "no_such_request", {})
        assert await socket.output("print(1)") == "1\n"


async def test_channel_that_is_not_named_is_shell(kernel: TestKernel) -> None:
    async with kernel.connected(v1=False) as socket:
        header = {"msg_id": "m", "msg_type": "kernel_info_request", "session": "s"}
        header |= {"username": "u", "version": "5.3", "date": "2026-01-01T00:00:00Z"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": {}}
        await socket.websocket.send_str(json.dumps(message))
        replies = [m for m in await socket.until_done("m") if m["channel"] == "shell"]
        assert [m["header"]["msg_type"] for m in replies] == ["kernel_info_reply"]


async def test_bytes_of_the_kernel_are_passed_on_as_they_are(kernel: TestKernel) -> None:
    async with kernel.connected() as socket:
        header = {"msg_id": "n", "msg_type": "execute_request", "session": "s", "x": [1.0, "ü"]}
        header |= {"username": "u", "version": "5.3", "date": "2026-01-01T00:00:00Z"}
        content = {"code": "1", "silent": False, "store_history": True, "user_expressions": {}}
        parts = [json.dumps(part).encode() for part in (header, {}, {"cellId": "ü"}, content)]
        await socket.websocket.send_bytes(pack("shell", parts))
        (reply,) = (m for m in await socket.until_done("n") if m["channel"] == "shell")
        assert reply["parent_header"]["x"] == [1.0, "ü"]


# Several clients.


async def test_output_is_for_all_and_a_reply_for_who_asked(kernel: TestKernel) -> None:
    async with kernel.connected() as one, kernel.connected(v1=False) as other:
        await other.run("1")  # only now is it sure to hear everything, with some servers
        asked = await one.execute("print('for all')")
        assert printed(await one.until_done(asked), asked) == "for all\n"
        answered = await other.execute("1")
        seen = await other.until_done(answered)
        assert printed(seen, asked) == "for all\n"
        assert asked not in {m["parent_header"]["msg_id"] for m in seen if m["channel"] == "shell"}


async def test_second_socket_of_a_session_replaces_the_first(
    server: Server, kernel: TestKernel
) -> None:
    session_id = uuid.uuid4().hex
    async with kernel.connected(session_id) as first:
        asked = await first.execute(
            "import time\nprint('one', flush=True)\ntime.sleep(2)\nprint('two')"
        )
        async with kernel.connected(session_id) as second:
            await first.until_closed()
            answered = await second.execute("1")
            seen = await second.until_done(answered)
            if not differs_in(server, "what a socket says that replaces another"):
                assert "two" in printed(seen, asked)
            assert await second.output("print(3)") == "3\n"


async def test_client_that_comes_back_is_told_what_it_missed(
    server: Server, kernel: TestKernel
) -> None:
    session_id = uuid.uuid4().hex
    code = "import time\ntime.sleep(1)\nfor i in range(50): print(i)"
    async with kernel.connected(session_id) as socket:
        asked = await socket.execute(code)
    await asyncio.sleep(2)
    async with kernel.connected(session_id) as again:
        seen = await again.until_done(asked)
        assert printed(seen, asked) == "".join(f"{i}\n" for i in range(50))
    async with kernel.connected(session_id) as socket:
        asked = await socket.execute(code)
    async with kernel.connected():
        await asyncio.sleep(2)
    async with kernel.connected(session_id) as again:
        seen = await all_within(again, 2)
        if not differs_in(server, "what a client missed while another was there"):
            assert printed(seen, asked) == "".join(f"{i}\n" for i in range(50))


# The state of the connection.


async def test_ping_is_answered(kernel: TestKernel) -> None:
    async with kernel.connected(autoping=False) as socket:
        await socket.websocket.ping(b"are you there")
        async with asyncio.timeout(30):
            while True:
                message = await socket.websocket.receive()
                if message.type is aiohttp.WSMsgType.PONG:
                    break
        assert message.data == b"are you there"


async def test_message_that_is_too_large_closes_the_socket(kernel: TestKernel) -> None:
    async with kernel.connected() as socket:
        # The server may close while it is still being sent.
        try:
            await socket.websocket.send_bytes(b"x" * 60_000_000)
        except ConnectionError:
            return
        await socket.until_closed()
        assert socket.websocket.close_code in (1009, 1006, None)


@pytest.mark.parametrize("data", [b"", b"x", b"\xff" * 64, "{", "[]", "\x00"])
@BOTH
async def test_nonsense_harms_nobody(
    data: Any, server: Server, kernel: TestKernel, *, v1: bool
) -> None:
    if differs_in(server, "nonsense from a client"):
        return
    async with kernel.connected(v1=v1) as socket, kernel.connected() as other:
        if isinstance(data, str):
            await socket.websocket.send_str(data)
        else:
            await socket.websocket.send_bytes(data)
        assert await other.output("print(1)") == "1\n"
        assert await socket.output("print(2)") == "2\n"
