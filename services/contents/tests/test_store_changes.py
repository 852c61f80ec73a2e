"""What every store of the document tree must do when entries are copied, moved and deleted."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from perijove_chassis import errors
from perijove_contents.model import EntryPath, EntryType
from perijove_contents.store import ContentsStore

ROOT = EntryPath(())


def at(text: str) -> EntryPath:
    return EntryPath.parse(text)


async def content(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


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


async def test_the_first_free_name_is_taken(store: ContentsStore) -> None:
    await save(store, "a", b"kept")
    entry = await store.create_free(ROOT, numbered("a", "b", "c"), b"new")
    assert entry.path == at("b")
    made = await store.create_free(ROOT, numbered("b", "c"), None)
    assert (made.path, made.type) == (at("c"), EntryType.DIRECTORY)
    with pytest.raises(errors.AlreadyExists):
        await store.create_free(ROOT, numbered("a", "b", "c"), b"")
    assert await read(store, "a") == b"kept"
    assert await names(store) == ["a", "b", "c"]


async def test_names_are_taken_once_under_a_race(store: ContentsStore) -> None:
    def candidates() -> Iterator[str]:
        return (f"n{number:02}" for number in range(40))

    made = await asyncio.gather(
        *(store.create_free(ROOT, candidates(), None if i % 2 else b"") for i in range(40))
    )
    assert len({entry.path for entry in made}) == 40


async def test_a_file_is_copied(store: ContentsStore) -> None:
    await save(store, "a", b"data")
    entry = await store.copy_free(at("a"), ROOT, numbered("a", "b"), max_bytes=0)
    assert entry.path == at("b")
    assert await read(store, "b") == b"data"


async def test_a_directory_is_copied_with_what_it_holds(store: ContentsStore) -> None:
    await store.make_directory(at("d"))
    await store.make_directory(at("d/e"))
    await save(store, "d/e/a", b"data")
    entry = await store.copy_free(at("d"), ROOT, numbered("d", "f"), max_bytes=100)
    assert entry.path == at("f")
    assert await read(store, "f/e/a") == b"data"
    with pytest.raises(errors.InvalidArgument):
        await store.copy_free(at("d"), at("d/e"), numbered("x"), max_bytes=100)
    with pytest.raises(errors.ResourceExhausted):
        await store.copy_free(at("d"), ROOT, numbered("y"), max_bytes=3)
    assert await names(store) == ["d", "f"]
    assert await names(store, "d/e") == ["a"]


async def test_a_rename_moves_content_and_checkpoints(store: ContentsStore) -> None:
    await store.make_directory(at("d"))
    await save(store, "a", b"first")
    await store.create_checkpoint(at("a"))
    await save(store, "a", b"second")
    await store.rename(at("a"), at("d/b"))
    assert await names(store) == ["d"]
    await store.restore_checkpoint(at("d/b"), "checkpoint")
    assert await read(store, "d/b") == b"first"


async def test_a_directory_is_renamed_with_what_it_holds(store: ContentsStore) -> None:
    await store.make_directory(at("d"))
    await save(store, "d/a", b"data")
    await store.rename(at("d"), at("e"))
    assert await read(store, "e/a") == b"data"
    assert await names(store) == ["e"]


async def test_rename_onto_an_existing_entry_changes_nothing(store: ContentsStore) -> None:
    await save(store, "a", b"a")
    await save(store, "b", b"b")
    await store.make_directory(at("empty"))
    for source, target in (("a", "b"), ("a", "empty"), ("empty", "a")):
        with pytest.raises(errors.AlreadyExists) as caught:
            await store.rename(at(source), at(target))
        assert caught.value.reason == "ENTRY_EXISTS"
    assert await names(store) == ["a", "b", "empty"]
    assert (await read(store, "a"), await read(store, "b")) == (b"a", b"b")


async def test_one_of_many_renames_to_a_name_wins(store: ContentsStore) -> None:
    for number in range(20):
        await save(store, f"n{number:02}", b"%d" % number)
    results = await asyncio.gather(
        *(store.rename(at(f"n{number:02}"), at("target")) for number in range(20)),
        return_exceptions=True,
    )
    assert sum(result is None for result in results) == 1
    assert len(await names(store)) == 20


async def test_a_deleted_file_is_gone_with_its_checkpoints(store: ContentsStore) -> None:
    for forget in (lambda path: store.delete(path, even_full=False), store.trash):
        await save(store, "a", b"data")
        await store.create_checkpoint(at("a"))
        await forget(at("a"))
        assert await names(store) == []
        await save(store, "a", b"another")
        assert await store.list_checkpoints(at("a")) == []
        await store.delete(at("a"), even_full=False)


async def test_a_full_directory_is_deleted_only_on_purpose(store: ContentsStore) -> None:
    await store.make_directory(at("d"))
    await save(store, "d/a", b"data")
    with pytest.raises(errors.FailedPrecondition) as caught:
        await store.delete(at("d"), even_full=False)
    assert caught.value.reason == "DIRECTORY_NOT_EMPTY"
    assert await names(store, "d") == ["a"]
    await store.delete(at("d"), even_full=True)
    assert await names(store) == []
    await store.make_directory(at("e"))
    await store.delete(at("e"), even_full=False)
    assert await names(store) == []


async def test_a_checkpoint_brings_content_back(store: ContentsStore) -> None:
    await save(store, "a.b.txt", b"first")
    assert await store.list_checkpoints(at("a.b.txt")) == []
    made = await store.create_checkpoint(at("a.b.txt"))
    assert await store.list_checkpoints(at("a.b.txt")) == [made]
    assert made.update_time_ns == (await store.get(at("a.b.txt"))).update_time_ns
    await save(store, "a.b.txt", b"second")
    await store.restore_checkpoint(at("a.b.txt"), made.id)
    assert await read(store, "a.b.txt") == b"first"
    await store.delete_checkpoint(at("a.b.txt"), made.id)
    assert await store.list_checkpoints(at("a.b.txt")) == []


async def test_an_unknown_checkpoint_is_not_found(store: ContentsStore) -> None:
    await save(store, "a", b"data")
    for checkpoint_id in ("checkpoint", "", "../a", "x/y"):
        for call in (store.restore_checkpoint, store.delete_checkpoint):
            with pytest.raises(errors.NotFound) as caught:
                await call(at("a"), checkpoint_id)
            assert caught.value.reason == "NO_SUCH_CHECKPOINT"
    assert await store.list_checkpoints(at("absent")) == []


async def test_what_is_absent_is_not_found(store: ContentsStore) -> None:
    await save(store, "file", b"")
    for path in (at("absent"), at("absent/deep"), at("file/below")):
        calls = [
            store.get(path),
            store.open(path),
            store.append(path, content(b"x")),
            store.copy_free(path, ROOT, numbered("x"), max_bytes=1),
            store.rename(path, at("y")),
            store.delete(path, even_full=True),
            store.trash(path),
            store.create_checkpoint(path),
            store.restore_checkpoint(path, "checkpoint"),
            store.create_free(path, numbered("x"), b""),
            store.copy_free(at("file"), path, numbered("x"), max_bytes=1),
            store.rename(at("file"), path.child("z")),
            store.write(path.child("z"), content(b"x")),
            store.make_directory(path.child("z")),
        ]
        for call in calls:
            with pytest.raises(errors.NotFound) as caught:
                await call
            assert caught.value.reason == "NO_SUCH_ENTRY"
        with pytest.raises(errors.NotFound):
            await names(store, str(path))
    assert await names(store) == ["file"]


async def test_a_file_is_no_directory_and_the_reverse(store: ContentsStore) -> None:
    await save(store, "file", b"data")
    await store.make_directory(at("dir"))
    calls = [
        store.write(at("dir"), content(b"x")),
        store.write(ROOT, content(b"x")),
        store.append(at("dir"), content(b"x")),
        store.make_directory(at("file")),
        store.create_checkpoint(at("dir")),
    ]
    for call in calls:
        with pytest.raises(errors.InvalidArgument) as caught:
            await call
        assert caught.value.reason == "BAD_TYPE"
    with pytest.raises(errors.InvalidArgument):
        await names(store, "file")
    assert await names(store) == ["dir", "file"]


async def test_a_kernel_runs_in_the_nearest_directory(store: ContentsStore) -> None:
    await store.make_directory(at("d"))
    await save(store, "d/a.ipynb")
    base = (await store.kernel_path(ROOT)).working_directory.rstrip("/")
    for path, directory in (
        ("d/a.ipynb", "/d"),
        ("d", "/d"),
        ("d/absent/b.ipynb", "/d"),
        ("absent.ipynb", ""),
    ):
        found = await store.kernel_path(at(path))
        assert found.working_directory == (base + directory or "/")
        assert found.document_location == f"{base}/{path}"
