"""Content that is written as a stream, and streams that break off."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING

import grpc
import pytest
from perijove.contents.v1 import contents_pb2 as pb
from perijove.contents.v1 import contents_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    Stub = contents_pb2_grpc.ContentsServiceAsyncStub


from services.contents.tests.calls import tree, write


async def test_a_write_that_is_cancelled_changes_nothing(contents: Stub, root: Path) -> None:
    (root / "a").write_bytes(b"old")

    async def begin(taken: asyncio.Event) -> AsyncIterator[pb.WriteContentRequest]:
        yield pb.WriteContentRequest(header=pb.WriteContentHeader(path="a"), chunk=b"half")
        taken.set()
        await asyncio.Event().wait()

    for number in range(60):
        taken = asyncio.Event()
        call = contents.WriteContent(begin(taken))
        await taken.wait()
        for _ in range(number):
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    # The calls before this one have ended by then: it goes through the same loop.
    await contents.GetEntry(pb.GetEntryRequest(path="a"))
    await write(contents, b"x", path="b")
    assert (root / "a").read_bytes() == b"old"
    (root / "b").unlink()
    deadline = asyncio.get_running_loop().time() + 30
    while len(os.listdir(root)) > 1:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)
    assert (root / "a").read_bytes() == b"old"


async def test_a_second_header_is_refused(contents: Stub, root: Path) -> None:
    header = pb.WriteContentHeader(path="a")
    twice = [pb.WriteContentRequest(header=header, chunk=b"x")] * 2
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await contents.WriteContent(iter(twice))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert tree(root) == {}


DYING_CLIENT = """
import asyncio, os, sys
import grpc
from perijove.contents.v1 import contents_pb2 as pb, contents_pb2_grpc

async def begin():
    yield pb.WriteContentRequest(header=pb.WriteContentHeader(path="a"), chunk=b"half")
    await asyncio.sleep(float(sys.argv[2]))
    os._exit(9)

async def main():
    channel = grpc.aio.insecure_channel(sys.argv[1])
    stub = contents_pb2_grpc.ContentsServiceStub(channel)
    await stub.WriteContent(begin(), metadata=(("authorization", "Bearer token"),))

asyncio.run(main())
"""


async def test_a_client_that_dies_while_writing_changes_nothing(
    contents: Stub, root: Path, tmp_path: Path
) -> None:
    (root / "a").write_bytes(b"old")
    await contents.GetEntry(pb.GetEntryRequest())
    for number in range(6):
        client = await asyncio.create_subprocess_exec(
            sys.executable, "-c", DYING_CLIENT, f"unix:{tmp_path}/c.sock", f"{number * 0.01}"
        )
        assert await client.wait() == 9
        await write(contents, b"x", path="b")
        assert (root / "a").read_bytes() == b"old"
    deadline = asyncio.get_running_loop().time() + 30
    while len(os.listdir(root)) > 2:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)
    assert (root / "a").read_bytes() == b"old"


async def test_a_client_that_still_writes_hears_why_it_is_refused(
    contents: Stub, root: Path
) -> None:
    (root / "dir").mkdir()

    async def requests() -> AsyncIterator[pb.WriteContentRequest]:
        header = pb.WriteContentHeader(path="dir", type=pb.ENTRY_TYPE_FILE)
        yield pb.WriteContentRequest(header=header, chunk=b"x")
        for _ in range(20):
            yield pb.WriteContentRequest(chunk=bytes(100_000))

    for _ in range(5):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await contents.WriteContent(requests())
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_model_is_written_as_the_notebook_it_holds(contents: Stub, root: Path) -> None:
    notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    header = pb.WriteContentHeader(path="a.ipynb", format=pb.CONTENT_FORMAT_MODEL)

    async def save(model: object) -> pb.WriteContentResponse:
        chunk = json.dumps(model).encode()
        return await contents.WriteContent(
            iter([pb.WriteContentRequest(header=header, chunk=chunk)])
        )

    await save({"type": "notebook", "name": "b", "content": notebook})
    assert json.loads((root / "a.ipynb").read_bytes()) == notebook
    await save({"content": notebook})
    for odd in (
        {"type": "file", "content": notebook},
        {"type": "notebook"},
        {"content": [notebook]},
        {"content": None},
        [notebook],
        notebook,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await save(odd)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT, odd
    header.path = "a.txt"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await save({"content": notebook})
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert json.loads((root / "a.ipynb").read_bytes()) == notebook


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (6, grpc.StatusCode.OK),
        (7, grpc.StatusCode.ABORTED),
        (5, grpc.StatusCode.INVALID_ARGUMENT),
        (0, grpc.StatusCode.INVALID_ARGUMENT),
        (-1, grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
async def test_a_stream_carries_as_much_as_it_said(
    contents: Stub, root: Path, said: int, code: grpc.StatusCode
) -> None:
    (root / "a").write_bytes(b"old")
    header = pb.WriteContentHeader(path="a", type=pb.ENTRY_TYPE_FILE, size_bytes=said)
    call = contents.WriteContent(
        iter(
            [
                pb.WriteContentRequest(header=header, chunk=b"abc"),
                pb.WriteContentRequest(chunk=b"def"),
            ]
        )
    )
    assert await call.code() is code
    assert (root / "a").read_bytes() == (b"abcdef" if code is grpc.StatusCode.OK else b"old")


async def test_a_stream_that_is_not_closed_is_written_once_all_is_there(
    contents: Stub, root: Path
) -> None:
    header = pb.WriteContentHeader(path="a", type=pb.ENTRY_TYPE_FILE, size_bytes=3)
    call = contents.WriteContent()
    await call.write(pb.WriteContentRequest(header=header, chunk=b"abc"))
    assert (await call).created
    assert (root / "a").read_bytes() == b"abc"
