"""What a client of the kernel WebSocket sees, through the edge and a real relay."""

from __future__ import annotations

import asyncio
import json
import struct
import uuid
from contextlib import AsyncExitStack, suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import WSMsgType
from perijove_runner.snapshot import RelayLimits

from tests.integration.edges import TOKEN, edge_of, runner_of
from tests.jupyter_ws import pack
from tests.relays import DEADLINE_S, IpyKernel, relay_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from perijove_runner.relay import KernelRelay

V1 = "v1.kernel.websocket.jupyter.org"
KERNEL_ID = "0-0-0-0-1"


@pytest.fixture
def kernel() -> Iterator[IpyKernel]:
    kernel = IpyKernel()
    kernel.start()
    yield kernel
    kernel.remove()


class Stack:
    """An edge, and a runner that can be taken away and brought back."""

    def __init__(self, url: str, address: str, relays: dict[str, KernelRelay]) -> None:
        self.url = url
        self.relays = relays
        self._address = address
        self._runner = AsyncExitStack()

    async def start_runner(self) -> None:
        await self._runner.enter_async_context(runner_of(self.relays, self._address))

    async def stop_runner(self) -> None:
        await self._runner.aclose()


@pytest.fixture
async def stack(kernel: IpyKernel) -> AsyncIterator[Stack]:
    async with relay_of(kernel, RelayLimits(journal_bytes=32_000_000)) as relay:
        relays = {KERNEL_ID: relay}
        async with edge_of(relays) as (url, address):
            stack = Stack(url, address, relays)
            await stack.start_runner()
            yield stack
            await stack.stop_runner()


@pytest.fixture
def relay(stack: Stack) -> KernelRelay:
    return stack.relays[KERNEL_ID]


class Socket:
    """A client in either format."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self.websocket = websocket
        self.is_v1 = websocket.protocol == V1

    async def send(
        self, channel: str, msg_type: str, content: Any, buffers: tuple[bytes, ...] = ()
    ) -> str:
        msg_id = uuid.uuid4().hex
        header = {"msg_id": msg_id, "msg_type": msg_type, "session": "s", "version": "5.3"}
        if self.is_v1:
            parts = [json.dumps(part).encode() for part in (header, {}, {}, content)]
            await self.websocket.send_bytes(pack(channel, [*parts, *buffers]))
            return msg_id
        message = {
            "header": header | {"username": "ü", "date": "2026-01-01T00:00:00Z"},
            "parent_header": {},
            "metadata": {},
            "content": content,
            "channel": channel,
        }
        if buffers:
            await self.websocket.send_bytes(pack_legacy(message, buffers))
        else:
            await self.websocket.send_str(json.dumps(message, ensure_ascii=False))
        return msg_id

    async def execute(self, code: str, *, allow_stdin: bool = False) -> str:
        content = {"code": code, "silent": False, "allow_stdin": allow_stdin}
        return await self.send("shell", "execute_request", content)

    async def next(self) -> dict[str, Any]:
        # Not `wait_for`, which may take a cancellation for itself.
        async with asyncio.timeout(DEADLINE_S):
            message = await self.websocket.receive()
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            raise EOFError(message.type, self.websocket.close_code)
        return parse(message.data, v1=self.is_v1)

    async def until_closed(self) -> None:
        with suppress(EOFError, ConnectionError):
            while True:
                await self.next()

    async def until_done(self, msg_id: str) -> list[dict[str, Any]]:
        found, idle, reply = [], False, False
        while not (idle and reply):
            message = await self.next()
            found.append(message)
            if message["parent_header"].get("msg_id") == msg_id:
                idle = idle or message["content"].get("execution_state") == "idle"
                reply = reply or message["header"]["msg_type"].endswith("_reply")
        return found

    async def run(self, code: str) -> list[dict[str, Any]]:
        return await self.until_done(await self.execute(code))


def parse(data: str | bytes, *, v1: bool) -> dict[str, Any]:
    """Parse as jupyter_client's formats say."""
    if isinstance(data, str):
        return dict(json.loads(data))
    if not v1:
        [count] = struct.unpack_from(">I", data)
        offsets = [*struct.unpack_from(f">{count}I", data, 4), len(data)]
        parts = [data[a:b] for a, b in pairwise(offsets)]
        return dict(json.loads(parts[0])) | {"buffers": parts[1:]}
    [count] = struct.unpack_from("<Q", data)
    offsets = struct.unpack_from(f"<{count}Q", data, 8)
    parts = [data[a:b] for a, b in pairwise(offsets)]
    names = ("header", "parent_header", "metadata", "content")
    message = {name: json.loads(part) for name, part in zip(names, parts[1:5], strict=True)}
    return message | {"channel": parts[0].decode(), "buffers": parts[5:]}


def pack_legacy(message: dict[str, Any], buffers: tuple[bytes, ...]) -> bytes:
    parts = [json.dumps(message).encode(), *buffers]
    offsets = [4 * (len(parts) + 1)]
    for part in parts[:-1]:
        offsets.append(offsets[-1] + len(part))
    return struct.pack(f">{len(parts) + 1}I", len(parts), *offsets) + b"".join(parts)


def text(messages: list[dict[str, Any]]) -> str:
    return "".join(m["content"]["text"] for m in messages if m["header"]["msg_type"] == "stream")


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


class Reader:
    """Reads without a pause, as browsers do: a ping is answered as soon as it is there."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.words: list[str] = []
        self._changed = asyncio.Event()
        self._task = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        with suppress(EOFError, ConnectionError):
            while True:
                self.words += text([await self.socket.next()]).split()
                self._changed.set()

    async def until(self, count: int) -> None:
        """Return when so many words were read, or the last one."""
        async with asyncio.timeout(DEADLINE_S):
            while len(self.words) < count and "end" not in self.words:
                self._changed.clear()
                await self._changed.wait()

    async def leave(self, how: str) -> list[str]:
        """Break the connection and return what was read until then."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if how == "abort":
            self.socket.websocket._response.connection.transport.abort()
        await self.socket.websocket.close()
        return self.words


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


async def test_a_runner_that_goes_away_makes_clients_come_back(connect: Any, stack: Stack) -> None:
    socket = await connect("me")
    await stack.stop_runner()
    await socket.until_closed()
    assert socket.websocket.close_code == 1012
    await stack.start_runner()
    assert text(await (await connect("me")).run("print(1)")) == "1\n"


async def quiet(socket: Socket) -> None:
    """Take what is still under way, until nothing comes any more."""
    with suppress(TimeoutError):
        while (await socket.websocket.receive(timeout=1)).type is WSMsgType.BINARY:
            pass


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
