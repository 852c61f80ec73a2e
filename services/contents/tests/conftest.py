"""Stores, managers and a served process for the tests of contents."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from perijove.contents.v1 import contents_pb2_grpc, documents_pb2_grpc
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.credentials import Issuer, derive_key
from perijove_chassis.settings import Secret
from perijove_contents.backends.codec import NbformatCodec
from perijove_contents.backends.filesystem import FilesystemStore
from perijove_contents.backends.memory import MemoryStore
from perijove_contents.backends.notary import Notary
from perijove_contents.backends.notebook_process import NotebookProcess
from perijove_contents.backends.recent import RecentNotebooks
from perijove_contents.backends.threads import Threads
from perijove_contents.backends.tree import Tree

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from perijove_contents.store import ContentsStore

KEY = Secret("k" * 32)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def threads() -> Iterator[Threads]:
    threads = Threads(4, "test")
    yield threads
    threads.close()


@pytest.fixture
def trash(tmp_path: Path) -> Callable[[str], None]:
    directory = tmp_path / "trash"
    directory.mkdir()

    def move(location: str) -> None:
        Path(location).rename(directory / Path(location).name)

    return move


@pytest.fixture
def filesystem(root: Path, threads: Threads, trash: Callable[[str], None]) -> FilesystemStore:
    tree = Tree(str(root), file_mode=0o644, directory_mode=0o755)
    return FilesystemStore(tree, threads, trash)


@pytest.fixture(params=["filesystem", "memory"])
def store(request: pytest.FixtureRequest) -> ContentsStore:
    if request.param == "memory":
        return MemoryStore()
    found: FilesystemStore = request.getfixturevalue("filesystem")
    return found


@pytest.fixture
def notary(tmp_path: Path) -> Iterator[Notary]:
    notary = Notary(str(tmp_path / "data"))
    yield notary
    notary.close()


@pytest.fixture
def notebook_process(tmp_path: Path) -> Iterator[NotebookProcess]:
    process = NotebookProcess(str(tmp_path / "data"))
    yield process
    process.close()


@pytest.fixture
def codec(threads: Threads, notary: Notary, notebook_process: NotebookProcess) -> NbformatCodec:
    return NbformatCodec(threads, notary, notebook_process, RecentNotebooks(2**20))


@pytest.fixture
async def channel(tmp_path: Path, root: Path) -> AsyncIterator[Channel]:
    """Run the process, and return a channel to it."""
    listen = f"unix:{tmp_path}/c.sock"
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path / "xdg"),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "PERIJOVE_CONTENTS_LISTEN": listen,
        "PERIJOVE_CONTENTS_SERVICE_KEY": KEY.reveal(),
        "PERIJOVE_CONTENTS_API_TOKEN": "token",
        "PERIJOVE_CONTENTS_ROOT": str(root),
        "PERIJOVE_CONTENTS_CONFIG_PATH": f"{tmp_path / 'config'}:{tmp_path / 'system'}",
        "PERIJOVE_CONTENTS_MAX_CONTENT_BYTES": str(4 * 1024 * 1024),
        "PERIJOVE_CONTENTS_MAX_CALLS": "64",
        "PERIJOVE_CONTENTS_LOG_LEVEL": "warning",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "perijove_contents", env=environ
    )
    channel = Channel(
        listen,
        Issuer(derive_key(KEY, "contents"), "gateway_http", "contents"),
        Deadlines(default_s=60),
    )
    yield channel
    await channel.close()
    process.terminate()
    assert await process.wait() == 0


@pytest.fixture
def contents(channel: Channel) -> contents_pb2_grpc.ContentsServiceAsyncStub:
    return contents_pb2_grpc.ContentsServiceStub(channel)  # type: ignore[return-value]


@pytest.fixture
def documents(channel: Channel) -> documents_pb2_grpc.DocumentsServiceAsyncStub:
    return documents_pb2_grpc.DocumentsServiceStub(channel)  # type: ignore[return-value]
