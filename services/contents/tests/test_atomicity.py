"""Whatever happens in the middle of a write, a file is whole."""

import asyncio
import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest
from perijove_chassis import errors
from perijove_contents.backends.atomic import AtomicFile
from perijove_contents.backends.filesystem import FilesystemStore
from perijove_contents.backends.leftovers import sweep
from perijove_contents.backends.places import place_at
from perijove_contents.backends.threads import Threads
from perijove_contents.backends.tree import Tree
from perijove_contents.backends.unfinished import TEMPORARY_PREFIX, own_prefix, room_beside
from perijove_contents.model import EntryPath
from perijove_contents.store import CHUNK_BYTES

ROOT = EntryPath(())


def at(text: str) -> EntryPath:
    return EntryPath.parse(text)


async def content(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_nothing_unfinished_is_left_by_a_cancelled_write(
    filesystem: FilesystemStore, root: Path
) -> None:
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * CHUNK_BYTES
            begun.set()
            await asyncio.sleep(0)

    task = asyncio.create_task(filesystem.write(at("a"), endless()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(root.iterdir()) == []


def test_a_large_file_that_was_replaced_is_handed_over(root: Path) -> None:
    for size in (0, 2**20):
        (root / "a").write_bytes(bytes(size))
        held: list[int] = []
        file = AtomicFile(lambda: place_at(str(root / "a")), 0o600, let_go=held.append)
        file.write(bytes(3 * 2**20 + 1))
        file.replace()
        assert (root / "a").read_bytes() == bytes(3 * 2**20 + 1)
        for fd in held:
            assert os.fstat(fd).st_nlink == 0
            os.close(fd)
        assert bool(held) == bool(size)


WRITER = """
import sys
from functools import partial
from perijove_contents.backends.atomic import AtomicFile
from perijove_contents.backends.places import place_at
number = 0
print("ready", flush=True)
while True:
    number += 1
    file = AtomicFile(partial(place_at, sys.argv[1]), 0o644)
    for _ in range(64):
        file.write(bytes([number % 256]) * 65536)
    file.replace()
"""


def test_a_killed_writer_never_leaves_a_torn_file(root: Path) -> None:
    target = root / "a"
    for round_ in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(target)], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout
            writer.stdout.readline()
            deadline = time.monotonic() + 30
            while not target.exists():
                assert time.monotonic() < deadline
            # Long enough to be somewhere in the middle, another where each time.
            with contextlib.suppress(subprocess.TimeoutExpired):
                writer.wait(0.013 * (round_ + 1))
            writer.send_signal(signal.SIGKILL)
        data = target.read_bytes()
        assert len(data) == 64 * 65536
        assert len(set(data)) == 1


def test_leftovers_are_swept_and_nothing_else(root: Path) -> None:
    (root / "d").mkdir()
    (root / "kept").touch()
    (root / "d" / f"{own_prefix()}1").touch()
    (root / f"{own_prefix()}2").mkdir()
    (root / f"{own_prefix()}2" / "x").touch()
    (root / f"{TEMPORARY_PREFIX}of-another-machine").touch()
    (root / "link").symlink_to(root)
    busy = AtomicFile(partial(place_at, str(root / "busy")), 0o600)
    busy.write(b"x")
    with place_at(str(root / "copy")) as target, room_beside(target) as room:
        assert sweep(str(root)) == 2
        room.make_directory(0o700)
    assert sweep(str(root), older_than_s=-1) == 1
    assert {path.name for path in root.iterdir()} - {"d", "kept", "link"} == {
        path.name for path in root.glob(f"{TEMPORARY_PREFIX}*")
    }
    busy.replace()
    assert (root / "busy").read_bytes() == b"x"
    assert list((root / "d").iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a filesystem of 1 MiB, for those who may."""
    place = tmp_path / "small"
    place.mkdir()
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    options = f"size=1m,mode=0700,uid={os.geteuid()}"
    command = [*as_root, "mount", "-t", "tmpfs", "-o", options, "none", str(place)]
    if as_root and not shutil.which("sudo"):
        command = ["false"]
    mounted = subprocess.run(command, check=False, capture_output=True)
    if mounted.returncode:
        reason = f"no filesystem can be mounted: {mounted.stderr.decode().strip()}"
        # Where changes are judged, this must have been seen.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    yield place
    subprocess.run([*as_root, "umount", str(place)], check=True)


async def test_a_full_disk_keeps_the_old_content(small_disk: Path, threads: Threads) -> None:
    tree = Tree(str(small_disk), file_mode=0o644, directory_mode=0o755)
    store = FilesystemStore(tree, threads, os.unlink)
    old = b"1" * 300_000
    await store.write(at("a"), content(old))
    await store.make_directory(at("d"))
    await store.write(at("d/b"), content(old))
    calls = [
        store.write(at("a"), content(b"2" * CHUNK_BYTES)),
        store.write(at("new"), content(b"2" * CHUNK_BYTES)),
        store.append(at("a"), content(b"2" * 100_000, b"2" * CHUNK_BYTES)),
        store.create_free(ROOT, iter(["x"]), b"2" * CHUNK_BYTES),
        store.copy_free(at("d"), ROOT, iter(["e"]), max_bytes=10**9),
    ]
    await store.create_checkpoint(at("a"))
    for call in calls:
        with pytest.raises(errors.ResourceExhausted) as caught:
            await call
        assert caught.value.reason == "STORAGE_FULL"
    assert (small_disk / "a").read_bytes() == old
    assert sorted(os.listdir(small_disk)) == [".ipynb_checkpoints", "a", "d"]


async def test_entries_move_to_another_filesystem(
    small_disk: Path, tmp_path: Path, threads: Threads
) -> None:
    tree = Tree(str(tmp_path), file_mode=0o644, directory_mode=0o755)
    store = FilesystemStore(tree, threads, os.unlink)
    await store.make_directory(at("d"))
    await store.write(at("d/a"), content(b"data"))
    await store.write(at("b"), content(b"data"))
    await store.create_checkpoint(at("b"))
    await store.rename(at("d"), at("small/d"))
    await store.rename(at("b"), at("small/b"))
    with pytest.raises(errors.AlreadyExists):
        await store.rename(at("small/b"), at("small/d"))
    assert len(await store.list_checkpoints(at("small/b"))) == 1
    assert (small_disk / "d" / "a").read_bytes() == b"data"
    assert not (tmp_path / "d").exists()
    (tmp_path / "big").write_bytes(b"x" * 2 * CHUNK_BYTES)
    with pytest.raises(errors.ResourceExhausted):
        await store.rename(at("big"), at("small/big"))
    assert (tmp_path / "big").stat().st_size == 2 * CHUNK_BYTES
    assert sorted(os.listdir(small_disk)) == [".ipynb_checkpoints", "b", "d"]


async def test_a_limit_on_file_sizes_keeps_the_old_content(
    filesystem: FilesystemStore, root: Path
) -> None:
    (root / "a").write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        for call in (
            filesystem.write(at("a"), content(b"2" * 200_000)),
            filesystem.append(at("a"), content(b"2" * 200_000)),
            filesystem.replace(at("a"), lambda: [b"2" * 60_000] * 4),
        ):
            with pytest.raises(errors.ResourceExhausted):
                await call
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (root / "a").read_bytes() == b"old"
    assert os.listdir(root) == ["a"]
