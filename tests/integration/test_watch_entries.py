"""Changes of real files, by whomever, through a real socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from perijove.contents.v1 import contents_pb2 as pb
from perijove_contents.watching import KEPT_CHANGES, MAX_WATCHERS

from tests.contents_process import ContentsProcess, requests, stub_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from perijove_chassis.client import Channel

GENEROUS_S = 60.0
CREATED, MODIFIED, DELETED = (
    pb.CHANGE_TYPE_CREATED,
    pb.CHANGE_TYPE_MODIFIED,
    pb.CHANGE_TYPE_DELETED,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
async def process(tmp_path: Path, root: Path) -> AsyncIterator[ContentsProcess]:
    process = ContentsProcess(tmp_path, root).start()
    yield process
    process.kill()


@pytest.fixture
async def channel(process: ContentsProcess) -> AsyncIterator[Channel]:
    channel = process.channel()
    await process.ready(channel)
    yield channel
    await channel.close()


class Watcher:
    """One `WatchEntries` stream."""

    def __init__(self, channel: Channel, path: str = "", after: str = "") -> None:
        request = pb.WatchEntriesRequest(path=path, after=after)
        self.call = stub_of(channel).WatchEntries(request, timeout=None)
        self.changes: list[tuple[int, str]] = []
        self.position = ""

    async def hear(self) -> Any:
        async with asyncio.timeout(GENEROUS_S):
            response = await self.call.read()
        assert response, "the stream ended"
        self.changes += [(change.type, change.path) for change in response.changes]
        self.position = response.position
        return response

    async def until(self, *expected: tuple[int, str]) -> None:
        while not set(expected) <= set(self.changes):
            await self.hear()


async def test_changes_of_files_are_told_as_they_happen(channel: Channel, root: Path) -> None:
    watcher = Watcher(channel)
    assert (await watcher.hear()).resync
    (root / "a").write_text("first")
    await watcher.until((CREATED, "a"))
    with (root / "a").open("a") as file:
        file.write("second")
    await watcher.until((MODIFIED, "a"))
    (root / "d").mkdir()
    (root / "d" / "b").touch()
    await watcher.until((CREATED, "d"), (CREATED, "d/b"))
    (root / "a").rename(root / "d" / "c")
    await watcher.until((DELETED, "a"), (CREATED, "d/c"))
    await stub_of(channel).WriteContent(requests(pb.WriteContentHeader(path="d/c"), b"third"))
    await watcher.until((MODIFIED, "d/c"))
    (root / "d" / "c").unlink()
    await watcher.until((DELETED, "d/c"))
    assert {path for _, path in watcher.changes} == {"a", "d", "d/b", "d/c"}
    watcher.call.cancel()
    (root / "later").touch()
    again = Watcher(channel, after=watcher.position)
    assert not (await again.hear()).resync
    await again.until((CREATED, "later"))
    again.call.cancel()


async def test_more_changes_than_are_kept_are_told_as_a_resync(
    channel: Channel, root: Path, tmp_path: Path
) -> None:
    watcher = Watcher(channel)
    await watcher.hear()
    many = tmp_path / "many"
    many.mkdir()
    for number in range(KEPT_CHANGES + 100):
        (many / f"n{number}").touch()
    many.rename(root / "many")
    assert (await watcher.hear()).resync
    assert watcher.changes == []
    (root / "many" / "last").touch()
    await watcher.until((CREATED, "many/last"))
    watcher.call.cancel()


async def test_a_stream_ends_with_its_client(channel: Channel) -> None:
    for _ in range(MAX_WATCHERS + 1):
        watcher = Watcher(channel)
        assert (await watcher.hear()).position
        watcher.call.cancel()
    last = Watcher(channel)
    await last.hear()
    last.call.cancel()


async def test_a_process_that_ends_sends_its_watchers_elsewhere(
    channel: Channel, process: ContentsProcess
) -> None:
    watcher = Watcher(channel)
    await watcher.hear()
    stopping = asyncio.create_task(asyncio.to_thread(process.stop))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await watcher.hear()
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    await stopping
