"""What is written or begun at once is done when the call returns."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from perijove_gateway_http.at_once import Begun, write_at_once

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[asyncio.Transport, socket.socket]]:
    """Yield a transport and the socket at its other end."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(10)
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    try:
        yield transport, theirs
    finally:
        transport.abort()
        theirs.close()


async def test_what_is_written_is_there_at_once() -> None:
    async with connection() as (transport, theirs):
        assert write_at_once(transport, [b"mes", b"sage"])
        theirs.setblocking(False)
        assert theirs.recv(100) == b"message"


async def test_what_does_not_fit_follows_in_order() -> None:
    large = bytes(range(256)) * 40_000
    async with connection() as (transport, theirs):
        assert not write_at_once(transport, [large, b"end"])
        assert not write_at_once(transport, [b"more"])
        assert await asyncio.to_thread(read, theirs, len(large) + 7) == large + b"endmore"


async def test_a_broken_connection_is_left_to_the_transport() -> None:
    async with connection() as (transport, theirs):
        theirs.close()
        assert not write_at_once(transport, [b"x"])


async def test_what_is_encrypted_stays_so() -> None:
    ours, theirs = socket.socketpair()
    theirs.settimeout(10)
    reading = asyncio.ensure_future(asyncio.to_thread(read_encrypted, theirs, 7))
    transport, _ = await asyncio.get_running_loop().create_connection(
        asyncio.Protocol, sock=ours, ssl=anonymous(ssl.PROTOCOL_TLS_CLIENT), server_hostname=""
    )
    try:
        assert not write_at_once(transport, [b"mes", b"sage"])
        assert await reading == b"message"
    finally:
        transport.abort()
        theirs.close()


def anonymous(side: int) -> ssl.SSLContext:
    """Return a context that needs no certificate."""
    context = ssl.SSLContext(side)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AECDH-AES256-SHA:@SECLEVEL=0")
    return context


def read_encrypted(theirs: socket.socket, size: int) -> bytes:
    with anonymous(ssl.PROTOCOL_TLS_SERVER).wrap_socket(theirs, server_side=True) as encrypted:
        return read(encrypted, size)


def read(theirs: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += theirs.recv(size)
    return data


async def test_what_is_begun_goes_on_when_it_is_awaited() -> None:
    said: list[str] = []
    event = asyncio.Event()

    async def work() -> None:
        said.append("begun")
        await event.wait()
        await asyncio.sleep(0)
        said.append("ended")

    begun = Begun(work())
    assert said == ["begun"]
    event.set()
    await begun
    assert said == ["begun", "ended"]


async def test_what_is_begun_may_have_ended_already_or_failed() -> None:
    async def work(*, fails: bool) -> None:
        if fails:
            raise ValueError("no")

    await Begun(work(fails=False))
    begun = Begun(work(fails=True))
    with pytest.raises(ValueError, match="no"):
        await begun


async def test_what_is_begun_can_be_cancelled() -> None:
    said: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            said.append("cancelled")
            raise

    async def awaiting(begun: Begun) -> None:
        await begun

    task = asyncio.ensure_future(awaiting(Begun(work())))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert said == ["cancelled"]
