"""Events across replicas: two gateways, several sessions services, and those that are killed."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import uuid
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import grpc
import psutil
import pytest
from perijove.contents.v1 import contents_pb2, contents_pb2_grpc

from tests.ports import free_port
from tests.running import GENEROUS_S, wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.running import RunningPerijove

CORE = "https://events.jupyter.org/jupyter_server/"
CONTENTS = f"{CORE}contents_service/v1"
SAVES = 60
FOLLOW_EVENTS = str(Path(__file__).parents[2] / "docs/examples/follow_events.py")


@dataclass
class Started:
    """A further process, told as its like is told by the launcher, but for some variables."""

    process: subprocess.Popen[bytes]
    port: int

    @classmethod
    def like(cls, perijove: RunningPerijove, name: str, port: int, **told: str) -> Started:
        prefix = f"PERIJOVE_{name.upper()}_"
        environment = psutil.Process(perijove.pid(name)).environ()
        environment |= {prefix + key: value for key, value in told.items()}
        process = subprocess.Popen(
            [sys.executable, "-m", f"perijove_{name}"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started = cls(process, port)
        wait_for(started.listens)
        return started

    def listens(self) -> bool:
        assert self.process.poll() is None
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(GENEROUS_S)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(GENEROUS_S)


@dataclass
class Replicas:
    """Two sessions services, and two gateways that prefer one each."""

    sessions: list[Started]
    gateways: list[Started]

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{gateway.port}/" for gateway in self.gateways]


@pytest.fixture
def replicas(perijove: RunningPerijove) -> Iterator[Replicas]:
    found = Replicas([], [])
    try:
        for _ in range(2):
            port = free_port()
            address = f"127.0.0.1:{port}"
            found.sessions.append(Started.like(perijove, "sessions", port, LISTEN=address))
        for order in (found.sessions, found.sessions[::-1]):
            port = free_port()
            target = "ipv4:" + ",".join(f"127.0.0.1:{one.port}" for one in order)
            told = {"LISTEN_FD": "-1", "PORT": str(port), "SESSIONS": target}
            found.gateways.append(Started.like(perijove, "gateway_http", port, **told))
        yield found
    finally:
        for started in (*found.gateways, *found.sessions):
            started.end()


class Front:
    """A front end of one gateway, and what it has been told."""

    def __init__(
        self, http: aiohttp.ClientSession, url: str, socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        self.http = http
        self.url = url
        self.told: list[dict[str, Any]] = []
        self._socket = socket

    async def save(self, path: str) -> None:
        body = {"type": "file", "format": "text", "content": "x"}
        async with self.http.put(f"{self.url}api/contents/{path}", json=body) as answer:
            assert answer.status in (200, 201), await answer.text()

    async def publish(self, message: str) -> None:
        data = {"status": "success", "msg": message}
        event = {"schema_id": f"{CORE}gateway_client/v1", "version": "1", "data": data}
        async with self.http.post(f"{self.url}api/events", json=event) as answer:
            assert answer.status == 204, await answer.text()

    async def until(self, **wanted: Any) -> None:
        async with asyncio.timeout(GENEROUS_S):
            while not any(wanted.items() <= event.items() for event in self.told):
                message = await self._socket.receive()
                assert message.type is aiohttp.WSMsgType.TEXT, message
                self.told.append(json.loads(message.data))

    def saved(self, folder: str) -> list[str]:
        return [
            event["path"].rpartition("-")[2]
            for event in self.told
            if event.get("action") == "save" and event["path"].startswith(f"{folder}-")
        ]

    def messages(self, begin: str) -> list[str]:
        return [
            event["msg"].removeprefix(begin)
            for event in self.told
            if event.get("msg", "").startswith(begin)
        ]


@asynccontextmanager
async def fronts(token: str, *urls: str) -> AsyncIterator[list[Front]]:
    async with AsyncExitStack() as stack:
        headers = {"Authorization": f"token {token}"}
        http = await stack.enter_async_context(aiohttp.ClientSession(headers=headers))
        found = []
        for url in urls:
            connecting = http.ws_connect(f"{url}api/events/subscribe")
            found.append(Front(http, url, await stack.enter_async_context(connecting)))
        yield found


async def test_a_killed_replica_loses_and_repeats_no_event(
    perijove: RunningPerijove, replicas: Replicas
) -> None:
    name = uuid.uuid4().hex
    async with fronts(perijove.token, *replicas.urls) as (one, other):
        for number in range(SAVES):
            if number == SAVES // 2:
                replicas.sessions[0].kill()
            front = (one, other)[number % 2]
            await front.save(f"{name}-{number}")
            await front.publish(f"{name} {number}")
        for front in (one, other):
            await front.until(action="save", path=f"{name}-{SAVES - 1}")
            await front.until(msg=f"{name} {SAVES - 1}")
            assert front.saved(name) == [str(number) for number in range(SAVES)]
            assert front.messages(f"{name} ") == [str(number) for number in range(SAVES)]


@pytest.mark.parametrize("process", ["sessions", "redis"])
async def test_nothing_waits_for_events_and_they_come_later(
    perijove: RunningPerijove, process: str
) -> None:
    """Contents publishes to the one sessions service, and that is killed."""
    name = uuid.uuid4().hex
    async with fronts(perijove.token, perijove.url) as (front,):
        await front.save(f"{name}-0")
        await front.until(action="save", path=f"{name}-0")
        old = perijove.kill(process)
        for number in range(1, SAVES):
            await front.save(f"{name}-{number}")
        await perijove.wait_restarted(process, old)
        await front.until(action="save", path=f"{name}-{SAVES - 1}")
        assert front.saved(name) == [str(number) for number in range(SAVES)]


async def test_what_programs_do_is_told_front_ends(perijove: RunningPerijove) -> None:
    path = f"{uuid.uuid4().hex}.txt"
    async with (
        fronts(perijove.token, perijove.url) as (front,),
        grpc.aio.insecure_channel(perijove.target("contents")) as channel,
    ):
        stub = contents_pb2_grpc.ContentsServiceStub(channel)
        header = contents_pb2.WriteContentHeader(
            path=path,
            type=contents_pb2.ENTRY_TYPE_FILE,
            format=contents_pb2.CONTENT_FORMAT_TEXT,
        )
        credential = (("authorization", f"Bearer {perijove.token}"),)
        request = contents_pb2.SaveContentRequest(header=header, content=b"x")
        await stub.SaveContent(request, metadata=credential)
        await front.until(schema_id=CONTENTS, action="save", path=path)


async def test_a_gateway_that_comes_after_is_told_what_happens_then(
    perijove: RunningPerijove, replicas: Replicas
) -> None:
    name = uuid.uuid4().hex
    async with fronts(perijove.token, replicas.urls[0]) as (one,):
        await one.publish(f"{name} 0")
        await one.until(msg=f"{name} 0")
        async with fronts(perijove.token, replicas.urls[1]) as (other,):
            await one.publish(f"{name} 1")
            await other.until(msg=f"{name} 1")
            assert other.messages(f"{name} ") == ["1"]


async def test_the_example_of_the_documentation_follows_events(perijove: RunningPerijove) -> None:
    path = f"{uuid.uuid4().hex}.txt"
    environment = {
        "PERIJOVE_SESSIONS": perijove.target("sessions"),
        "PERIJOVE_TOKEN": perijove.token,
    }
    program = await asyncio.create_subprocess_exec(
        sys.executable, FOLLOW_EVENTS, env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert program.stdout
    try:
        async with fronts(perijove.token, perijove.url) as (front,), asyncio.timeout(GENEROUS_S):
            # It says nothing when it begins to follow, so something happens until it does.
            saving = asyncio.create_task(save_again_and_again(front, path))
            line = await program.stdout.readline()
            saving.cancel()
            await asyncio.gather(saving, return_exceptions=True)
        assert line.decode().startswith("jupyter_server/contents_service/v1 {")
    finally:
        program.kill()
        await program.wait()


async def save_again_and_again(front: Front, path: str) -> None:
    while True:
        await front.save(path)
