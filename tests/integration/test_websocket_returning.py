"""What a client of the kernel WebSocket sees when one end or the other breaks."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Any

import pytest

from tests.integration.websockets import KERNEL_ID, Reader, Stack, quiet
from tests.kernel_sockets import Socket, text
from tests.relays import DEADLINE_S


@pytest.mark.parametrize("how", ["close", "abort"])
async def test_a_client_that_comes_back_misses_nothing(connect: Any, how: str) -> None:
    socket = await connect("me")
    await socket.execute(
        "import time\nfor i in range(400): print(i, flush=True); time.sleep(0.004)\nprint('end')"
    )
    printed: list[str] = []
    while "end" not in printed:
        reader = Reader(socket)
        await reader.until(50)
        read = await reader.leave(how)
        # A pong that was on its way when the connection broke did not count.
        while how == "abort" and printed and read and read[0] == printed[-1]:
            read = read[1:]
        printed += read
        socket = await connect("me")
    assert printed == [*(str(number) for number in range(400)), "end"]


async def test_a_client_that_does_not_read_loses_nothing_when_its_connection_breaks(
    connect: Any,
) -> None:
    socket = await connect("me")
    other = await connect("other")
    transport = socket.websocket._response.connection.transport
    transport.pause_reading()
    # It lies in the buffers of the connection, written and acknowledged.
    await other.run("for i in range(50): print(i, flush=True)")
    transport.abort()
    await socket.websocket.close()
    again = await connect("me")
    seen = text(await again.run("print('end')"))
    assert seen.split() == [*(str(n) for n in range(50)), "end"]


async def test_a_second_socket_of_a_client_closes_the_first(connect: Any) -> None:
    first = await connect("me")
    second = await connect("me")
    await first.until_closed()
    assert first.websocket.close_code == 1000
    assert text(await second.run("print(1)")) == "1\n"


async def test_a_second_socket_closes_one_that_is_writing(connect: Any) -> None:
    for _ in range(5):
        first = await connect("me")

        async def write(socket: Socket = first) -> None:
            with suppress(ConnectionError):
                while not socket.websocket.closed:
                    await socket.send("shell", "comm_msg", {"comm_id": "none", "data": {}})

        writing = asyncio.ensure_future(write())
        second = await connect("me")
        await first.until_closed()
        await writing
        assert first.websocket.close_code == 1000
        assert not second.websocket.closed
        await second.websocket.close()


async def test_a_socket_outlives_the_streams_of_its_runner(connect: Any, stack: Stack) -> None:
    socket = await connect("me")
    await socket.run("import time; said = []")
    reading = asyncio.ensure_future(breaking(stack, times=8))
    asked = []
    while not reading.done():
        for _ in range(20):
            # A kernel at work says little, so the edge learns late what was taken.
            asked.append(await socket.execute(f"time.sleep(0.01); said.append({len(asked)})"))
        await asyncio.sleep(0.05)
    await reading
    answered: list[str] = []
    last = await socket.execute("print(said == list(range(len(said))), len(said))")
    seen = await socket.until_done(last)
    for message in seen:
        if message["header"]["msg_type"] == "execute_reply":
            assert message["content"]["status"] == "ok"
            answered.append(message["parent_header"]["msg_id"])
    # Each once, in order, and seen once.
    assert answered == [*asked, last]
    assert text(seen) == f"True {len(asked)}\n"


async def breaking(stack: Stack, times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(random.uniform(0.0, 0.2))  # noqa: S311 - no secret
        await stack.stop_runner()
        await asyncio.sleep(random.uniform(0.0, 0.2))  # noqa: S311 - no secret
        await stack.start_runner()


async def test_a_large_message_sent_while_the_runner_is_away_arrives(
    connect: Any, stack: Stack
) -> None:
    socket = await connect("me")
    await stack.stop_runner()
    asked = await socket.execute(f"print(len({'x' * 9_000_000!r}))")
    # More than is kept: the client has to wait.
    more = await socket.execute(f"print(len({'y' * 9_000_000!r}))")
    await stack.start_runner()
    assert text(await socket.until_done(asked)) == "9000000\n"
    assert text(await socket.until_done(more)) == "9000000\n"


async def test_what_a_client_sent_before_it_left_arrives(connect: Any, stack: Stack) -> None:
    socket = await connect("me")
    await stack.stop_runner()
    await socket.execute("left = 'word'")
    closing = asyncio.ensure_future(socket.websocket.close())
    await stack.start_runner()
    await closing
    other = await connect("other")
    async with asyncio.timeout(DEADLINE_S):
        while text(await other.run("print(globals().get('left'))")) != "word\n":
            pass


async def test_a_runner_that_stays_away_makes_clients_come_back(
    connect: Any, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perijove_gateway_http.upstream.RETURN_S", 0.5)
    socket = await connect("me")
    await stack.stop_runner()
    await socket.until_closed()
    assert socket.websocket.close_code == 1012
    await stack.start_runner()
    assert text(await (await connect("me")).run("print(1)")) == "1\n"


async def test_a_kernel_that_is_gone_when_its_runner_returns_leaves_the_socket_open(
    connect: Any, stack: Stack
) -> None:
    socket = await connect("me")
    await stack.stop_runner()
    relay = stack.relays.pop(KERNEL_ID)
    await stack.start_runner()
    await quiet(socket)
    await socket.execute("pass")
    await quiet(socket)
    assert not socket.websocket.closed
    stack.relays[KERNEL_ID] = relay


async def test_a_slow_client_is_told_in_the_notebook(connect: Any) -> None:
    slow, quick = await connect("slow"), await connect("quick")
    slow.websocket._response.connection.transport.pause_reading()
    await quick.run("for i in range(800): print('x' * 100_000, flush=True)")
    slow.websocket._response.connection.transport.resume_reading()
    seen = await slow.run("print('end')")
    told = [m for m in seen if "Output was lost" in m["content"].get("text", "")]
    assert told
    assert told[0]["content"]["name"] == "stderr"
    assert told[0]["parent_header"]["msg_type"] == "execute_request"
    assert text(seen).endswith("end\n")
