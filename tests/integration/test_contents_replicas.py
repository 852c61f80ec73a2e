"""Two contents processes over one directory: what one does the other respects."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from perijove.contents.v1 import contents_pb2 as pb
from perijove_chassis import errors, status

from tests.contents_process import ContentsProcess, requests, stub_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

REPLICAS = 2
CLIENTS = 8


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
async def stubs(tmp_path: Path, root: Path) -> AsyncIterator[list[Any]]:
    """Return as many stubs as there are clients, by turns of each process."""
    processes, channels = [], []
    for number in range(REPLICAS):
        (tmp_path / f"r{number}").mkdir()
        processes.append(ContentsProcess(tmp_path / f"r{number}", root).start())
    try:
        channels = [process.channel() for process in processes]
        for process, channel in zip(processes, channels, strict=True):
            await process.ready(channel)
        yield [stub_of(channels[number % REPLICAS]) for number in range(CLIENTS)]
        for channel in channels:
            await channel.close()
        for process in processes:
            process.stop()
    finally:
        for process in processes:
            process.kill()


async def save(stub: Any, path: str, data: bytes, **header: Any) -> pb.WriteContentResponse:
    header_ = pb.WriteContentHeader(path=path, **header)
    written: pb.WriteContentResponse = await stub.WriteContent(requests(header_, data))
    return written


async def each(stubs: list[Any], call: Callable[[Any, int], Awaitable[Any]]) -> list[Any]:
    return await asyncio.gather(*(call(stub, number) for number, stub in enumerate(stubs)))


def names(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if not path.name.startswith("."))


async def test_no_name_is_given_twice(stubs: list[Any], root: Path) -> None:
    await save(stubs[0], "source.txt", b"x")
    made: list[str] = []

    async def make(stub: Any, number: int) -> None:
        kinds = (pb.ENTRY_TYPE_FILE, pb.ENTRY_TYPE_NOTEBOOK, pb.ENTRY_TYPE_DIRECTORY)
        for turn in range(12):
            request = pb.CreateEntryRequest(type=kinds[(turn + number) % 3])
            made.append((await stub.CreateEntry(request)).entry.path)
            copying = pb.CopyEntryRequest(path="source.txt", target_path="")
            made.append((await stub.CopyEntry(copying)).entry.path)

    await each(stubs, make)
    assert len(set(made)) == len(made) == 24 * CLIENTS
    assert names(root) == sorted([*made, "source.txt"])


async def test_what_all_save_at_once_is_whole(stubs: list[Any], root: Path) -> None:
    async def save_often(stub: Any, number: int) -> None:
        for turn in range(15):
            body = f"{number}-{turn} " * (2000 * (turn % 4) + 10)
            await save(stub, "a.json", json.dumps([digest(body.encode()), body]).encode())
            found = b"".join(
                [
                    part.chunk
                    async for part in stub.ReadContent(pb.ReadContentRequest(path="a.json"))
                ]
            )
            expect_whole(found)

    await each(stubs, save_often)
    expect_whole((root / "a.json").read_bytes())
    assert names(root) == ["a.json"]


async def test_no_change_is_lost_by_those_who_require_the_version_they_know(
    stubs: list[Any], root: Path
) -> None:
    await save(stubs[0], "count", b"0")
    refused = 0

    async def count_up(stub: Any, _: int) -> None:
        nonlocal refused
        done = 0
        while done < 15:
            data = (root / "count").read_bytes()
            try:
                with status.rpc_errors_as_domain():
                    await save(stub, "count", b"%d" % (int(data) + 1), if_hash=digest(data))
            except errors.Aborted:
                refused += 1
            else:
                done += 1

    await each(stubs, count_up)
    assert int((root / "count").read_bytes()) == 15 * CLIENTS
    assert refused > 0


async def test_one_of_many_renames_to_a_name_wins(stubs: list[Any], root: Path) -> None:
    for turn in range(8):
        for number in range(CLIENTS):
            (root / f"n{number}").write_text(str(number))

        async def rename(stub: Any, number: int, turn: int = turn) -> bool:
            request = pb.RenameEntryRequest(path=f"n{number}", new_path=f"target{turn}")
            try:
                await stub.RenameEntry(request)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
                    raise
                return False
            return True

        won = await each(stubs, rename)
        assert sum(won) == 1
        assert (root / f"target{turn}").read_text() == str(won.index(True))
        assert len(names(root)) == CLIENTS + turn
        for name in names(root):
            if not name.startswith("target"):
                (root / name).unlink()


async def test_one_of_many_creates_what_must_not_exist(stubs: list[Any], root: Path) -> None:
    for turn in range(8):

        async def create(stub: Any, number: int, turn: int = turn) -> bool:
            try:
                await save(stub, f"n{turn}", str(number).encode(), if_exists=False)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.ABORTED:
                    raise
                return False
            return True

        won = await each(stubs, create)
        assert sum(won) == 1
        assert (root / f"n{turn}").read_text() == str(won.index(True))


async def test_a_replica_tells_what_another_one_changes(stubs: list[Any]) -> None:
    call = stubs[0].WatchEntries(pb.WatchEntriesRequest(), timeout=60)
    assert (await call.read()).resync
    await save(stubs[1], "a", b"x")
    paths: set[str] = set()
    while "a" not in paths:
        paths.update(change.path for change in (await call.read()).changes)
    call.cancel()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def expect_whole(data: bytes) -> None:
    expected, body = json.loads(data)
    assert digest(body.encode()) == expected
