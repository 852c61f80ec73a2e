"""Links: where they may lead, and that nobody slips one in between."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from perijove_chassis import errors
from perijove_contents.backends.filesystem import FilesystemStore
from perijove_contents.backends.leftovers import sweep
from perijove_contents.backends.tree import Tree
from perijove_contents.backends.unfinished import TEMPORARY_PREFIX
from perijove_contents.model import EntryPath, EntryType

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    from perijove_contents.backends.threads import Threads

ROOT = EntryPath(())
ROUNDS = 150
SECRET = b"CANARY"

SWAPPER = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
one, other = (os.fsencode(name) for name in sys.argv[1:])
print("ready", flush=True)
while True:
    # Each name has always something: what is under one is now under the other.
    libc.renameat2(-100, one, -100, other, 2)
"""


def at(text: str) -> EntryPath:
    return EntryPath.parse(text)


async def content(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def read(store: FilesystemStore, path: str) -> bytes:
    opened = await store.open(at(path))
    data = await opened.whole()
    await opened.close()
    return data


async def names(store: FilesystemStore, path: str = "") -> list[str]:
    return [entry.path.name async for batch in store.list(at(path)) for entry in batch]


def store_of(root: Path, threads: Threads, *, links_leave: bool) -> FilesystemStore:
    tree = Tree(str(root), file_mode=0o644, directory_mode=0o755, links_leave=links_leave)
    return FilesystemStore(tree, threads, os.unlink)


@pytest.fixture
def confined(root: Path, threads: Threads) -> FilesystemStore:
    return store_of(root, threads, links_leave=False)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Fill a directory beside the root, whose name begins as the root's does."""
    outside = tmp_path / "root-beside"
    (outside / "sub" / "deep").mkdir(parents=True)
    (outside / ".ipynb_checkpoints").mkdir()
    for name in ("x", "only-outside", "sub/x", "sub/deep/x", ".ipynb_checkpoints/x-checkpoint"):
        (outside / name).write_bytes(SECRET)
    (outside / f"{TEMPORARY_PREFIX}1").write_bytes(SECRET)
    return outside


def snapshot(directory: Path) -> dict[str, object]:
    found = {}
    for path in [directory, *directory.rglob("*")]:
        status = path.lstat()
        data = path.read_bytes() if path.is_file() else None
        found[str(path)] = (status.st_ino, status.st_mode, status.st_mtime_ns, data)
    return found


def holds_secret(directory: Path) -> bool:
    return any(
        SECRET in path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and not path.is_symlink() and "outside" not in path.parts
    )


@pytest.mark.parametrize("links_leave", [True, False])
@pytest.mark.parametrize("name", ["root", "alias"])
async def test_links_inside_the_root_are_followed(
    links_leave: bool,  # noqa: FBT001
    name: str,
    root: Path,
    threads: Threads,
) -> None:
    (root.parent / "alias").symlink_to(root)
    (root / "d" / "e").mkdir(parents=True)
    (root / "d" / "file").write_bytes(b"first")
    (root / "relative").symlink_to("d/e/../file")
    (root / "absolute").symlink_to(root.resolve() / "d" / "file")
    (root / "as-named").symlink_to(root.parent / name / "d" / "file")
    (root / "d" / "e" / "up").symlink_to("../../d")
    (root / "d" / "top").symlink_to(root)
    (root / "chain").symlink_to("d/top/d/e/up/file")
    (root / "new").symlink_to("d/not-yet")
    store = store_of(root.parent / name, threads, links_leave=links_leave)
    for path in ("relative", "absolute", "as-named", "chain", "d/e/up/file", "d/top/d/top/chain"):
        assert await read(store, path) == b"first", path
        await store.write(at(path), content(b"second"))
        assert (root / "d" / "file").read_bytes() == b"second"
        (root / "d" / "file").write_bytes(b"first")
    assert (await store.get(at("d/top"))).type is EntryType.DIRECTORY
    assert (await store.get(at("d/e/up"))).type is EntryType.DIRECTORY
    assert await names(store, "d/e/up") == ["e", "file", "top"]
    _, created = await store.write(at("new"), content(b"made"))
    assert created
    assert (root / "d" / "not-yet").read_bytes() == b"made"
    assert (root / "new").is_symlink()
    # What is done to an entry is done to the link, not to what it leads to.
    await store.rename(at("d/e/up"), at("moved"))
    await store.delete(at("d/top"), even_full=True)
    assert (root / "moved").is_symlink()
    assert (root / "d" / "file").exists()


def links_out(outside: Path) -> dict[str, str]:
    return {
        "absolute": str(outside / "x"),
        "up": f"../{outside.name}/x",
        "around": f"d/../../{outside.name}/x",
        "nothing": "/nowhere/x",
        "missing": "not-there",
        "directory": str(outside),
        "parent": "..",
        "slash": "/",
        "over": f"../root/../{outside.name}/x",
    }


async def test_links_out_of_the_root_lead_nowhere_when_confined(
    confined: FilesystemStore, root: Path, outside: Path
) -> None:
    (root / "d").mkdir()
    for name, target in links_out(outside).items():
        (root / name).symlink_to(target)
    before = snapshot(outside)
    assert await names(confined) == ["d"]
    told = set()
    for name in links_out(outside):
        for call in (confined.get(at(name)), confined.open(at(name))):
            with pytest.raises(errors.InvalidArgument) as caught:
                await call
            told.add(str(caught.value).replace(name, "NAME"))
    assert len(told) == 1, "what is outside can be told from nothing"
    for name in ("directory", "parent", "slash"):
        inside = at(f"{name}/x")
        for call in refusals(confined, inside):
            with pytest.raises(errors.NotFound):
                await call
    for name in links_out(outside):
        if name != "missing":
            with pytest.raises(errors.NotFound):
                await confined.write(at(name), content(b"changed"))
    assert (await confined.kernel_path(at("directory/sub"))).working_directory == str(root)
    assert snapshot(outside) == before


def refusals(store: FilesystemStore, inside: EntryPath) -> Iterator[Awaitable[object]]:
    yield store.get(inside)
    yield store.open(inside)
    yield store.write(inside, content(b"changed"))
    yield store.append(inside, content(b"changed"))
    yield store.make_directory(inside)
    yield store.create_free(inside.parent, iter(["a"]), b"changed")
    yield store.create_free(inside.parent, iter(["a"]), None)
    yield store.copy_free(inside, ROOT, iter(["a"]), max_bytes=9)
    yield store.copy_free(at("d"), inside.parent, iter(["a"]), max_bytes=9)
    yield store.rename(inside, at("a"))
    yield store.rename(at("d"), inside)
    yield store.delete(inside, even_full=True)
    yield store.create_checkpoint(inside)
    yield store.restore_checkpoint(inside, "checkpoint")
    yield store.delete_checkpoint(inside, "checkpoint")


async def test_links_that_go_in_circles_lead_nowhere(confined: FilesystemStore, root: Path) -> None:
    (root / "one").symlink_to("two")
    (root / "two").symlink_to("one")
    (root / "self").symlink_to("self/self")
    for path in ("one", "self", "one/x", "self/x"):
        with pytest.raises(errors.InvalidArgument):
            await confined.get(at(path))


async def test_checkpoints_do_not_leave_the_root_by_a_link(
    confined: FilesystemStore, root: Path, outside: Path
) -> None:
    (root / "x").write_bytes(b"inside")
    (root / ".ipynb_checkpoints").symlink_to(outside / ".ipynb_checkpoints")
    before = snapshot(outside)
    assert await confined.list_checkpoints(at("x")) == []
    for call in (
        confined.create_checkpoint(at("x")),
        confined.restore_checkpoint(at("x"), "checkpoint"),
        confined.delete_checkpoint(at("x"), "checkpoint"),
    ):
        with pytest.raises(errors.NotFound):
            await call
    await confined.rename(at("x"), at("y"))
    await confined.delete(at("y"), even_full=False)
    assert snapshot(outside) == before


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def swapping(one: Path, other: Path) -> Iterator[None]:
    """Exchange two names all the time, in another process."""
    command = [sys.executable, "-S", "-c", SWAPPER, str(one), str(other)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


def operations(store: FilesystemStore) -> dict[str, Callable[[], Awaitable[object]]]:
    """Return everything that can be done below `d`, with `x` in it."""
    free = (f"new-{number}" for number in itertools.count())

    async def look() -> None:
        opened = await store.open(at("d/x"), want_hash=True)
        data = await opened.whole()
        await opened.close()
        assert SECRET not in data

    async def listing() -> None:
        found = await names(store, "d")
        assert "only-outside" not in found

    async def moved() -> None:
        try:
            await store.rename(at("d/x"), at("y"))
        except errors.DomainError:
            await store.rename(at("y"), at("d/x"))

    return {
        "read": look,
        "list": listing,
        "write": lambda: store.write(at("d/x"), content(b"inside")),
        "append": lambda: store.append(at("d/x"), content(b"+")),
        "new file": lambda: store.create_free(at("d"), iter([next(free)]), b"inside"),
        "new directory": lambda: store.create_free(at("d"), iter([next(free)]), None),
        "make directory": lambda: store.make_directory(at("d/made")),
        "copy": lambda: store.copy_free(at("d/x"), ROOT, iter([next(free)]), max_bytes=0),
        "copy into": lambda: store.copy_free(at("a"), at("d"), iter([next(free)]), max_bytes=0),
        "copy all": lambda: store.copy_free(at("d"), ROOT, iter([next(free)]), max_bytes=99),
        "rename": moved,
        "checkpoint": lambda: store.create_checkpoint(at("d/x")),
        "restore": lambda: store.restore_checkpoint(at("d/x"), "checkpoint"),
        "forget": lambda: store.delete_checkpoint(at("d/x"), "checkpoint"),
        "delete": lambda: store.delete(at("d/x"), even_full=False),
        "delete all": lambda: store.delete(at("d/sub"), even_full=True),
    }


def refill(root: Path) -> None:
    """Put back what the operations took away, and take away what they made."""
    for path in root.iterdir():
        if path.name not in ("a", "d", "other"):
            remove(path)
    for name in ("d", "other"):
        directory = root / name
        if not directory.is_symlink():
            (directory / "sub").mkdir(exist_ok=True)
            (directory / "x").write_bytes(b"inside")
            (directory / ".ipynb_checkpoints").mkdir(exist_ok=True)
            (directory / ".ipynb_checkpoints" / "x-checkpoint").write_bytes(b"earlier")


@pytest.mark.parametrize("what", operations(None))  # type: ignore[arg-type]
async def test_nothing_outside_is_reached_while_a_directory_is_swapped_for_a_link(
    what: str, confined: FilesystemStore, root: Path, outside: Path
) -> None:
    (root / "a").write_bytes(b"inside")
    (root / "d").mkdir()
    (root / "other").symlink_to(outside)
    refill(root)
    before = snapshot(outside)
    operation = operations(confined)[what]
    done = batches = 0
    while not done or batches < 6:
        assert batches < 100, "it never met the directory"
        batches += 1
        with swapping(root / "d", root / "other"):
            for _ in range(ROUNDS // 6):
                with contextlib.suppress(errors.DomainError):
                    await operation()
                    done += 1
        assert snapshot(outside) == before
        assert not holds_secret(root)
        refill(root)


async def test_nothing_outside_is_reached_while_a_file_is_swapped_for_a_link(
    confined: FilesystemStore, root: Path, outside: Path
) -> None:
    (root / "d").mkdir()
    (root / "d" / "x").write_bytes(b"inside")
    (root / "other").symlink_to(outside / "x")
    before = snapshot(outside)
    done = 0
    calls = operations(confined)
    with swapping(root / "d" / "x", root / "other"):
        for _ in range(ROUNDS):
            for what in ("read", "write", "append", "copy", "checkpoint", "restore"):
                with contextlib.suppress(errors.DomainError):
                    await calls[what]()
                    done += 1
    assert snapshot(outside) == before
    assert not holds_secret(root)
    assert done


@pytest.mark.parametrize("links_leave", [True, False])
async def test_what_goes_through_a_directory_never_passes_a_link(
    links_leave: bool,  # noqa: FBT001
    root: Path,
    outside: Path,
    threads: Threads,
) -> None:
    store = store_of(root, threads, links_leave=links_leave)
    (root / "other").symlink_to(outside)
    before = snapshot(outside)
    for _ in range(8):
        remove(root / "t")
        (root / "t" / "d" / "sub").mkdir(parents=True)
        (root / "t" / "d" / "x").write_bytes(b"inside")
        old = time.time() - 9999
        os.utime(outside / f"{TEMPORARY_PREFIX}1", (old, old))
        before = snapshot(outside)
        with swapping(root / "t" / "d", root / "other"):
            for _ in range(20):
                with contextlib.suppress(errors.DomainError):
                    await store.copy_free(at("t"), ROOT, iter(["c"]), max_bytes=10**6)
                    assert not holds_secret(root / "c")
                    await store.delete(at("c"), even_full=True)
                sweep(str(root), older_than_s=-1)
            with contextlib.suppress(errors.DomainError):
                await store.delete(at("t"), even_full=True)
        assert snapshot(outside) == before
        remove(root / "other")
        (root / "other").symlink_to(outside)
