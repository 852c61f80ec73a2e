"""Small parts of a runner by themselves."""

import os
from pathlib import Path

import pytest
from perijove_runner.backends import notes
from perijove_runner.backends.layout import StateLayout
from perijove_runner.backends.memory import OutOfMemory
from perijove_runner.backends.processes import LocalProcess, open_process
from perijove_runner.backends.procfs import boot_id, start_ticks
from perijove_runner.changes import INTERVAL_S, ChangeFeed, Changes
from perijove_runner.model import ExecutionState, Kernel, ProcessExit, ProcessMark


async def test_the_first_change_is_told_at_once_and_the_next_after_an_interval() -> None:
    now = 100.0
    feed = ChangeFeed(clock=lambda: now)
    for kernel_id in ("a", "b", "a"):
        feed.kernel_changed(kernel_id)
    assert await feed.take(0) == Changes(("a", "b"))
    for _ in range(3):
        feed.kernel_changed("a")
    feed.kernel_changed("c")
    assert await feed.take(0) == Changes(("c",))
    assert await feed.take(0) == Changes()
    now += INTERVAL_S
    assert await feed.take(0) == Changes(("a",))


async def test_kernels_that_are_told_again_are_told_together() -> None:
    now = 100.0
    feed = ChangeFeed(clock=lambda: now)
    for kernel_id in ("a", "b", "c"):
        feed.kernel_changed(kernel_id)
        assert await feed.take(0) == Changes((kernel_id,))
        feed.kernel_changed(kernel_id)
        now += INTERVAL_S / 4
    assert await feed.take(0) == Changes()
    now = 100.0 + INTERVAL_S
    assert await feed.take(0) == Changes(("a", "b", "c"))


async def test_a_gone_kernel_is_told_at_once_and_once() -> None:
    feed = ChangeFeed(clock=lambda: 100.0)
    kernel = Kernel("a", "python3", ExecutionState.DEAD, 0.0, 0, 1, 0.0, {}, None, 1)
    feed.kernel_changed("a")
    feed.kernel_gone(kernel)
    assert await feed.take(0) == Changes(gone=(kernel,))
    assert await feed.take(0) == Changes()


async def test_a_reader_that_begins_anew_is_told_nothing_of_before() -> None:
    feed = ChangeFeed(clock=lambda: 100.0)
    feed.kernel_changed("a")
    feed.kernelspecs_changed()
    feed.begin()
    assert await feed.take(0) == Changes()


@pytest.mark.parametrize(("ticks", "boot"), [(1, ""), (0, "another boot")])
async def test_another_process_with_the_pid_is_not_taken_for_the_kernel(
    tmp_path: Path, ticks: int, boot: str
) -> None:
    mine = start_ticks(os.getpid())
    assert mine
    mark = ProcessMark(os.getpid(), mine + ticks, boot or boot_id())
    note = tmp_path / "note"
    notes.make(note)
    notes.write(note, exit_code=None, signal=11)
    process = open_process(mark, note, OutOfMemory(None))
    assert not isinstance(process, LocalProcess)
    process.kill()
    assert await process.wait() == ProcessExit(signal=11)
    assert not note.exists()


def test_a_note_is_written_only_for_a_process_that_has_one(tmp_path: Path) -> None:
    notes.write(tmp_path / "1.2", exit_code=0, signal=None)
    assert list(tmp_path.iterdir()) == []
    notes.make(tmp_path / "1.2")
    assert notes.read(tmp_path / "1.2") is None
    notes.write(tmp_path / "1.2", exit_code=0, signal=None)
    assert notes.read(tmp_path / "1.2") == (0, None)


def test_a_state_directory_too_deep_for_sockets_is_refused() -> None:
    fits = "/" + "x" * 80
    StateLayout(fits).socket_base("a")
    longest = max(
        len(f"{StateLayout(fits).socket_base(kernel_id)}-5") for kernel_id in ("a", "b" * 64)
    )
    with pytest.raises(ValueError, match="1 bytes too long"):
        StateLayout(fits + "x" * (103 - longest + 1))
