"""Notebooks that somebody trusts: signed as they are stored, and not changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from perijove.contents.v1 import contents_pb2 as pb
from perijove.contents.v1 import contents_pb2_grpc
from perijove_chassis import status
from perijove_chassis.errors import Unavailable
from perijove_contents.backends.codec import NbformatCodec
from perijove_contents.backends.notary import Notary
from perijove_contents.backends.notebook_process import NotebookProcess
from perijove_contents.backends.recent import RecentNotebooks
from perijove_contents.model import EntryPath

if TYPE_CHECKING:
    from pathlib import Path

    from perijove_contents.backends.threads import Threads

    Stub = contents_pb2_grpc.ContentsServiceAsyncStub

PATH = EntryPath(("n.ipynb",))
HTML = {"output_type": "display_data", "data": {"text/html": ["<b>\n", "</b>"]}, "metadata": {}}
CELL = {
    "cell_type": "code",
    "execution_count": 1,
    "metadata": {},
    "outputs": [HTML],
    "source": ["a\n", "b"],
}


def stored(**cell: Any) -> bytes:
    notebook = {"cells": [CELL | cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook).encode()


def is_trusted(data: bytes) -> bool:
    return bool(json.loads(data)["cells"][0]["metadata"]["trusted"])


@pytest.mark.parametrize(
    "data",
    [stored(id="c1"), stored(), stored(id="c1", metadata={"trusted": True}), stored(odd=1)],
    ids=["valid", "without ids", "says to be trusted", "invalid"],
)
async def test_a_trusted_notebook_is_read_as_such(codec: NbformatCodec, data: bytes) -> None:
    assert not is_trusted((await codec.read(PATH, data)).data)
    await codec.trust(PATH, data)
    assert is_trusted((await codec.read(PATH, data)).data)
    assert not is_trusted((await codec.read(PATH, data.replace(b"<b>", b"<i>"))).data)


async def test_trust_that_cannot_be_kept_is_told(tmp_path: Path, threads: Threads) -> None:
    (tmp_path / "file").touch()
    data = str(tmp_path / "file" / "data")
    codec = NbformatCodec(threads, Notary(data), NotebookProcess(data), RecentNotebooks(0))
    with pytest.raises(Unavailable):
        await codec.trust(PATH, stored(id="c1"))


@pytest.mark.parametrize(
    ("path", "code", "reason"),
    [
        ("a.txt", grpc.StatusCode.INVALID_ARGUMENT, "BAD_TYPE"),
        ("d", grpc.StatusCode.INVALID_ARGUMENT, "BAD_TYPE"),
        ("", grpc.StatusCode.INVALID_ARGUMENT, "BAD_TYPE"),
        ("broken.ipynb", grpc.StatusCode.INVALID_ARGUMENT, "UNREADABLE_NOTEBOOK"),
        ("nope.ipynb", grpc.StatusCode.NOT_FOUND, "NO_SUCH_ENTRY"),
        (".n.ipynb", grpc.StatusCode.NOT_FOUND, "NO_SUCH_ENTRY"),
    ],
)
async def test_only_a_notebook_is_trusted(
    path: str, code: grpc.StatusCode, reason: str, contents: Stub, root: Path
) -> None:
    (root / "d").mkdir()
    (root / "a.txt").write_text("a")
    (root / "broken.ipynb").write_text("{")
    (root / ".n.ipynb").write_bytes(stored(id="c1"))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await contents.TrustNotebook(pb.TrustNotebookRequest(path=path))
    assert (caught.value.code(), status.error_of(caught.value).reason) == (code, reason)
