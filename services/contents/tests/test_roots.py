"""Roots of every kind: that of the machine, one with a slash at its end, one beside its like."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from perijove_chassis import errors
from perijove_contents.backends.filesystem import FilesystemStore
from perijove_contents.backends.tree import Tree
from perijove_contents.model import EntryPath, EntryType

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from perijove_contents.backends.threads import Threads


async def content(data: bytes) -> AsyncIterator[bytes]:
    yield data


def store_of(root: str, threads: Threads, *, links_leave: bool) -> FilesystemStore:
    tree = Tree(root, file_mode=0o644, directory_mode=0o755, links_leave=links_leave)
    return FilesystemStore(tree, threads, os.unlink)


@pytest.mark.parametrize("links_leave", [True, False])
@pytest.mark.parametrize("kind", ["/", "{}", "{}/", "/..{}", "{}/../{name}"])
async def test_every_root_serves_what_is_below_it(
    kind: str,
    links_leave: bool,  # noqa: FBT001
    root: Path,
    threads: Threads,
) -> None:
    place = kind.format(root, name=root.name)
    store = store_of(place, threads, links_leave=links_leave)
    below = EntryPath.parse(str(root)) if kind == "/" else EntryPath(())
    (root / "d").mkdir()
    (root / "link").symlink_to(root / "d")
    path, other = (EntryPath((*below.parts, "d", name)) for name in ("a.txt", "b.txt"))
    entry, created = await store.write(path, content(b"first"))
    assert created
    assert entry == await store.get(path)
    await store.create_checkpoint(path)
    await store.append(path, content(b"+"))
    await store.rename(path, other)
    await store.restore_checkpoint(other, "checkpoint")
    copied = await store.copy_free(other, path.parent, iter(["b.txt", "c.txt"]), max_bytes=9)
    assert str(copied.path) == f"{path.parent}/c.txt"
    through = EntryPath((*below.parts, "link", "b.txt"))
    assert (await store.get(through)).size_bytes == len(b"first")
    names = [one.path.name async for batch in store.list(path.parent) for one in batch]
    assert names == ["b.txt", "c.txt"]
    await store.delete(EntryPath((*below.parts, "d")), even_full=True)
    assert os.listdir(root) == ["link"]
    found = await store.kernel_path(path)
    assert os.path.samefile(found.working_directory, root)
    assert os.path.normpath(found.document_location).endswith("/d/a.txt")


@pytest.mark.parametrize("links_leave", [True, False])
async def test_the_root_of_the_machine_is_a_directory_like_others(
    links_leave: bool,  # noqa: FBT001
    threads: Threads,
) -> None:
    store = store_of("/", threads, links_leave=links_leave)
    entry = await store.get(EntryPath(()))
    assert entry.type is EntryType.DIRECTORY
    names = {one.path.name async for batch in store.list(EntryPath(())) for one in batch}
    assert {"etc", "tmp", "usr"} <= names
    assert (await store.get(EntryPath.parse("proc/self/status"))).type is EntryType.FILE
    assert (await store.kernel_path(EntryPath(()))).document_location == "/"
    with pytest.raises(errors.InvalidArgument):
        EntryPath.parse("../etc/passwd")


@pytest.mark.parametrize("links_leave", [True, False])
async def test_a_sibling_whose_name_begins_alike_is_not_the_root(
    links_leave: bool,  # noqa: FBT001
    root: Path,
    threads: Threads,
) -> None:
    sibling = root.with_name(root.name + "2")
    sibling.mkdir()
    (sibling / "secret").write_bytes(b"x")
    (root / "absolute").symlink_to(sibling / "secret")
    (root / "relative").symlink_to(f"../{sibling.name}/secret")
    store = store_of(str(root), threads, links_leave=links_leave)
    for text in (f"../{sibling.name}/secret", "2/secret", f"/../{sibling.name}/secret"):
        with pytest.raises((errors.InvalidArgument, errors.NotFound)):
            await store.get(EntryPath.parse(text))
    for name in ("absolute", "relative"):
        if links_leave:
            assert (await store.get(EntryPath((name,)))).size_bytes == 1
        else:
            # Of such a link nothing is told but itself.
            link = os.readlink(root / name)
            assert (await store.get(EntryPath((name,)))).size_bytes == len(link)
            with pytest.raises(errors.InvalidArgument):
                await store.open(EntryPath((name,)))
