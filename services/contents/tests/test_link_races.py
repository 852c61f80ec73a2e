"""Nobody slips a link in between: neither below a root that links must not leave, nor in a walk."""

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
from perijove_contents.backends.leftovers import sweep
from perijove_contents.backends.snapshot import Snapshot
from perijove_contents.backends.unfinished import TEMPORARY_PREFIX

from services.contents.tests.linked_trees import (
    ROOT,
    SECRET,
    at,
    content,
    fill_outside,
    holds_secret,
    names,
    snapshot,
    store_of,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from perijove_contents.backends.filesystem import FilesystemStore
    from perijove_contents.backends.threads import Threads

ROUNDS = 150

SWAPPER = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
one, other = (os.fsencode(name) for name in sys.argv[1:])
print("ready", flush=True)
while True:
    # Each name has always something: what is under one is now under the other.
    libc.renameat2(-100, one, -100, other, 2)
"""


@pytest.fixture
def confined(root: Path, threads: Threads) -> FilesystemStore:
    return store_of(root, threads, links_leave=False)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    return fill_outside(tmp_path)


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


def test_who_watches_is_told_nothing_of_what_is_outside(root: Path, outside: Path) -> None:
    (root / "d").mkdir()
    (root / "other").symlink_to(outside)
    told = set()
    with swapping(root / "d", root / "other"):
        for _ in range(ROUNDS):
            seen = Snapshot(str(root), 100)
            told.update(str(change.path) for change in seen.look())
            told.update(str(change.path) for change in seen.look_at([f"{root}/d", f"{root}/d/x"]))
    assert told == {"d", "other"}
