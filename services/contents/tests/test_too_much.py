"""What callers may hold at the same time has a limit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc
from perijove.contents.v1 import contents_pb2 as pb
from perijove_contents.store import CHUNK_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from perijove.contents.v1 import contents_pb2_grpc

    Stub = contents_pb2_grpc.ContentsServiceAsyncStub

MAX_CALLS = 64


async def test_too_many_streams_that_nobody_reads_are_refused(contents: Stub, root: Path) -> None:
    (root / "large").write_bytes(b"x" * 8 * CHUNK_BYTES)
    calls = [contents.ReadContent(pb.ReadContentRequest(path="large")) for _ in range(100)]
    first = await asyncio.gather(*(anext(aiter(call)) for call in calls), return_exceptions=True)
    refused = [error for error in first if isinstance(error, grpc.aio.AioRpcError)]
    assert {error.code() for error in refused} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert len(refused) == 100 - MAX_CALLS
    for call in calls:
        call.cancel()
    # Those that went away left their places.
    async with asyncio.timeout(30):
        while True:
            try:
                await contents.GetEntry(pb.GetEntryRequest(path="large"))
            except grpc.aio.AioRpcError as error:
                assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED  # noqa: PT017
                await asyncio.sleep(0.01)
            else:
                return
