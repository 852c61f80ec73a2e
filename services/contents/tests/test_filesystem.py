"""What only a filesystem can do to us."""

import asyncio
import contextlib
import errno
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest
from perijove_chassis import errors
from perijove_contents.backends.border import os_errors_as_domain
from perijove_contents.backends.filesystem import FilesystemStore
from perijove_contents.backends.threads import Threads
from perijove_contents.model import EntryPath, EntryType
from perijove_contents.store import CHUNK_BYTES

ROOT = EntryPath(())


def at(text: str) -> EntryPath:
    return EntryPath.parse(text)


async def content(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def names(store: FilesystemStore) -> list[str]:
    return [entry.path.name async for batch in store.list(ROOT) for entry in batch]


async def test_a_link_is_followed_and_stays_one(
    filesystem: FilesystemStore, root: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_bytes(b"first")
    (root / "link.txt").symlink_to(outside)
    (root / "dir").symlink_to(tmp_path, target_is_directory=True)
    entry, created = await filesystem.write(at("link.txt"), content(b"second"))
    assert not created
    assert outside.read_bytes() == b"second"
    assert (root / "link.txt").is_symlink()
    assert entry.size_bytes == 6
    assert (await filesystem.get(at("dir"))).type is EntryType.DIRECTORY
    await filesystem.delete(at("dir"), even_full=True)
    assert outside.exists()


async def test_odd_things_are_left_out_of_listings_but_links_to_them(
    filesystem: FilesystemStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(root / "pipe")
    (root / "broken").symlink_to("nowhere")
    (root / "loop").symlink_to("loop")
    monkeypatch.chdir(root)
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind("socket")
        (root / "zero").symlink_to("/dev/zero")
        with open(os.fsencode(root) + b"/\xff.txt", "wb"):
            pass
        (root / "plain").touch()
        assert await names(filesystem) == ["broken", "plain", "zero"]
        for name in ("broken", "zero"):
            entry = await filesystem.get(at(name))
            assert entry.size_bytes == (root / name).lstat().st_size
            assert (entry.type, entry.writable) == (EntryType.FILE, False)
        calls = [filesystem.open(at(name)) for name in ("pipe", "broken", "socket", "zero")]
        calls += [filesystem.get(at(name)) for name in ("pipe", "socket")]
        for call in calls:
            with pytest.raises(errors.DomainError) as caught:
                await call
            assert str(root) not in str(caught.value)
        for name in ("pipe", "socket", "zero"):
            with pytest.raises(errors.InvalidArgument):
                await filesystem.write(at(name), content(b"x"))
            with pytest.raises(errors.InvalidArgument):
                await filesystem.append(at(name), content(b"x"))


@pytest.mark.parametrize("target", ["nowhere", "plain/x", "link", "/dev/zero"])
async def test_a_link_to_nothing_is_moved_and_deleted(
    filesystem: FilesystemStore, root: Path, target: str
) -> None:
    (root / "plain").touch()
    for delete in (filesystem.trash, partial(filesystem.delete, even_full=False)):
        (root / "link").symlink_to(target)
        await filesystem.rename(at("link"), at("moved"))
        assert os.readlink(root / "moved") == target
        await delete(at("moved"))
        assert os.listdir(root) == ["plain"]


async def test_a_replaced_file_keeps_its_mode(filesystem: FilesystemStore, root: Path) -> None:
    await filesystem.write(at("new"), content(b"x"))
    assert (root / "new").stat().st_mode & 0o777 == 0o644
    (root / "new").chmod(0o750)
    await filesystem.write(at("new"), content(b"y"))
    assert (root / "new").stat().st_mode & 0o777 == 0o750


async def test_a_checkpoint_is_where_jupyter_keeps_it(
    filesystem: FilesystemStore, root: Path
) -> None:
    (root / "a.b.ipynb").write_bytes(b"data")
    os.utime(root / "a.b.ipynb", ns=(1, 1_000_000_007))
    checkpoint = await filesystem.create_checkpoint(at("a.b.ipynb"))
    assert checkpoint.update_time_ns == 1_000_000_007
    kept = root / ".ipynb_checkpoints" / "a.b-checkpoint.ipynb"
    assert kept.read_bytes() == b"data"
    assert kept.stat().st_mtime_ns == 1_000_000_007
    await filesystem.delete(at("a.b.ipynb"), even_full=False)
    assert not kept.exists()
    await filesystem.make_directory(at("d"))
    (root / "d" / ".ipynb_checkpoints").mkdir()
    await filesystem.delete(at("d"), even_full=False)
    assert not (root / "d").exists()


async def test_a_cancelled_read_leaves_no_file_open(
    filesystem: FilesystemStore, root: Path
) -> None:
    (root / "a").write_bytes(b"x" * 8 * CHUNK_BYTES)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        task = asyncio.create_task(filesystem.open(at("a"), want_hash=True))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(os.listdir("/proc/self/fd")) <= before


def test_too_much_work_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perijove_contents.backends.threads.MAX_WAITING", 1)
    threads = Threads(1, "test")

    async def run() -> list[object]:
        calls = (threads.run(time.sleep, 0.05) for _ in range(5))
        return await asyncio.gather(*calls, return_exceptions=True)

    results = asyncio.run(run())
    threads.close()
    assert sum(result is None for result in results) == 2
    assert sum(isinstance(result, errors.Unavailable) for result in results) == 3


def test_work_that_was_cancelled_before_it_began_is_not_done() -> None:
    threads = Threads(1, "test")
    done: list[int] = []

    async def run() -> None:
        first = asyncio.create_task(threads.run(time.sleep, 0.05))
        second = asyncio.create_task(threads.run(done.append, 1))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        await first
        await threads.run(done.append, 2)

    asyncio.run(run())
    threads.close()
    assert done == [2]


def test_work_that_has_begun_is_waited_for_even_by_who_was_cancelled() -> None:
    threads = Threads(1, "test")
    begun, end, done = threading.Event(), threading.Event(), list[int]()

    def work() -> None:
        begun.set()
        end.wait()
        done.append(1)

    async def run() -> None:
        waiting = asyncio.create_task(threads.run(work))
        assert await asyncio.to_thread(begun.wait, 60)
        for _ in range(2):
            waiting.cancel()
            await asyncio.sleep(0)
        assert not waiting.done()
        end.set()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert done == [1]

    asyncio.run(run())
    threads.close()


def test_what_work_raises_and_knows_of_its_caller_arrives() -> None:
    threads = Threads(1, "test")
    asked: ContextVar[str] = ContextVar("asked")

    async def run() -> None:
        asked.set("here")
        assert await threads.run(asked.get) == "here"
        with pytest.raises(ZeroDivisionError):
            await threads.run(divmod, 1, 0)
        assert await threads.run(divmod, 7, 2) == (3, 1)

    asyncio.run(run())
    threads.close()


def fail(number: int) -> NoReturn:
    raise OSError(number, os.strerror(number), "/a/secret/place")


@pytest.mark.parametrize(
    ("number", "error", "reason"),
    [
        (errno.ENOENT, errors.NotFound, "NO_SUCH_ENTRY"),
        (errno.EACCES, errors.PermissionDenied, "NO_PERMISSION"),
        (errno.EROFS, errors.PermissionDenied, "NO_PERMISSION"),
        (errno.EDQUOT, errors.ResourceExhausted, "STORAGE_FULL"),
        (errno.ENAMETOOLONG, errors.InvalidArgument, "BAD_PATH"),
        (errno.EIO, errors.Unavailable, ""),
    ],
)
def test_an_error_of_the_system_becomes_its_meaning(
    number: int, error: type[errors.DomainError], reason: str
) -> None:
    with pytest.raises(error) as caught, os_errors_as_domain(at("a/b")):
        fail(number)
    assert caught.value.reason == reason
    assert "secret" not in str(caught.value)


def test_an_error_without_meaning_stays_what_it_is() -> None:
    with pytest.raises(OSError, match="secret"), os_errors_as_domain(at("a")):
        fail(errno.ENOTTY)


UNPRIVILEGED = """
import asyncio, os, sys
from perijove_chassis.errors import PermissionDenied
from perijove_contents.backends.filesystem import FilesystemStore
from perijove_contents.backends.threads import Threads
from perijove_contents.backends.tree import Tree
from perijove_contents.model import EntryPath
os.setgid(65534); os.setuid(65534)
async def content():
    yield b"new"
async def main():
    tree = Tree(sys.argv[1], file_mode=0o644, directory_mode=0o755)
    store = FilesystemStore(tree, Threads(1, "t"), os.unlink)
    path = EntryPath(("file",))
    batches = [batch async for batch in store.list(EntryPath(()))]
    assert not batches[0][0].writable and not (await store.get(path)).writable
    for call in (
        store.write(path, content()), store.append(path, content()), store.trash(path),
        store.delete(path, even_full=True), store.create_checkpoint(path),
        store.create_free(EntryPath(()), iter(["x"]), b""), store.rename(path, EntryPath(("y",))),
    ):
        try:
            await call
        except PermissionDenied as error:
            assert error.reason == "NO_PERMISSION" and sys.argv[1] not in str(error)
        else:
            raise AssertionError(call)
asyncio.run(main())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may become somebody else")
def test_what_may_not_be_written_says_so() -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "file").write_bytes(b"old")
        (root / "file").chmod(0o444)
        root.chmod(0o755)
        subprocess.run([sys.executable, "-c", UNPRIVILEGED, directory], check=True)
        assert (root / "file").read_bytes() == b"old"
