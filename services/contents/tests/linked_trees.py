"""What the tests of links share: a store, and what lies outside its root."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from perijove_contents.backends.filesystem import FilesystemStore
from perijove_contents.backends.tree import Tree
from perijove_contents.backends.unfinished import TEMPORARY_PREFIX
from perijove_contents.model import EntryPath

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from perijove_contents.backends.threads import Threads

ROOT = EntryPath(())
SECRET = b"CANARY"


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


def fill_outside(tmp_path: Path) -> Path:
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
