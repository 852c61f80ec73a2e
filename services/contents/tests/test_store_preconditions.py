"""What every store of the document tree must do when a version is required."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from perijove_chassis import errors
from perijove_contents.model import EntryPath, Precondition
from perijove_contents.store import ContentsStore

ROOT = EntryPath(())
FREE = Precondition(exists=False)
PRESENT = Precondition(exists=True)


def at(text: str) -> EntryPath:
    return EntryPath.parse(text)


def version(data: bytes) -> Precondition:
    return Precondition.of_hash(hashlib.sha256(data).hexdigest())


async def content(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def save(store: ContentsStore, path: str, data: bytes = b"") -> None:
    await store.write(at(path), content(data))


async def read(store: ContentsStore, path: str) -> bytes:
    opened = await store.open(at(path))
    try:
        return await opened.whole()
    finally:
        await opened.close()


async def names(store: ContentsStore) -> list[str]:
    return [entry.path.name async for batch in store.list(ROOT) for entry in batch]


async def refused(call: Awaitable[object]) -> None:
    with pytest.raises(errors.Aborted) as caught:
        await call
    assert caught.value.reason == "VERSION_MISMATCH"


async def test_a_write_can_depend_on_the_present_content(store: ContentsStore) -> None:
    await save(store, "a", b"first")
    entry, _ = await store.write(
        at("a"), content(b"sec", b"ond"), required=version(b"first"), want_hash=True
    )
    assert entry.hash == hashlib.sha256(b"second").hexdigest()
    await refused(store.write(at("a"), content(b"third"), required=version(b"first")))
    await refused(store.append(at("a"), content(b"third"), required=version(b"first")))
    await refused(store.write(at("absent"), content(b"third"), required=version(b"first")))
    assert await read(store, "a") == b"second"
    assert await names(store) == ["a"]
    entry = await store.append(
        at("a"), content(b"third"), required=version(b"second"), want_hash=True
    )
    assert entry.hash == hashlib.sha256(b"secondthird").hexdigest()
    entry, _ = await store.write(at("a"), content(b"x"))
    assert entry.hash == ""


async def test_a_write_can_depend_on_whether_there_is_an_entry(store: ContentsStore) -> None:
    await save(store, "a", b"first")
    await refused(store.write(at("a"), content(b"second"), required=FREE))
    await refused(store.write(at("b"), content(b"second"), required=PRESENT))
    await refused(store.make_directory(at("a"), required=FREE))
    await refused(store.make_directory(at("b"), required=PRESENT))
    assert await names(store) == ["a"]
    await store.write(at("a"), content(b"second"), required=PRESENT)
    await store.write(at("b"), content(b"third"), required=FREE)
    await store.make_directory(at("d"), required=FREE)
    await refused(store.make_directory(at("d"), required=FREE))
    await store.make_directory(at("d"), required=PRESENT)
    assert (await read(store, "a"), await read(store, "b")) == (b"second", b"third")


async def test_moving_and_deleting_can_depend_on_the_present_content(store: ContentsStore) -> None:
    await save(store, "a", b"first")
    await store.create_checkpoint(at("a"))
    await save(store, "a", b"second")
    stale, present = version(b"first"), version(b"second")
    await refused(store.rename(at("a"), at("b"), required=stale))
    await refused(store.delete(at("a"), even_full=False, required=stale))
    await refused(store.trash(at("a"), required=stale))
    await refused(store.restore_checkpoint(at("a"), "checkpoint", required=stale))
    assert await read(store, "a") == b"second"
    await store.rename(at("a"), at("b"), required=present)
    await store.restore_checkpoint(at("b"), "checkpoint", required=present)
    assert await read(store, "b") == b"first"
    await store.trash(at("b"), required=stale)
    await save(store, "c", b"second")
    await store.delete(at("c"), even_full=False, required=present)
    assert await names(store) == []


async def test_a_directory_has_no_version(store: ContentsStore) -> None:
    await store.make_directory(at("d"))
    for call in (
        store.rename(at("d"), at("e"), required=version(b"")),
        store.delete(at("d"), even_full=True, required=version(b"")),
        store.trash(at("d"), required=version(b"")),
    ):
        with pytest.raises(errors.InvalidArgument) as caught:
            await call
        assert caught.value.reason == "BAD_TYPE"
    await store.delete(at("d"), even_full=False, required=PRESENT)


async def test_no_change_is_lost_by_those_who_require_the_version_they_know(
    store: ContentsStore,
) -> None:
    await save(store, "count", b"0")
    refusals = 0

    async def count_up(change: Callable[[bytes], Awaitable[object]]) -> None:
        nonlocal refusals
        for _ in range(20):
            while True:
                present = await read(store, "count")
                await asyncio.sleep(0)
                try:
                    await change(present)
                except errors.Aborted:
                    refusals += 1
                else:
                    break

    async def replacing(present: bytes) -> None:
        new = b"1" + present
        await store.write(at("count"), content(new), required=version(present))

    async def appending(present: bytes) -> None:
        await store.append(at("count"), content(b"1"), required=version(present))

    await asyncio.gather(*(count_up(change) for change in (replacing, appending) * 3))
    assert (await read(store, "count")).count(b"1") == 120
    assert refusals > 0


async def test_one_of_many_takes_what_all_want(store: ContentsStore) -> None:
    for round_ in range(10):
        await save(store, "a", b"%d" % round_)
        known = version(b"%d" % round_)
        results = await asyncio.gather(
            store.write(at("a"), content(b"new"), required=known),
            store.append(at("a"), content(b"new"), required=known),
            store.rename(at("a"), at("b"), required=known),
            store.delete(at("a"), even_full=False, required=known),
            store.trash(at("a"), required=known),
            store.write(at("a"), content(b"newer"), required=known),
            return_exceptions=True,
        )
        failed = [result for result in results if isinstance(result, BaseException)]
        assert len(failed) == len(results) - 1, results
        assert all(isinstance(error, errors.Aborted | errors.NotFound) for error in failed), failed
        for name in await names(store):
            await store.delete(at(name), even_full=False)


async def test_one_of_many_creates_what_must_not_exist(store: ContentsStore) -> None:
    results = await asyncio.gather(
        *(store.write(at("a"), content(b"%d" % number), required=FREE) for number in range(20)),
        return_exceptions=True,
    )
    (winner,) = (
        number for number, result in enumerate(results) if not isinstance(result, BaseException)
    )
    assert await read(store, "a") == b"%d" % winner
