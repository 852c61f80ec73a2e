"""Links: where they may lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from perijove_chassis import errors
from perijove_contents.model import EntryPath, EntryType

from services.contents.tests.linked_trees import (
    ROOT,
    at,
    content,
    fill_outside,
    names,
    read,
    snapshot,
    store_of,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator
    from pathlib import Path

    from perijove_contents.backends.filesystem import FilesystemStore
    from perijove_contents.backends.threads import Threads


@pytest.fixture
def confined(root: Path, threads: Threads) -> FilesystemStore:
    return store_of(root, threads, links_leave=False)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    return fill_outside(tmp_path)


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


def links_out(root: Path, outside: Path) -> dict[str, str]:
    return {
        "absolute": str(outside / "x"),
        "up": f"../{outside.name}/x",
        "around": f"d/../../{outside.name}/x",
        "nothing": "/nowhere/x",
        "missing": "not-there",
        "directory": str(outside),
        "parent": "..",
        "slash": "/",
        "over": f"../{root.name}/../{outside.name}/x",
    }


async def test_links_out_of_the_root_lead_nowhere_when_confined(
    confined: FilesystemStore, root: Path, outside: Path
) -> None:
    (root / "d").mkdir()
    for name, target in links_out(root, outside).items():
        (root / name).symlink_to(target)
    before = snapshot(outside)
    assert await names(confined) == sorted(["d", *links_out(root, outside)])
    told = set()
    for name in links_out(root, outside):
        assert (await confined.get(at(name))).size_bytes == (root / name).lstat().st_size
        with pytest.raises(errors.InvalidArgument) as caught:
            await confined.open(at(name))
        told.add(str(caught.value).replace(f" {name}:", " NAME:"))
    assert len(told) == 1, "what is outside can be told from nothing"
    for name in ("directory", "parent", "slash"):
        inside = at(f"{name}/x")
        for call in refusals(confined, inside):
            with pytest.raises(errors.NotFound):
                await call
    for name in links_out(root, outside):
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
