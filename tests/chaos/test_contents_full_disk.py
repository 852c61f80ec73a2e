"""The disk is full: the service says so, changes nothing, and goes on."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from perijove.contents.v1 import contents_pb2 as pb
from perijove_chassis import errors, status

from tests.contents_process import ContentsProcess, requests, stub_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KIB = 1024
SMALL = ("unshare", "--user", "--map-root-user", "--mount")
"""Gives a process mounts of its own, which need no rights on the machine."""
MOUNT = 'mount -t tmpfs -o size=2m none "$0" && exec "$@"'


class SmallDisk:
    """A contents process whose root is a filesystem of 2 MiB."""

    def __init__(self, process: ContentsProcess, root: Path) -> None:
        self._channel = process.channel()
        self._process = process
        self._root = root
        self.stub = stub_of(self._channel)

    @property
    def root(self) -> Path:
        """The root as the process sees it."""
        return Path(f"/proc/{self._process.pid}/root{self._root}")

    async def ready(self) -> None:
        await self._process.ready(self._channel)

    async def close(self) -> None:
        await self._channel.close()
        self._process.stop()

    async def save(self, path: str, data: bytes, **header: Any) -> None:
        await self.stub.WriteContent(requests(pb.WriteContentHeader(path=path, **header), data))

    def holds(self) -> dict[str, bytes]:
        """Return all files, hidden ones too, and what they hold."""
        found = (Path(at, name) for at, _, names in os.walk(self.root) for name in names)
        return {str(path.relative_to(self.root)): path.read_bytes() for path in found}

    def fill(self) -> None:
        """Take up all the room there is."""
        with (self.root / "filler").open("ab", buffering=0) as filler:
            for size in (64 * KIB, 4 * KIB):
                with suppress(OSError):
                    while filler.write(b"x" * size) == size:
                        pass


@pytest.fixture
def mounting(tmp_path: Path) -> tuple[str, ...]:
    """Return the command that gives another one its own root."""
    (tmp_path / "root").mkdir()
    command = (*SMALL, "sh", "-c", MOUNT, str(tmp_path / "root"))
    tried = subprocess.run([*command, "true"], check=False, capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"no filesystem can be mounted: {tried.stderr.strip()}")
    return command


@pytest.fixture
async def disk(tmp_path: Path, mounting: tuple[str, ...]) -> AsyncIterator[SmallDisk]:
    root = tmp_path / "root"
    process = ContentsProcess(tmp_path, root).start(mounting)
    disk = SmallDisk(process, root)
    try:
        await disk.ready()
        yield disk
        await disk.close()
    finally:
        process.kill()


async def test_a_full_disk_changes_nothing_and_the_service_goes_on(disk: SmallDisk) -> None:
    stub, large = disk.stub, b"2" * 512 * KIB
    cell = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "x" * 20_000}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    await disk.save("a.bin", b"1" * 100 * KIB)
    await disk.save("n.ipynb", json.dumps(notebook).encode())
    await stub.CreateCheckpoint(pb.CreateCheckpointRequest(path="n.ipynb"))
    (disk.root / "d").mkdir()
    await disk.save("d/b.bin", b"1" * 100 * KIB)
    disk.fill()
    before = disk.holds()
    cell["source"] = "y" * 200_000
    calls = {
        "replace": lambda: disk.save("a.bin", large),
        "create": lambda: disk.save("new.bin", large),
        "small": lambda: disk.save("new.txt", b"1"),
        "notebook": lambda: disk.save("n.ipynb", json.dumps(notebook).encode()),
        "first": lambda: disk.save("a.bin", large, part=pb.WRITE_PART_FIRST),
        "append": lambda: disk.save("a.bin", large, part=pb.WRITE_PART_NEXT),
        "append much": lambda: disk.save("a.bin", large * 4, part=pb.WRITE_PART_LAST),
        "checkpoint": lambda: stub.CreateCheckpoint(pb.CreateCheckpointRequest(path="a.bin")),
        "checkpoint again": lambda: stub.CreateCheckpoint(
            pb.CreateCheckpointRequest(path="n.ipynb")
        ),
        "restore": lambda: stub.RestoreCheckpoint(
            pb.RestoreCheckpointRequest(path="n.ipynb", checkpoint_id="checkpoint")
        ),
        "copy": lambda: stub.CopyEntry(pb.CopyEntryRequest(path="a.bin", target_path="")),
        "copy all": lambda: stub.CopyEntry(pb.CopyEntryRequest(path="d", target_path="")),
        "untitled": lambda: stub.CreateEntry(pb.CreateEntryRequest(type=pb.ENTRY_TYPE_NOTEBOOK)),
    }
    for name, call in calls.items():
        with pytest.raises(errors.ResourceExhausted) as caught, status.rpc_errors_as_domain():
            await call()
        assert caught.value.reason == "STORAGE_FULL", name
        assert str(disk.root) not in str(caught.value)
        assert disk.holds() == before, name
    # What needs no room goes on, and all does when there is room again.
    await stub.RenameEntry(pb.RenameEntryRequest(path="a.bin", new_path="b.bin"))
    await asyncio.gather(*(stub.GetEntry(pb.GetEntryRequest(path="b.bin")) for _ in range(20)))
    (disk.root / "filler").unlink()
    await disk.save("b.bin", large)
    assert disk.holds()["b.bin"] == large
