"""What every store of the document tree must do."""

import dataclasses
import hashlib
from collections.abc import AsyncIterator, Iterator

import pytest
from perijove_chassis import errors
from perijove_contents.model import EntryPath, EntryType, Precondition
from perijove_contents.store import BATCH_ENTRIES, CHUNK_BYTES, ContentsStore

ROOT = EntryPath(())


def at(text: str) -> EntryPath:
    return EntryPath.parse(text)


async def content(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def broken(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    raise errors.InvalidArgument("broken")


async def save(store: ContentsStore, path: str, data: bytes = b"") -> None:
    await store.write(at(path), content(data))


async def read(store: ContentsStore, path: str) -> bytes:
    opened = await store.open(at(path))
    data = b"".join([chunk async for chunk in opened.chunks()])
    await opened.close()
    return data


async def names(store: ContentsStore, path: str = "", after: str = "") -> list[str]:
    return [entry.path.name async for batch in store.list(at(path), after=after) for entry in batch]


def numbered(*names: str) -> Iterator[str]:
    return iter(names)


async def test_a_written_file_is_read_back(store: ContentsStore) -> None:
    entry, created = await store.write(at("a.txt"), content(b"one", b"", b"two"))
    assert created
    assert (entry.path, entry.type, entry.size_bytes) == (at("a.txt"), EntryType.FILE, 6)
    assert await store.get(at("a.txt")) == entry
    assert await read(store, "a.txt") == b"onetwo"


async def test_a_file_written_again_is_replaced(store: ContentsStore) -> None:
    await save(store, "a.txt", b"a longer first version")
    _, created = await store.write(at("a.txt"), content(b"second"))
    assert not created
    assert await read(store, "a.txt") == b"second"


async def test_an_empty_file_can_be_written(store: ContentsStore) -> None:
    _, created = await store.write(at("a"), content())
    assert created
    assert await read(store, "a") == b""


async def test_content_larger_than_a_chunk_comes_in_chunks(store: ContentsStore) -> None:
    data = bytes(range(256)) * (CHUNK_BYTES * 5 // 2 // 256)
    await store.write(at("a"), content(data[:CHUNK_BYTES], data[CHUNK_BYTES:]))
    opened = await store.open(at("a"), want_hash=True)
    chunks = [chunk async for chunk in opened.chunks()]
    await opened.close()
    assert b"".join(chunks) == data
    assert max(map(len, chunks)) <= CHUNK_BYTES
    assert opened.entry.hash == hashlib.sha256(data).hexdigest()


async def test_a_directory_opens_as_an_entry_and_nothing_else(store: ContentsStore) -> None:
    await store.make_directory(at("dir"))
    for path in ("dir", ""):
        opened = await store.open(at(path), want_text=True, want_hash=True)
        assert opened.entry == await store.get(at(path))
        assert [chunk async for chunk in opened.chunks()] == []
        await opened.close()


async def test_an_open_file_keeps_its_version(store: ContentsStore) -> None:
    first = b"1" * (3 * CHUNK_BYTES)
    await save(store, "a", first)
    opened = await store.open(at("a"))
    await save(store, "a", b"2" * (3 * CHUNK_BYTES))
    assert b"".join([chunk async for chunk in opened.chunks()]) == first
    await opened.close()


@pytest.mark.parametrize(
    ("data", "is_text"),
    [
        (b"", True),
        (b"abc", True),
        ("é".encode(), True),
        (b"\xff", False),
        ("é".encode()[:1], False),
        (b"a" * (CHUNK_BYTES - 1) + "é".encode(), True),
        (b"a" * (2 * CHUNK_BYTES) + b"\xff", False),
    ],
    ids=["empty", "ascii", "unicode", "binary", "cut", "across chunks", "late"],
)
async def test_text_is_told_from_bytes(store: ContentsStore, data: bytes, is_text: bool) -> None:  # noqa: FBT001
    await save(store, "a", data)
    opened = await store.open(at("a"), want_text=True)
    await opened.close()
    assert opened.is_text is is_text


async def test_a_write_that_breaks_changes_nothing(store: ContentsStore) -> None:
    await save(store, "a", b"first")
    with pytest.raises(errors.InvalidArgument, match="broken"):
        await store.write(at("a"), broken(b"half"))
    with pytest.raises(errors.InvalidArgument, match="broken"):
        await store.write(at("new"), broken(b"half"))
    with pytest.raises(errors.InvalidArgument, match="broken"):
        await store.append(at("a"), broken(b"half"))
    assert await read(store, "a") == b"first"
    assert await names(store) == ["a"]


async def test_bytes_can_be_made_where_they_are_written(store: ContentsStore) -> None:
    stored = await store.replace(at("a"), lambda: [b"fir", b"", b"st"], want_hash=True)
    assert (stored.created, stored.has_checkpoint) == (True, False)
    digest = hashlib.sha256(b"first").hexdigest()
    assert stored.entry == dataclasses.replace(await store.get(at("a")), hash=digest)
    await store.create_checkpoint(at("a"))
    stored = await store.replace(at("a"), lambda: iter([b"second"]), required=Precondition(digest))
    assert (stored.created, stored.has_checkpoint) == (False, True)
    assert await read(store, "a") == b"second"


async def test_what_is_made_in_many_parts_is_written_in_a_row(store: ContentsStore) -> None:
    parts = [b"%d," % number * (1 + number % 7 * 50) for number in range(3000)]
    digest = hashlib.sha256(b"".join(parts)).hexdigest()
    stored = await store.replace(at("a"), lambda: map(memoryview, parts), want_hash=True)
    assert (stored.entry.hash, await read(store, "a")) == (digest, b"".join(parts))


async def test_a_replacement_that_cannot_be_made_or_put_changes_nothing(
    store: ContentsStore,
) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * 2**21
        raise errors.InvalidArgument("broken")

    await save(store, "a", b"first")
    await store.make_directory(at("dir"))
    for path in ("a", "new"):
        with pytest.raises(errors.InvalidArgument, match="broken"):
            await store.replace(at(path), broken)
    with pytest.raises(errors.Aborted):
        await store.replace(at("a"), lambda: [b"x"], required=Precondition("another"))
    with pytest.raises(errors.InvalidArgument):
        await store.replace(at("dir"), lambda: [b"x"])
    with pytest.raises(errors.NotFound):
        await store.replace(at("nowhere/a"), lambda: [b"x"])
    assert await read(store, "a") == b"first"
    assert await names(store) == ["a", "dir"]


async def test_appending_adds_to_the_end(store: ContentsStore) -> None:
    await save(store, "a", b"one")
    entry = await store.append(at("a"), content(b"two", b"three"))
    assert entry.size_bytes == 11
    assert await read(store, "a") == b"onetwothree"


async def test_a_listing_is_in_order_and_leaves_out_what_is_hidden(store: ContentsStore) -> None:
    for name in ("b", "a", "c.pyc", ".hidden", "d~", "Z", "é"):
        await save(store, name)
    await store.make_directory(at("__pycache__"))
    await store.make_directory(at("dir"))
    await save(store, "dir/inside")
    assert await names(store) == ["Z", "a", "b", "dir", "é"]
    assert await names(store, after="a") == ["b", "dir", "é"]
    assert await names(store, "dir") == ["inside"]


async def test_a_long_listing_comes_in_batches(store: ContentsStore) -> None:
    await store.make_directory(at("d"))
    for number in range(BATCH_ENTRIES + 5):
        await store.create_free(at("d"), numbered(f"{number:05}"), b"")
    batches = [len(batch) async for batch in store.list(at("d"))]
    assert batches == [BATCH_ENTRIES, 5]


async def test_making_a_directory_twice_keeps_it(store: ContentsStore) -> None:
    entry = await store.make_directory(at("d"))
    assert entry.type is EntryType.DIRECTORY
    assert entry.size_bytes is None
    await save(store, "d/a")
    await store.make_directory(at("d"))
    assert await names(store, "d") == ["a"]
