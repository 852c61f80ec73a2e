from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest
from perijove_chassis.credentials import Issuer, derive_key
from perijove_chassis.settings import Secret
from perijove_local import probe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

KEY = Secret("a" * 64)
SERVER = """
from perijove_chassis import credentials, server
from perijove_chassis.settings import ServerSettings

async def main(settings):
    verifier = credentials.Verifier(
        "echo", service_key=settings.service_key, api_token=settings.api_token)
    await server.serve(settings, verifier, [])

server.run("echo", ServerSettings, main, prefix="ECHO_")
"""


@pytest.fixture
async def grpc_socket(tmp_path: Path) -> AsyncIterator[Path]:
    path = tmp_path / "s.sock"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVER,
        env={"ECHO_LISTEN": f"unix:{path}", "ECHO_SERVICE_KEY": KEY.reveal()},
        stderr=asyncio.subprocess.DEVNULL,
    )
    yield path
    process.terminate()
    await process.wait()


async def answer(question: probe.Probe) -> None:
    attempt = probe.Attempt(question)
    async with asyncio.timeout(60):
        while not attempt.poll():  # noqa: ASYNC110 - it is made to be polled
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("name", ["local", "x" * 300])
async def test_a_grpc_server_says_that_it_serves(grpc_socket: Path, name: str) -> None:
    issuer = Issuer(derive_key(KEY, "echo"), name, "echo")
    await answer(probe.grpc_health(str(grpc_socket), issuer.credential))


async def test_a_wrong_credential_is_not_ready_and_asked_again(grpc_socket: Path) -> None:
    right = Issuer(derive_key(KEY, "echo"), "local", "echo").credential()
    await answer(probe.grpc_health(str(grpc_socket), lambda: right))
    refused: list[bool] = []

    def verdict(received: bytes) -> bool | None:
        found = question.verdict(received)
        if found is not None:
            refused.append(found)
        return found

    question = probe.grpc_health(str(grpc_socket), lambda: "Bearer wrong")
    attempt = probe.Attempt(probe.Probe(question.address, question.request, verdict))
    async with asyncio.timeout(60):
        while len(refused) < 2:
            assert not attempt.poll()
            await asyncio.sleep(0.01)
    assert refused == [False, False]


async def test_redis_says_that_it_serves(valkey_socket: Path) -> None:
    await answer(probe.redis(str(valkey_socket)))


@pytest.mark.parametrize(
    ("said", "ready"),
    [
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 503 No\r\n", False),
        (b"HTTP/1.1 20", None),
        (b"\n", False),
        (b"nonsense\r\n", False),
    ],
)
def test_http_is_ready_when_it_answers_200(*, said: bytes, ready: bool | None) -> None:
    assert probe.http(("127.0.0.1", 1), "/api").verdict(said) is ready


async def test_http_is_asked_for_the_page() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    asked: list[bytes] = []
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        await answer(probe.http((host, port), "/base/api"))
    assert asked[0].startswith(b"GET /base/api HTTP/1.1\r\n")


def test_a_process_that_does_not_listen_is_not_ready(tmp_path: Path) -> None:
    attempt = probe.Attempt(probe.redis(str(tmp_path / "absent.sock")))
    assert not attempt.poll()
    assert not attempt.poll()


@pytest.mark.parametrize("size", [0, 1, 126, 127, 128, 254, 255, 300, 20000])
def test_lengths_are_encoded_as_hpack_says(size: int) -> None:
    encoded = probe._text("x" * size)
    length, position = encoded[0], 1
    assert length < 128, "not Huffman coded"
    if length == 127:
        shift = 0
        while True:
            octet = encoded[position]
            length += (octet & 127) << shift
            position, shift = position + 1, shift + 7
            if octet < 128:
                break
    assert (length, len(encoded) - position) == (size, size)
