"""Order in a directory, also where the system helps less than here."""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from perijove_chassis import errors
from perijove_contents.backends import locks
from perijove_contents.backends.atomic import AtomicFile
from perijove_contents.backends.leftovers import sweep
from perijove_contents.backends.locks import LOCK_NAME, lock_by_file, locked
from perijove_contents.backends.places import place_at
from perijove_contents.backends.renaming import rename_in_two_steps
from perijove_contents.model import EntryPath, Precondition

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perijove_contents.backends.filesystem import FilesystemStore
    from perijove_contents.backends.places import Place


def by_directory(held: ExitStack, place: Place) -> None:
    held.enter_context(locked(place))


def by_file(held: ExitStack, place: Place) -> None:
    held.callback(os.close, lock_by_file(place))


@pytest.mark.parametrize("hold", [by_directory, by_file])
def test_one_at_a_time_holds_a_directory(
    root: Path, hold: Callable[[ExitStack, Place], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, most, entered = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal inside, most
        for _ in range(20):
            with place_at(str(root / "a")) as place, ExitStack() as held:
                hold(held, place)
                with entered:
                    inside += 1
                    most = max(most, inside)
                with entered:
                    inside -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    monkeypatch.setattr(locks, "_LOCK_S", 0.01)
    with place_at(str(root / "a")) as place, ExitStack() as first, ExitStack() as second:
        hold(first, place)
        with pytest.raises(errors.Aborted):
            hold(second, place)


def test_nobody_waits_for_himself(root: Path) -> None:
    (root / "d").mkdir()
    with (
        place_at(str(root / "a")) as one,
        place_at(str(root / "b")) as two,
        place_at(str(root / "d" / "c")) as three,
        locked(three, two, one),
    ):
        pass


def test_a_lock_file_that_was_removed_locks_nobody_out(root: Path) -> None:
    with place_at(str(root / "a")) as place:
        first = lock_by_file(place)
        (root / LOCK_NAME).unlink()
        second = lock_by_file(place)
        os.close(first)
        assert os.fstat(second).st_nlink == 1
        os.close(second)


async def test_where_directories_cannot_be_locked_a_file_in_them_is(
    filesystem: FilesystemStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on NFS, whose locks are those of files open for writing."""
    flock = fcntl.flock

    def flock_of_files(fd: int, operation: int) -> None:
        if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError("bad file descriptor")
        flock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", flock_of_files)

    async def content(data: bytes) -> object:
        yield data

    path = EntryPath(("d", "a"))
    await filesystem.make_directory(path.parent)
    results = await asyncio.gather(
        *(
            filesystem.write(path, content(b"x"), required=Precondition(exists=False))  # type: ignore[arg-type]
            for _ in range(8)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(result, errors.Aborted) for result in results) == 7
    assert sorted(os.listdir(root / "d")) == [LOCK_NAME, "a"]
    assert sweep(str(root), older_than_s=-1) == 0
    await filesystem.copy_free(path.parent, EntryPath(()), iter(["e"]), max_bytes=100)
    assert os.listdir(root / "e") == ["a"]
    await filesystem.delete(path, even_full=False)
    await filesystem.delete(path.parent, even_full=False)
    assert os.listdir(root) == ["e"]


def test_a_rename_in_two_steps_replaces_nothing(root: Path) -> None:
    (root / "a").write_text("a")
    (root / "b").write_text("b")
    (root / "d").mkdir()
    with place_at(str(root / "a")) as source, place_at(str(root / "b")) as taken:
        with pytest.raises(FileExistsError):
            rename_in_two_steps(source, taken, is_locked=False)
        rename_in_two_steps(source, source.beside("c"), is_locked=False)
        with pytest.raises(FileExistsError):
            rename_in_two_steps(source.beside("d"), taken, is_locked=False)
        rename_in_two_steps(source.beside("d"), source.beside("e"), is_locked=False)
    assert sorted(os.listdir(root)) == ["b", "c", "e"]
    assert (root / "c").read_text() == "a"


def test_a_save_through_one_of_two_names_leaves_the_other_as_it_was(root: Path) -> None:
    """A file with two names cannot change whole and stay one: it becomes two."""
    (root / "a").write_text("old")
    (root / "b").hardlink_to(root / "a")
    file = AtomicFile(lambda: place_at(str(root / "a")), 0o600)
    file.write(b"new")
    file.replace()
    assert ((root / "a").read_text(), (root / "b").read_text()) == ("new", "old")


def test_a_replaced_file_keeps_what_else_is_said_about_it(root: Path) -> None:
    (root / "a").write_text("old")
    try:
        os.setxattr(root / "a", "user.origin", b"there")
    except OSError as error:
        pytest.skip(f"this filesystem keeps no attributes: {error}")
    file = AtomicFile(lambda: place_at(str(root / "a")), 0o600)
    file.write(b"new")
    file.replace()
    assert os.getxattr(root / "a", "user.origin") == b"there"
