"""What a client of the kernel WebSocket sees, through the edge and a real relay."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.integration.websockets import KERNEL_ID, Stack, quiet
from tests.jupyter_ws import pack
from tests.kernel_sockets import text

if TYPE_CHECKING:
    from perijove_runner.relay import KernelRelay


@pytest.mark.parametrize("v1", [True, False])
async def test_a_cell_runs_in_both_formats(connect: Any, *, v1: bool) -> None:
    socket = await connect(v1=v1)
    assert socket.is_v1 is v1
    messages = await socket.run("print('grüße \\u2028')")
    assert text(messages) == "grüße \u2028\n"
    [reply] = [m for m in messages if m["header"]["msg_type"] == "execute_reply"]
    assert reply["channel"] == "shell"
    if not v1:
        assert reply["msg_id"] == reply["header"]["msg_id"]
        assert reply["msg_type"] == "execute_reply"
        assert reply["buffers"] == []


@pytest.mark.parametrize("v1", [True, False])
async def test_buffers_and_large_messages_pass_in_both_formats(connect: Any, *, v1: bool) -> None:
    socket = await connect(v1=v1)
    await socket.run(
        "def opened(comm, message):\n"
        "    comm.send({'n': len(message['buffers'])}, buffers=message['buffers'])\n"
        "get_ipython().kernel.comm_manager.register_target('echo', opened)"
    )
    buffers = (bytes(range(256)) * 60_000, b"", b"\x00\xff")
    content = {"comm_id": "c", "target_name": "echo", "data": {}}
    await socket.send("shell", "comm_open", content, buffers)
    while (message := await socket.next())["header"]["msg_type"] != "comm_msg":
        pass
    assert tuple(map(bytes, message["buffers"])) == buffers
    assert len(text(await socket.run("print('y' * 9_000_000)"))) == 9_000_001


async def test_both_formats_share_a_kernel(connect: Any, relay: KernelRelay) -> None:
    new, old = await connect(v1=True), await connect(v1=False)
    assert relay.connection_count == 2
    await new.run("print('shared')")
    seen = await old.run("pass")
    assert text(seen) == "shared\n"
    replies = [m for m in seen if m["channel"] == "shell"]
    assert len(replies) == 1


async def test_a_question_is_asked_and_answered(connect: Any) -> None:
    socket = await connect(v1=False)
    asked = await socket.execute("print('hello', input('who? '))", allow_stdin=True)
    while (question := await socket.next())["header"]["msg_type"] != "input_request":
        pass
    assert question["channel"] == "stdin"
    await socket.send("stdin", "input_reply", {"value": "Io"})
    assert text(await socket.until_done(asked)).endswith("hello Io\n")


async def test_a_deleted_kernel_leaves_the_socket_open_and_silent(
    connect: Any, relay: KernelRelay
) -> None:
    socket = await connect("me")
    relay.publish_status("dead")
    await relay.end()
    while (message := await socket.next())["content"].get("execution_state") != "dead":
        pass
    assert message["parent_header"] == {}
    await quiet(socket)
    for _ in range(3):
        await socket.execute("pass")
    await quiet(socket)
    assert not socket.websocket.closed


@pytest.mark.parametrize(
    "data",
    [b"", b"\x01", struct.pack("<Q", 1 << 60), pack("iopub", [b"{}"] * 4), pack("shell", [b"{}"])],
)
async def test_nonsense_is_dropped_and_the_socket_stays(connect: Any, data: bytes) -> None:
    socket = await connect()
    await socket.websocket.send_bytes(data)
    await socket.websocket.send_str("{")
    assert text(await socket.run("print(1)")) == "1\n"


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (f"/api/kernels/{KERNEL_ID}/channels", {}, 400),
        (f"/api/kernels/{KERNEL_ID}/channels", {"Authorization": "token wrong"}, 403),
        ("/api/kernels/0-0-0-0-2/channels", {"Upgrade": "websocket"}, 404),
        (f"/api/kernels/{KERNEL_ID}/channels", {"Sec-WebSocket-Version": "12"}, 426),
        (f"/api/kernels/{KERNEL_ID}/channels", {"Origin": "http://evil.example"}, 400),
    ],
)
async def test_an_upgrade_that_cannot_be_is_refused(
    stack: Stack, http: aiohttp.ClientSession, path: str, headers: dict[str, str], status: int
) -> None:
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    if "Upgrade" in headers or "Sec-WebSocket-Version" in headers:
        headers = upgrade | {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} | headers
    async with http.get(stack.url + path, headers=headers) as response:
        assert response.status == status


async def test_a_browser_from_elsewhere_is_refused(stack: Stack) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await http.ws_connect(f"{stack.url}/api/kernels/{KERNEL_ID}/channels")
    assert caught.value.status == 403


async def test_a_message_too_large_closes_the_socket(connect: Any) -> None:
    socket = await connect()
    with suppress(ConnectionError):
        await socket.websocket.send_bytes(bytes(49 * 1024 * 1024))
    await socket.until_closed()
    # Whoever still sends when the socket is closed may see no more than a reset.
    assert socket.websocket.close_code in (1009, 1006, None)
    assert text(await (await connect()).run("print(1)")) == "1\n"
