"""What every watch of the document tree must do, and what only one of files can."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Self

import pytest
from perijove_chassis import errors
from perijove_contents import watching
from perijove_contents.backends.memory import MemoryStore
from perijove_contents.backends.watch import FilesystemWatch
from perijove_contents.model import EntryPath
from perijove_contents.watching import ChangeType, EntryChange, EntryFeed, WatchManager

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from perijove_contents.backends.filesystem import FilesystemStore
    from perijove_contents.store import ContentsStore, EntryWatch

    Both = tuple[ContentsStore, EntryWatch]

ROOT = EntryPath(())
GENEROUS_S = 60.0
CREATED, MODIFIED, DELETED = ChangeType.CREATED, ChangeType.MODIFIED, ChangeType.DELETED


def at(text: str) -> EntryPath:
    return EntryPath.parse(text)


async def content(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def save(store: ContentsStore, path: str, data: bytes = b"") -> None:
    await store.write(at(path), content(data))


class Watcher:
    """Hears what is told, from the first update on."""

    def __init__(self, watch: EntryWatch, path: str = "", after: str = "") -> None:
        self._updates = watch.watch(at(path), after)
        self.resyncs = 0
        self.changes: list[tuple[ChangeType, str]] = []
        self.position = ""

    async def __aenter__(self) -> Self:
        await self.hear()
        return self

    async def __aexit__(self, *_: object) -> None:
        await aclosing(self._updates).__aexit__(None, None, None)  # type: ignore[type-var]

    async def hear(self) -> None:
        async with asyncio.timeout(GENEROUS_S):
            update = await anext(self._updates)
        self.resyncs += update.resync
        self.changes += [(change.type, str(change.path)) for change in update.changes]
        self.position = update.position

    async def until(self, kind: ChangeType, path: str) -> None:
        while (kind, path) not in self.changes:
            await self.hear()

    async def until_all(self, *expected: tuple[ChangeType, str]) -> None:
        for kind, path in expected:
            await self.until(kind, path)


@pytest.fixture(params=["system", "polling", "memory"])
async def both(request: pytest.FixtureRequest, root: Path) -> AsyncIterator[Both]:
    if request.param == "memory":
        memory = MemoryStore()
        yield memory, memory
        return
    filesystem: FilesystemStore = request.getfixturevalue("filesystem")
    poll_s = 0.05 if request.param == "polling" else 0.0
    watch = FilesystemWatch(str(root), poll_s=poll_s)
    yield filesystem, watch
    watch.close()


async def test_what_happens_to_a_file_is_told(both: Both) -> None:
    store, watch = both
    await store.make_directory(at("d"))
    await save(store, "d/before")
    async with Watcher(watch) as watcher:
        assert (watcher.resyncs, watcher.changes) == (1, [])
        await save(store, "a", b"first")
        await watcher.until(CREATED, "a")
        await save(store, "a", b"second")
        await watcher.until(MODIFIED, "a")
        await store.rename(at("a"), at("d/b"))
        await watcher.until_all((DELETED, "a"), (CREATED, "d/b"))
        await store.delete(at("d/b"), even_full=False)
        await watcher.until(DELETED, "d/b")
        paths = {path for _, path in watcher.changes}
        assert paths == {"a", "d/b"}


async def test_what_happens_to_a_directory_is_told_of_all_it_holds(both: Both) -> None:
    store, watch = both
    async with Watcher(watch) as watcher:
        await store.make_directory(at("d"))
        await store.make_directory(at("d/e"))
        await save(store, "d/e/a")
        await watcher.until_all((CREATED, "d"), (CREATED, "d/e"), (CREATED, "d/e/a"))
        await store.rename(at("d"), at("f"))
        await watcher.until_all((DELETED, "d"), (DELETED, "d/e/a"), (CREATED, "f/e/a"))
        await save(store, "f/e/a", b"new")
        await watcher.until(MODIFIED, "f/e/a")
        await store.delete(at("f"), even_full=True)
        await watcher.until_all((DELETED, "f/e/a"), (DELETED, "f/e"), (DELETED, "f"))


async def test_only_what_lies_below_the_path_is_told(both: Both) -> None:
    store, watch = both
    for name in ("d", "dd"):
        await store.make_directory(at(name))
    await save(store, "file")
    async with Watcher(watch, "d") as inside, Watcher(watch, "file") as of_file:
        await save(store, "dd/a")
        await save(store, "d/a")
        await save(store, "file", b"new")
        await inside.until(CREATED, "d/a")
        await of_file.until(MODIFIED, "file")
        assert {path for _, path in inside.changes} == {"d/a"}
        assert {path for _, path in of_file.changes} == {"file"}


async def test_what_is_hidden_is_not_told(both: Both) -> None:
    store, watch = both
    await store.make_directory(at(".git"))
    async with Watcher(watch) as watcher:
        for path in (".git/a", ".hidden", "a.pyc", "a~"):
            await save(store, path)
        await save(store, "last")
        await watcher.until(CREATED, "last")
        await store.create_checkpoint(at("last"))
        await save(store, "last", b"x")
        await watcher.until(MODIFIED, "last")
        assert {path for _, path in watcher.changes} == {"last"}


async def test_a_watcher_goes_on_where_it_was(both: Both) -> None:
    store, watch = both
    async with Watcher(watch) as other:
        async with Watcher(watch) as watcher:
            await save(store, "a")
            await watcher.until(CREATED, "a")
        await save(store, "b")
        await other.until(CREATED, "b")
        async with Watcher(watch, after=watcher.position) as again:
            assert again.resyncs == 0
            await again.until(CREATED, "b")
            assert (CREATED, "a") not in again.changes
        for position in ("", "x", "x-1", f"{watcher.position}9", f"{watcher.position}-"):
            async with Watcher(watch, after=position) as again:
                assert (again.resyncs, again.changes) == (1, [])


async def test_a_slow_watcher_is_told_to_look_anew(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EntryFeed.__init__, "__defaults__", (8,))
    store, watch = both
    if isinstance(store, MemoryStore):
        store._feed._kept = type(store._feed._kept)(maxlen=8)
    async with Watcher(watch) as slow, Watcher(watch) as fast:
        for number in range(12):
            await save(store, f"n{number}")
            await fast.until(CREATED, f"n{number}")
        assert fast.resyncs == 1
        await slow.hear()
        assert (slow.resyncs, slow.changes) == (2, [])
        await save(store, "last")
        await slow.until(CREATED, "last")
        assert slow.changes == [(CREATED, "last")]


async def test_what_is_hidden_or_absent_is_not_watched(both: Both) -> None:
    manager = WatchManager(*both)
    for path in ("absent", ".hidden"):
        with pytest.raises(errors.NotFound):
            await anext(manager.watch(at(path), ""))


async def test_too_many_watchers_are_refused(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MAX_WATCHERS", 2)
    _, watch = both
    async with Watcher(watch), Watcher(watch):
        with pytest.raises(errors.ResourceExhausted):
            await anext(watch.watch(ROOT, ""))
    async with Watcher(watch):
        pass


async def test_many_changes_come_in_batches() -> None:
    feed = EntryFeed()
    updates = feed.follow(ROOT, "")
    await anext(updates)
    feed.publish(EntryChange(CREATED, at(f"n{number}")) for number in range(1200))
    sizes = [len((await anext(updates)).changes) for _ in range(3)]
    assert sizes == [500, 500, 200]
    feed.forget()
    assert (await anext(updates)).resync
    feed.end(watching.going_away())
    with pytest.raises(errors.Unavailable):
        await anext(updates)


async def test_one_thread_serves_all_and_ends(root: Path) -> None:
    watch = FilesystemWatch(str(root), linger_s=0)
    async with Watcher(watch) as first, Watcher(watch) as second:
        assert first.position == second.position
        present = watch._present
    assert present
    assert await asyncio.to_thread(present._stop.wait, GENEROUS_S)
    async with Watcher(watch, after=first.position) as later:
        assert later.resyncs == 1
        watch.close()
        with pytest.raises(errors.Unavailable):
            await later.hear()
    with pytest.raises(errors.Unavailable):
        await anext(watch.watch(ROOT, ""))


async def test_a_tree_that_is_too_large_is_not_watched(root: Path) -> None:
    for number in range(5):
        (root / f"n{number}").touch()
    watch = FilesystemWatch(str(root), most_entries=4)
    with pytest.raises(errors.ResourceExhausted) as caught:
        await anext(watch.watch(ROOT, ""))
    assert caught.value.reason == "LIMIT_EXCEEDED"
    (root / "n0").unlink()
    async with Watcher(watch) as watcher:
        (root / "n5").touch()
        with pytest.raises(errors.ResourceExhausted):
            await watcher.until(CREATED, "never")


@pytest.mark.parametrize("poll_s", [0.0, 0.05])
async def test_what_is_odd_does_not_end_the_watch(
    root: Path, tmp_path: Path, poll_s: float
) -> None:
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "outside").symlink_to("/proc", target_is_directory=True)
    (root / "broken").symlink_to("nowhere")
    watch = FilesystemWatch(str(root), poll_s=poll_s)
    async with Watcher(watch) as watcher:
        (root / "a").touch()
        await watcher.until(CREATED, "a")
        with open(bytes(root) + b"/\xff.txt", "wb"):
            pass
        (root / "b").symlink_to(tmp_path)
        await watcher.until(CREATED, "b")
        (root / "c").touch()
        await watcher.until(CREATED, "c")
        assert {path for _, path in watcher.changes} == {"a", "b", "c"}
    watch.close()
