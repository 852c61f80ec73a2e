"""The rules of the document tree."""

import json
from collections.abc import AsyncIterator

import pytest
from perijove_chassis import errors
from perijove_contents.backends.codec import NbformatCodec
from perijove_contents.backends.memory import MemoryStore
from perijove_contents.content import Content, Write, Written
from perijove_contents.manager import ContentsManager, Rules
from perijove_contents.model import (
    ANY_VERSION,
    ContentFormat,
    EntryPath,
    EntryType,
    Precondition,
    WritePart,
)
from perijove_contents.store import CHUNK_BYTES

NOTEBOOK = b'{"cells":[],"metadata":{},"nbformat":4,"nbformat_minor":5}'
STORED_NOTEBOOK = b'{\n "cells": [],\n "metadata": {},\n "nbformat": 4,\n "nbformat_minor": 5\n}\n'


def at(text: str) -> EntryPath:
    return EntryPath.parse(text)


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def manager(memory: MemoryStore, codec: NbformatCodec) -> ContentsManager:
    return ContentsManager(memory, codec, Rules(max_content_bytes=3 * CHUNK_BYTES))


async def content(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def write(
    manager: ContentsManager,
    path: str,
    *chunks: bytes,
    kind: EntryType | None = None,
    form: ContentFormat | None = None,
    part: WritePart = WritePart.WHOLE,
    required: Precondition = ANY_VERSION,
) -> Written:
    planned = Write.plan(at(path), type=kind, format=form, part=part, required=required)
    return await manager.write(planned, content(*chunks))


async def read(
    manager: ContentsManager,
    path: str,
    kind: EntryType | None = None,
    wanted: ContentFormat | None = None,
) -> tuple[Content, bytes]:
    async with manager.read(at(path), kind, wanted, with_hash=False) as found:
        data = b""
        if found.chunks:
            data = b"".join([chunk async for chunk in found.chunks])
        return found, data


async def listed(manager: ContentsManager, path: str = "") -> list[str]:
    entries, more = await manager.list(at(path), after="", limit=100)
    assert not more
    return [entry.path.name for entry in entries]


async def test_text_and_bytes_are_told_apart(manager: ContentsManager) -> None:
    await write(manager, "text", "é".encode())
    await write(manager, "bytes", b"\xff")
    assert (await read(manager, "text"))[0].format is ContentFormat.TEXT
    assert (await read(manager, "bytes"))[0].format is ContentFormat.BINARY
    found, data = await read(manager, "text", wanted=ContentFormat.BINARY)
    assert (found.format, data) == (ContentFormat.BINARY, "é".encode())
    with pytest.raises(errors.InvalidArgument) as caught:
        await read(manager, "bytes", wanted=ContentFormat.TEXT)
    assert caught.value.reason == "BAD_FORMAT"


async def test_a_notebook_is_read_as_one_whatever_is_asked(manager: ContentsManager) -> None:
    await write(manager, "a.ipynb", NOTEBOOK)
    for wanted in (None, ContentFormat.TEXT, ContentFormat.NOTEBOOK):
        found, data = await read(manager, "a.ipynb", wanted=wanted)
        assert found.entry.type is EntryType.NOTEBOOK
        assert found.format is ContentFormat.NOTEBOOK
        assert json.loads(data)["nbformat"] == 4


async def test_a_notebook_is_also_a_file(manager: ContentsManager) -> None:
    await write(manager, "a.ipynb", NOTEBOOK)
    found, data = await read(manager, "a.ipynb", kind=EntryType.FILE)
    assert found.entry.type is EntryType.FILE
    assert (found.format, data) == (ContentFormat.TEXT, STORED_NOTEBOOK)
    entry = await manager.get(at("a.ipynb"), EntryType.FILE, with_hash=True)
    assert (entry.type, len(entry.hash)) == (EntryType.FILE, 64)


async def test_a_type_that_does_not_fit_is_refused(manager: ContentsManager) -> None:
    await write(manager, "file", b"")
    await write(manager, "dir", kind=EntryType.DIRECTORY)
    for path, kind in (
        ("file", EntryType.DIRECTORY),
        ("dir", EntryType.FILE),
        ("dir", EntryType.NOTEBOOK),
    ):
        with pytest.raises(errors.InvalidArgument) as caught:
            await manager.get(at(path), kind, with_hash=False)
        assert caught.value.reason == "BAD_TYPE"
        with pytest.raises(errors.InvalidArgument):
            await read(manager, path, kind=kind)
    with pytest.raises(errors.InvalidArgument):
        await manager.get(at("dir"), None, with_hash=True)


async def test_an_unreadable_notebook_says_so(manager: ContentsManager) -> None:
    await write(manager, "a.ipynb", b"{", kind=EntryType.FILE)
    with pytest.raises(errors.InvalidArgument) as caught:
        await read(manager, "a.ipynb")
    assert caught.value.reason == "UNREADABLE_NOTEBOOK"


async def test_the_first_version_of_a_notebook_is_kept(manager: ContentsManager) -> None:
    await write(manager, "a.ipynb", NOTEBOOK)
    assert len(await manager.list_checkpoints(at("a.ipynb"))) == 1
    changed = NOTEBOOK.replace(b'"metadata":{}', b'"metadata":{"x":1}')
    await write(manager, "a.ipynb", changed)
    await manager.restore_checkpoint(at("a.ipynb"), "checkpoint")
    assert (await read(manager, "a.ipynb", kind=EntryType.FILE))[1] == STORED_NOTEBOOK
    await write(manager, "a.txt", b"")
    assert await manager.list_checkpoints(at("a.txt")) == []


async def test_written_text_must_be_text(manager: ContentsManager) -> None:
    await write(manager, "a", "é".encode()[:1], "é".encode()[1:], form=ContentFormat.TEXT)
    for chunks in ([b"\xff"], [b"a", "é".encode()[:1]]):
        with pytest.raises(errors.InvalidArgument) as caught:
            await write(manager, "a", *chunks, form=ContentFormat.TEXT)
        assert caught.value.reason == "BAD_FORMAT"
    assert (await read(manager, "a"))[1] == "é".encode()


async def test_content_has_limits(manager: ContentsManager) -> None:
    await write(manager, "a", b"old")
    for chunks in ([b"x" * CHUNK_BYTES] * 4, [b"x" * (CHUNK_BYTES + 1)]):
        with pytest.raises(errors.ResourceExhausted) as caught:
            await write(manager, "a", *chunks)
        assert caught.value.reason == "LIMIT_EXCEEDED"
    assert (await read(manager, "a"))[1] == b"old"


async def test_a_notebook_too_large_to_parse_is_still_a_file(
    manager: ContentsManager, memory: MemoryStore
) -> None:
    await memory.write(at("a.ipynb"), content(b" " * (3 * CHUNK_BYTES + 1)))
    with pytest.raises(errors.ResourceExhausted):
        await read(manager, "a.ipynb")
    assert len((await read(manager, "a.ipynb", kind=EntryType.FILE))[1]) == 3 * CHUNK_BYTES + 1


async def test_a_file_is_written_in_parts(manager: ContentsManager) -> None:
    await write(manager, "a", b"older and longer than the parts")
    first = await write(manager, "a", b"one", part=WritePart.FIRST)
    assert not first.created
    await write(manager, "a", b"two", part=WritePart.NEXT)
    last = await write(manager, "a", b"three", part=WritePart.LAST)
    assert last.entry.size_bytes == 11
    assert (await read(manager, "a"))[1] == b"onetwothree"
    with pytest.raises(errors.NotFound):
        await write(manager, "b", b"x", part=WritePart.NEXT)


async def test_a_directory_has_no_content(manager: ContentsManager) -> None:
    assert (await write(manager, "d", kind=EntryType.DIRECTORY)).created
    assert (await write(manager, "d", kind=EntryType.DIRECTORY)).created
    with pytest.raises(errors.InvalidArgument):
        await write(manager, "e", b"x", kind=EntryType.DIRECTORY)
    assert await listed(manager) == ["d"]


async def test_an_untitled_notebook_is_one_of_jupyter(manager: ContentsManager) -> None:
    for kind, extension in ((EntryType.NOTEBOOK, ""), (None, ".ipynb"), (None, ".txt")):
        await manager.create(at(""), kind, extension)
    await manager.create(at(""), EntryType.DIRECTORY, ".x")
    assert await listed(manager) == [
        "Untitled Folder.x",
        "Untitled.ipynb",
        "Untitled1.ipynb",
        "untitled.txt",
    ]
    assert (await read(manager, "Untitled.ipynb", kind=EntryType.FILE))[1] == STORED_NOTEBOOK
    assert len(await manager.list_checkpoints(at("Untitled.ipynb"))) == 1
    for extension in ("/x", "/../x", "\0", "x" * 300):
        with pytest.raises(errors.InvalidArgument):
            await manager.create(at(""), None, extension)


async def test_copies_get_the_names_of_jupyter(manager: ContentsManager) -> None:
    await write(manager, "a.txt", b"data")
    await write(manager, "d", kind=EntryType.DIRECTORY)
    assert str((await manager.copy(at("a.txt"), at(""))).path) == "a-Copy1.txt"
    assert str((await manager.copy(at("a-Copy1.txt"), at(""))).path) == "a-Copy2.txt"
    assert str((await manager.copy(at("a.txt"), at("d"))).path) == "d/a.txt"
    assert str((await manager.copy(at("a.txt"), at("d/b.txt"))).path) == "d/b.txt"
    with pytest.raises(errors.AlreadyExists):
        await manager.copy(at("a.txt"), at("d/b.txt"))
    with pytest.raises(errors.NotFound):
        await manager.copy(at("a.txt"), at("absent/b.txt"))
    with pytest.raises(errors.InvalidArgument):
        await manager.copy(at(""), at("d"))


async def test_a_directory_is_copied_into_directories_made_for_it(manager: ContentsManager) -> None:
    await manager.create(at(""), EntryType.DIRECTORY, "")
    await manager.rename(at("Untitled Folder"), at("d"))
    assert (await manager.copy(at("d"), at("new/to"))).path == at("new/to/d")
    with pytest.raises(errors.InvalidArgument):
        await manager.copy(at("d"), at("d/new/to"))
    with pytest.raises(errors.NotFound):
        await manager.get(at("d/new"), None, with_hash=False)


async def test_a_rename_to_the_same_path_changes_nothing(manager: ContentsManager) -> None:
    await write(manager, "a", b"data")
    assert (await manager.rename(at("a"), at("a"))).path == at("a")
    with pytest.raises(errors.NotFound):
        await manager.rename(at("b"), at("b"))


async def test_what_cannot_be_moved_or_deleted_is_refused(manager: ContentsManager) -> None:
    await write(manager, "d", kind=EntryType.DIRECTORY)
    with pytest.raises(errors.InvalidArgument):
        await manager.rename(at("d"), at("d/e"))
    with pytest.raises(errors.AlreadyExists):
        await manager.rename(at("d"), at(""))
    with pytest.raises(errors.AlreadyExists):
        await manager.rename(at(""), at("e"))
    with pytest.raises(errors.InvalidArgument):
        await manager.delete(at(""))
    assert await listed(manager) == ["d"]


async def test_without_trash_a_full_directory_is_kept(
    memory: MemoryStore, codec: NbformatCodec
) -> None:
    careful = ContentsManager(memory, codec, Rules(delete_to_trash=False))
    await write(careful, "d", kind=EntryType.DIRECTORY)
    await write(careful, "d/a", b"")
    with pytest.raises(errors.FailedPrecondition):
        await careful.delete(at("d"))
    bold = ContentsManager(
        memory, codec, Rules(delete_to_trash=False, always_delete_directories=True)
    )
    await bold.delete(at("d"))
    assert await listed(bold) == []


@pytest.mark.parametrize("path", [".hidden", ".dir/a", "d/.a/b"])
async def test_what_is_hidden_is_absent_to_readers_and_refused_to_writers(
    manager: ContentsManager, memory: MemoryStore, path: str
) -> None:
    await write(manager, "d", kind=EntryType.DIRECTORY)
    await write(manager, "d/plain", b"")
    for part in (".dir", "d/.a"):
        await memory.make_directory(at(part))
    await memory.write(at(path), content(b"secret"))
    for reading in (
        manager.get(at(path), None, with_hash=False),
        manager.list(at(path), after="", limit=1),
        read(manager, path),
    ):
        with pytest.raises(errors.NotFound):
            await reading
    for changing in (
        write(manager, path, b"x"),
        write(manager, path, kind=EntryType.DIRECTORY),
        manager.create(at(path), None, ""),
        manager.copy(at(path), at("d")),
        manager.copy(at("d/plain"), at(path)),
        manager.rename(at(path), at("x")),
        manager.rename(at("d/plain"), at(path)),
        manager.delete(at(path)),
        manager.create_checkpoint(at(path)),
        manager.restore_checkpoint(at(path), "checkpoint"),
        manager.delete_checkpoint(at(path), "checkpoint"),
    ):
        with pytest.raises(errors.InvalidArgument):
            await changing
    assert list(await manager.list_checkpoints(at(path))) == []
    assert await listed(manager) == ["d"]
    assert (await memory.get(at(path))).size_bytes == 6


async def test_a_listing_is_paged(manager: ContentsManager) -> None:
    for name in "abcde":
        await write(manager, name, b"")
    seen, after, more = [], "", True
    while more:
        entries, more = await manager.list(at(""), after=after, limit=2)
        assert len(entries) <= 2
        seen += [entry.path.name for entry in entries]
        after = seen[-1]
    assert seen == list("abcde")
