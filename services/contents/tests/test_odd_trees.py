"""Trees that nobody makes by hand, and somebody makes by program."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from perijove_chassis import errors
from perijove_contents.backends.removing import MAX_DEPTH
from perijove_contents.model import EntryPath

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from perijove_contents.backends.filesystem import FilesystemStore
    from perijove_contents.store import ContentsStore

ROOT = EntryPath(())


async def content(data: bytes) -> AsyncIterator[bytes]:
    yield data


def nest(root: Path, depth: int) -> None:
    """Make directories in each other, deeper than the text of a path may be long."""
    fd = os.open(root, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=fd)
        inner = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    os.close(fd)


def flatten(root: Path) -> None:
    """Take them away again, which most programs cannot."""
    while (root / "d" / "d").exists():
        (root / "d" / "d").rename(root / "e")
        (root / "d").rmdir()
        (root / "e").rename(root / "d")


@pytest.fixture
def deep(root: Path) -> Iterator[EntryPath]:
    nest(root, 3000)
    yield EntryPath(("d",))
    flatten(root)


async def test_directories_nested_too_deeply_are_refused_as_a_whole(
    filesystem: FilesystemStore, deep: EntryPath, root: Path
) -> None:
    for call in (
        filesystem.copy_free(deep, ROOT, iter(["copied"]), max_bytes=10**6),
        filesystem.delete(deep, even_full=True),
    ):
        with pytest.raises(errors.FailedPrecondition):
            await call
    assert os.listdir(root) == ["d"]
    # Each of them can be reached still, and the whole be moved.
    assert (await filesystem.get(EntryPath(("d",) * 1000))).path.name == "d"
    await filesystem.rename(deep, EntryPath(("moved",)))
    await filesystem.rename(EntryPath(("moved",)), deep)


async def test_directories_nested_deeply_are_copied_and_deleted(
    filesystem: FilesystemStore, root: Path
) -> None:
    nest(root, MAX_DEPTH)
    path = EntryPath(("d",))
    await filesystem.copy_free(path, ROOT, iter(["copied"]), max_bytes=10**6)
    await filesystem.delete(path, even_full=True)
    await filesystem.delete(EntryPath(("copied",)), even_full=True)
    assert os.listdir(root) == []


@pytest.mark.parametrize("name", ["new", "copy", "a", "n"])
async def test_what_is_made_does_not_depend_on_what_else_is_there(
    store: ContentsStore, name: str
) -> None:
    await store.make_directory(EntryPath((name,)))
    await store.write(EntryPath(("x",)), content(b"data"))
    made = await store.create_free(ROOT, iter(["made"]), b"")
    copied = await store.copy_free(EntryPath(("x",)), ROOT, iter(["copied"]), max_bytes=9)
    assert (made.path.name, copied.path.name) == ("made", "copied")
