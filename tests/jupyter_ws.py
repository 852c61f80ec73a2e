"""A plain Jupyter client: REST by aiohttp, and the kernel WebSocket as front ends use it.

It knows nothing of Perijove. When its socket drops it comes back with the same
session id, as JupyterLab does, and goes on collecting.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import struct
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, cast

import aiohttp
from aiohttp import WSMsgType
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PROTOCOL = "v1.kernel.websocket.jupyter.org"
GENEROUS_S = 60.0
"""How long a test waits for what must happen, on a busy machine."""
_RETRY_S = 0.05


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a kernel."""

    channel: str
    header: dict[str, Any]
    parent: dict[str, Any]
    metadata: dict[str, Any]
    content: dict[str, Any]
    buffers: tuple[bytes, ...] = ()

    @property
    def kind(self) -> str:
        """Its `msg_type`."""
        return str(self.header["msg_type"])

    @property
    def parent_id(self) -> str:
        """Id of the request it belongs to, or empty."""
        return str(self.parent.get("msg_id", ""))


def pack(channel: str, parts: Sequence[bytes]) -> bytes:
    """Frame a message as the v1 subprotocol says."""
    segments = [channel.encode(), *parts]
    offsets = [8 * (len(segments) + 2)]
    for segment in segments:
        offsets.append(offsets[-1] + len(segment))
    return struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets) + b"".join(segments)


def unpack(frame: bytes) -> Message:
    """Read a frame of the v1 subprotocol."""
    (count,) = struct.unpack_from("<Q", frame)
    offsets = struct.unpack_from(f"<{count}Q", frame, 8)
    assert offsets[-1] == len(frame), "the last offset is the frame's length"
    channel, *parts = (frame[a:b] for a, b in itertools.pairwise(offsets))
    header, parent, metadata, content = (json.loads(part) for part in parts[:4])
    return Message(channel.decode(), header, parent, metadata, content, tuple(parts[4:]))


class KernelSocket:
    """The WebSocket of one kernel, over all its reconnections."""

    def __init__(self, http: aiohttp.ClientSession, *urls: URL) -> None:
        """Make one that takes the servers in turn, if there are several."""
        self.session_id = uuid.uuid4().hex
        self.messages: list[Message] = []
        self.connections = 0
        self._http = http
        self._urls = itertools.cycle(url.update_query(session_id=self.session_id) for url in urls)
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._collect())
        await self.until(lambda: self.connections > 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._socket:
            await self._socket.close()

    async def drop(self) -> None:
        """Break the connection without a goodbye, as a failing network does."""
        assert self._socket
        connection = self._socket._response.connection
        assert connection
        assert isinstance(connection.transport, asyncio.Transport)
        connection.transport.abort()

    async def until(self, condition: Callable[[], object], within_s: float = GENEROUS_S) -> None:
        """Wait until something holds of what was collected."""
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(condition)

    async def send(
        self,
        kind: str,
        content: dict[str, Any],
        channel: str = "shell",
        buffers: Sequence[bytes] = (),
        parent: dict[str, Any] | None = None,
    ) -> str:
        """Send a request, once there is a connection, and return its id."""
        message_id = uuid.uuid4().hex
        header = {
            "msg_id": message_id,
            "msg_type": kind,
            "session": self.session_id,
            "username": "test",
            "date": datetime.now(UTC).isoformat(),
            "version": "5.3",
        }
        parts = [json.dumps(part).encode() for part in (header, parent or {}, {}, content)]
        await self._send(pack(channel, [*parts, *buffers]))
        return message_id

    async def start(self, code: str) -> str:
        """Send code to run and return the request's id."""
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        return await self.send("execute_request", content)

    async def run(self, code: str) -> str:
        """Run code to its end and return what it printed."""
        request = await self.start(code)
        await self.finished(request)
        return self.printed(request)

    async def finished(self, request: str, within_s: float = GENEROUS_S) -> Message:
        """Wait for a request's reply and for `idle`; return the reply."""
        await self.until(lambda: self.replies(request) and self.idles(request), within_s)
        return self.replies(request)[0]

    def replies(self, request: str) -> list[Message]:
        """Return the replies to a request to run code."""
        return [found for found in self.of(request) if found.kind == "execute_reply"]

    def idles(self, request: str) -> list[Message]:
        """Return the reports that a request is done with."""
        return [
            found
            for found in self.of(request)
            if found.kind == "status" and found.content["execution_state"] == "idle"
        ]

    def of(self, request: str) -> list[Message]:
        """Return all messages that belong to a request."""
        return [message for message in self.messages if message.parent_id == request]

    def printed(self, request: str, name: str = "stdout") -> str:
        """Return what a request has printed so far."""
        return "".join(
            found.content["text"]
            for found in self.of(request)
            if found.kind == "stream" and found.content["name"] == name
        )

    async def _send(self, frame: bytes) -> None:
        async with asyncio.timeout(GENEROUS_S):
            while True:
                await self.until(lambda: self._socket)
                socket = cast("aiohttp.ClientWebSocketResponse", self._socket)
                with suppress(aiohttp.ClientConnectionResetError):
                    await socket.send_bytes(frame)
                    return
                # It is known to be closed, so nothing was sent.
                if self._socket is socket:
                    self._socket = None

    async def _collect(self) -> None:
        while True:
            with suppress(aiohttp.ClientError, TimeoutError):
                self._socket = await self._http.ws_connect(
                    next(self._urls), protocols=(PROTOCOL,), max_msg_size=0, autoping=False
                )
                assert self._socket.protocol == PROTOCOL
                await self._note(None)
                async for frame in self._socket:
                    if frame.type is WSMsgType.PING:
                        await self._pong(self._socket, frame.data)
                    elif frame.type is not WSMsgType.PONG:
                        await self._note(unpack(frame.data))
            self._socket = None
            await asyncio.sleep(_RETRY_S)

    @staticmethod
    async def _pong(socket: aiohttp.ClientWebSocketResponse, payload: bytes) -> None:
        # Left to aiohttp, a pong to a server that is gone ends the reading of what had
        # arrived before.
        with suppress(aiohttp.ClientConnectionResetError):
            await socket.pong(payload)

    async def _note(self, message: Message | None) -> None:
        async with self._changed:
            if message:
                self.messages.append(message)
            else:
                self.connections += 1
            self._changed.notify_all()


class JupyterClient:
    """Speaks the REST API of one server."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = URL(url)

    @classmethod
    def http(cls, token: str) -> aiohttp.ClientSession:
        """Return a session that presents a token."""
        timeout = aiohttp.ClientTimeout(total=GENEROUS_S)
        return aiohttp.ClientSession(
            headers={"Authorization": f"token {token}"} if token else {}, timeout=timeout
        )

    async def call(self, method: str, path: str, body: object = None, *, expect: int = 200) -> Any:
        """Call the REST API and return the JSON of the answer."""
        data = None if body is None else json.dumps(body)
        async with self._http.request(method, self._url.join(URL(path)), data=data) as answer:
            text = await answer.text()
            assert answer.status == expect, f"{method} {path}: {answer.status} {text[:1000]}"
            return json.loads(text) if text else None

    async def new_session(self, path: str, kernel: str = "python3") -> dict[str, Any]:
        """Create a session for a notebook, and so a kernel."""
        body = {"path": path, "type": "notebook", "name": path, "kernel": {"name": kernel}}
        found: dict[str, Any] = await self.call("POST", "api/sessions", body, expect=201)
        return found

    def kernel(self, kernel_id: str, *servers: URL) -> KernelSocket:
        """Return the WebSocket of a kernel, to be entered; through the servers named in turn."""
        path = f"api/kernels/{kernel_id}/channels"
        return KernelSocket(self._http, *(server / path for server in servers or (self._url,)))
