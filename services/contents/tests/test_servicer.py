"""The process, through its socket."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from perijove.contents.v1 import contents_pb2 as pb
from perijove.contents.v1 import contents_pb2_grpc
from perijove.errors.v1 import errors_pb2

if TYPE_CHECKING:
    Stub = contents_pb2_grpc.ContentsServiceAsyncStub


from services.contents.tests.calls import MIB, read, save, tree, write

REASONS = errors_pb2.ErrorReason.DESCRIPTOR.values_by_name


async def test_a_small_read_is_one_message(contents: Stub) -> None:
    written = await write(contents, b"hello", path="a.txt", format=pb.CONTENT_FORMAT_TEXT)
    assert written.created
    (message,) = await read(contents, path="a.txt", include_hash=True)
    assert message.chunk == b"hello"
    assert message.header.format == pb.CONTENT_FORMAT_TEXT
    entry = message.header.entry
    assert entry.hash == hashlib.sha256(b"hello").hexdigest()
    assert entry.hash_algorithm == "sha256"
    assert (entry.mime_type, entry.size_bytes, entry.writable) == ("text/plain", 5, True)
    assert entry.update_time == written.entry.update_time
    entry.hash = entry.hash_algorithm = ""
    assert entry == written.entry


async def test_a_small_write_can_be_one_message(contents: Stub, root: Path) -> None:
    reply = await save(contents, b"one", path="a", include_hash=True)
    assert reply.created
    assert reply.entry.hash == hashlib.sha256(b"one").hexdigest()
    reply = await save(contents, b"two", path="a", if_hash=reply.entry.hash)
    assert not reply.created
    await save(contents, b" three", path="a", part=pb.WRITE_PART_NEXT)
    assert (root / "a").read_bytes() == b"two three"
    await save(contents, b"", path="empty")
    assert (root / "empty").read_bytes() == b""
    await save(contents, b"", path="d", type=pb.ENTRY_TYPE_DIRECTORY)
    assert (root / "d").is_dir()
    notebook = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5, "x": 1}'
    reply = await save(contents, notebook, path="n.ipynb")
    assert reply.validation_message.startswith("Notebook validation failed")


async def test_a_small_write_is_refused_as_a_stream_is(contents: Stub, root: Path) -> None:
    (root / "a").write_bytes(b"old")
    for content, header, reason in (
        (b"x", {"path": "a", "if_hash": "0"}, "VERSION_MISMATCH"),
        (b"x", {"path": ".a"}, "BAD_PATH"),
        (b"x", {"path": "a.ipynb"}, "BAD_FORMAT"),
        (b"\xff", {"path": "a", "format": pb.CONTENT_FORMAT_TEXT}, "BAD_FORMAT"),
        (bytes(MIB + 1), {"path": "a"}, "LIMIT_EXCEEDED"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await save(contents, content, **header)
        assert reason in str(caught.value.trailing_metadata())
    assert tree(root) == {"a": b"old"}


async def test_what_is_empty_is_one_message_too(contents: Stub) -> None:
    await write(contents, path="a")
    for path in ("", "a"):
        (message,) = await read(contents, path=path)
        assert message.header.entry.path == path
        assert message.chunk == b""


async def test_a_large_file_comes_in_chunks(contents: Stub, root: Path) -> None:
    data = bytes(range(256)) * (3 * MIB // 256) + b"end"
    chunks = [data[start : start + MIB] for start in range(0, len(data), MIB)]
    await write(contents, *chunks, path="a")
    assert (root / "a").read_bytes() == data
    found = await read(contents, path="a")
    assert b"".join(message.chunk for message in found) == data
    assert max(len(message.chunk) for message in found) <= MIB
    assert [message.HasField("header") for message in found] == [True, *[False] * 4]


async def test_a_directory_is_listed_and_read(contents: Stub, root: Path) -> None:
    (root / "d").mkdir()
    for number in range(5):
        (root / "d" / f"{number}.txt").touch()
    (message,) = await read(contents, path="d")
    assert message.header.format == pb.CONTENT_FORMAT_ENTRIES
    assert not message.header.entry.HasField("size_bytes")
    paths = [f"d/{number}.txt" for number in range(5)]
    assert [entry.path for entry in message.entries] == paths
    seen, token = [], ""
    while True:
        page = await contents.ListEntries(
            pb.ListEntriesRequest(path="d", page_size=2, page_token=token)
        )
        seen += [entry.path for entry in page.entries]
        token = page.next_page_token
        if not token:
            break
    assert seen == paths


async def test_a_notebook_made_here_shows_its_rich_output(contents: Stub) -> None:
    created = await contents.CreateEntry(pb.CreateEntryRequest(type=pb.ENTRY_TYPE_NOTEBOOK))
    path = created.entry.path
    assert path == "Untitled.ipynb"
    (message,) = await read(contents, path=path)
    notebook = json.loads(message.chunk)
    notebook["cells"] = [
        {
            "cell_type": "code",
            "id": "a",
            "execution_count": 1,
            "source": "x",
            "metadata": {"trusted": True},
            "outputs": [
                {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<b>"}}
            ],
        }
    ]
    reply = await write(contents, json.dumps(notebook).encode(), path=path)
    assert not reply.created
    assert not reply.validation_message
    (message,) = await read(contents, path=path)
    assert json.loads(message.chunk) == notebook
    checkpoints = await contents.ListCheckpoints(pb.ListCheckpointsRequest(path=path))
    assert [checkpoint.checkpoint_id for checkpoint in checkpoints.checkpoints] == ["checkpoint"]


async def test_trust_changes_nothing_that_is_stored(contents: Stub, root: Path) -> None:
    output = {"output_type": "display_data", "data": {"text/html": "<b>"}, "metadata": {}}
    cell = {"cell_type": "code", "execution_count": 1, "id": "c1", "metadata": {}, "source": ""}
    cells = [cell | {"outputs": [output]}]
    stored = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    (root / "n.ipynb").write_text(stored)
    for trusted in (b'"trusted":false', b'"trusted":true'):
        (message,) = await read(contents, path="n.ipynb")
        assert trusted in message.chunk
        await contents.TrustNotebook(pb.TrustNotebookRequest(path="n.ipynb"))
    assert (root / "n.ipynb").read_text() == stored


async def test_a_deleted_file_is_in_the_trash(contents: Stub, root: Path, tmp_path: Path) -> None:
    (root / "d").mkdir()
    (root / "d" / "a.txt").write_bytes(b"data")
    await contents.DeleteEntry(pb.DeleteEntryRequest(path="d"))
    assert tree(root) == {}
    assert (tmp_path / "xdg/Trash/files/d/a.txt").read_bytes() == b"data"


async def test_the_whole_life_of_a_file(contents: Stub, root: Path) -> None:
    await write(contents, b"one", path="a.txt")
    made = await contents.CreateCheckpoint(pb.CreateCheckpointRequest(path="a.txt"))
    await write(contents, b"two", path="a.txt", part=pb.WRITE_PART_NEXT)
    copied = await contents.CopyEntry(pb.CopyEntryRequest(path="a.txt"))
    assert copied.entry.path == "a-Copy1.txt"
    renamed = await contents.RenameEntry(pb.RenameEntryRequest(path="a.txt", new_path="b.txt"))
    assert renamed.entry.path == "b.txt"
    await contents.RestoreCheckpoint(
        pb.RestoreCheckpointRequest(path="b.txt", checkpoint_id=made.checkpoint.checkpoint_id)
    )
    await contents.DeleteCheckpoint(
        pb.DeleteCheckpointRequest(path="b.txt", checkpoint_id="checkpoint")
    )
    got = await contents.GetEntry(pb.GetEntryRequest(path="b.txt", include_hash=True))
    assert got.entry.hash == hashlib.sha256(b"one").hexdigest()
    where = await contents.GetKernelPath(pb.GetKernelPathRequest(path="b.txt"))
    assert where.working_directory == str(root)
    assert where.document_location == str(root / "b.txt")
    assert tree(root) == {
        ".ipynb_checkpoints": None,
        "a-Copy1.txt": b"onetwo",
        "b.txt": b"one",
    }


async def test_a_watch_says_at_once_where_it_begins(contents: Stub) -> None:
    call = contents.WatchEntries(pb.WatchEntriesRequest())
    async for response in call:
        assert response.resync
        assert response.position
        break
    call.cancel()


def test_every_rpc_is_called_by_these_tests() -> None:
    here = Path(__file__)
    source = here.read_text() + here.with_name("calls.py").read_text()
    for method in pb.DESCRIPTOR.services_by_name["ContentsService"].methods:
        assert re.search(rf"\b{method.name}\b", source), method.name


async def test_a_user_may_do_all_but_ask_for_places(contents: Stub, tmp_path: Path) -> None:
    await contents.GetEntry(pb.GetEntryRequest())
    metadata = (("authorization", "Bearer token"),)
    async with grpc.aio.insecure_channel(f"unix:{tmp_path}/c.sock") as plain:
        stub = contents_pb2_grpc.ContentsServiceStub(plain)
        await stub.GetEntry(pb.GetEntryRequest(), metadata=metadata)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetKernelPath(pb.GetKernelPathRequest(), metadata=metadata)
        assert caught.value.code() == grpc.StatusCode.PERMISSION_DENIED
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetEntry(pb.GetEntryRequest())
        assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED


async def test_a_large_notebook_survives_the_way_there_and_back(contents: Stub) -> None:
    image = base64.b64encode(os.urandom(400_000)).decode()
    cell = {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": {"trusted": True},
        "source": "plot()",
        "outputs": [{"output_type": "display_data", "metadata": {}, "data": {"image/png": image}}],
    }
    notebook = {
        "cells": [{**cell, "id": f"c{number}"} for number in range(6)],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    data = json.dumps(notebook).encode()
    chunks = [data[start : start + MIB] for start in range(0, len(data), MIB)]
    await write(contents, *chunks, path="a.ipynb")
    found = await read(contents, path="a.ipynb")
    assert len(found) > 3
    assert json.loads(b"".join(message.chunk for message in found)) == notebook
