"""The sockets of a kernel, against sockets that a test speaks for."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import socket
from typing import TYPE_CHECKING

import pytest
import zmq
from perijove_chassis.errors import FailedPrecondition
from perijove_runner.backends.signing import Signer
from perijove_runner.backends.sockets import KernelSockets
from perijove_runner.model import Channel, ConnectionInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

KEY = "key"


@pytest.fixture
def connection(tmp_path: Path) -> ConnectionInfo:
    ip = str(tmp_path / "k")
    return ConnectionInfo("ipc", ip, 1, 2, 3, 4, 5, KEY, "hmac-sha256", "x")


@pytest.fixture
def kernel(connection: ConnectionInfo) -> Iterator[dict[Channel, zmq.Socket[bytes]]]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    kernel = {}
    for channel, kind in (
        (Channel.SHELL, zmq.ROUTER),
        (Channel.IOPUB, zmq.XPUB),
        (Channel.STDIN, zmq.ROUTER),
        (Channel.CONTROL, zmq.ROUTER),
    ):
        kernel[channel] = context.socket(kind)
        kernel[channel].linger = 0
        kernel[channel].bind(connection.url(int(channel)))
    yield kernel
    context.destroy(linger=0)


def signed(frames: Sequence[bytes]) -> list[bytes]:
    mac = hmac.new(KEY.encode(), b"".join(frames[:4]), hashlib.sha256)
    return [b"<IDS|MSG>", mac.hexdigest().encode(), *frames]


@pytest.fixture(params=[False, True])
def private(request: pytest.FixtureRequest, tmp_path: Path) -> bool:
    """Whether only this user may enter the directory of the sockets."""
    tmp_path.chmod(0o700 if request.param else 0o750)
    return bool(request.param)


async def test_only_what_the_key_has_signed_is_taken_where_others_could_speak(
    connection: ConnectionInfo,
    kernel: dict[Channel, zmq.Socket[bytes]],
    *,
    private: bool,
) -> None:
    heard: list[tuple[Channel, list[bytes]]] = []
    taken = asyncio.Event()

    def receive(channel: Channel, frames: Sequence[bytes]) -> None:
        heard.append((channel, list(frames)))
        if frames[0] == b"last":
            taken.set()

    sockets = KernelSockets(connection, b"me", receive)
    await sockets.connect()
    good = [b"h", b"p", b"m", b"c", b"buffer"]
    sockets.send(Channel.SHELL, good)
    identity, *sent = await asyncio.to_thread(kernel[Channel.SHELL].recv_multipart)
    assert identity == b"me"
    assert sent == signed(good)
    assert await asyncio.to_thread(kernel[Channel.IOPUB].recv_multipart) == [b"\x01"]
    publish = kernel[Channel.IOPUB].send_multipart
    publish([b"topic", *signed(good)])
    forged = [b"forged", *good[1:]]
    publish([b"topic", *signed(good)[:2], *forged])
    publish([b"topic", b"<IDS|MSG>", b"", *forged])
    publish([b"no delimiter"])
    publish([b"topic", *signed([b"h", b"p", b"m"])])
    publish([b"topic", *signed([b"last", b"p", b"m", b"c"])])
    await taken.wait()
    last = [b"last", b"p", b"m", b"c"]
    expected = [good, forged, forged, last] if private else [good, last]
    assert heard == [(Channel.IOPUB, frames) for frames in expected]
    sockets.close()


async def test_a_burst_is_read_to_its_end_though_the_descriptor_speaks_once(
    connection: ConnectionInfo, kernel: dict[Channel, zmq.Socket[bytes]]
) -> None:
    count = 0
    done = asyncio.Event()

    def receive(channel: Channel, frames: Sequence[bytes]) -> None:
        nonlocal count
        del channel, frames
        count += 1
        if count == 2000:
            done.set()

    sockets = KernelSockets(connection, b"me", receive)
    await sockets.connect()
    sockets.send(Channel.SHELL, [b"h", b"p", b"m", b"c"])
    identity, *_ = await asyncio.to_thread(kernel[Channel.SHELL].recv_multipart)
    for number in range(2000):
        kernel[Channel.SHELL].send_multipart([identity, *signed([b"%d" % number, b"", b"", b""])])
        if number % 100 == 0:
            # Sending may swallow what the descriptor had to say.
            sockets.send(Channel.SHELL, [b"h", b"p", b"m", b"c"])
    await done.wait()
    sockets.close()


async def test_nothing_is_read_while_the_journal_is_pressed(
    connection: ConnectionInfo, kernel: dict[Channel, zmq.Socket[bytes]]
) -> None:
    heard: list[bytes] = []
    pressed = False
    sockets = KernelSockets(
        connection, b"me", lambda _, frames: heard.append(frames[0]), lambda: pressed
    )
    await sockets.connect()
    assert await asyncio.to_thread(kernel[Channel.IOPUB].recv_multipart) == [b"\x01"]
    pressed = True
    for number in range(100):
        kernel[Channel.IOPUB].send_multipart([b"", *signed([b"%d" % number, b"", b"", b""])])
        await asyncio.sleep(0.001)
    assert heard == []
    pressed = False
    async with asyncio.timeout(30):
        while len(heard) < 100:  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.01)
    assert heard == [b"%d" % number for number in range(100)]
    sockets.close()


async def test_ports_are_connected_to_once_the_kernel_listens_on_all_of_them() -> None:
    with zmq.Context[zmq.Socket[bytes]]() as context, socket.socket() as last:
        bound = [context.socket(kind) for kind in (zmq.ROUTER, zmq.XPUB, zmq.ROUTER)]
        shell, iopub, stdin = [one.bind_to_random_port("tcp://127.0.0.1") for one in bound]
        last.bind(("127.0.0.1", 0))
        control = last.getsockname()[1]
        sockets = KernelSockets(
            ConnectionInfo(
                "tcp", "127.0.0.1", shell, iopub, stdin, control, 5, KEY, "hmac-sha256", "x"
            ),
            b"me",
            lambda *_: None,
        )
        connecting = asyncio.ensure_future(sockets.connect())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await asyncio.shield(connecting)
        last.listen()
        async with asyncio.timeout(30):
            await connecting
        sockets.close()
        for one in bound:
            one.close(linger=0)


def test_a_kernel_without_a_key_signs_nothing() -> None:
    signer = Signer("", "hmac-sha256")
    assert signer.sign([b"a"]) == b""
    assert signer.verify(b"anything", [b"a"])


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(FailedPrecondition):
        Signer("key", "rot13")
    with pytest.raises(FailedPrecondition):
        Signer("key", "hmac-shake_128")


@pytest.mark.parametrize("scheme", ["hmac-sha256", "hmac-md5", "hmac-sha512", "hmac-blake2b"])
@pytest.mark.parametrize("key", ["key", "k" * 64, "long" * 100])
def test_a_signature_is_that_of_the_standard_library(key: str, scheme: str) -> None:
    frames = [b"header", b"parent", b"metadata", b"content", b"a buffer, which is not signed"]
    expected = hmac.new(key.encode(), b"".join(frames[:4]), scheme.removeprefix("hmac-"))
    signer = Signer(key, scheme)
    assert signer.sign(frames) == expected.hexdigest().encode()
    assert signer.verify(signer.sign(frames), frames)
    assert not signer.verify(signer.sign(frames), [*frames[:3], b"other content"])
