"""The processes that convert, with real ones: what they make, their limits, their ends."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from perijove_chassis.errors import (
    DeadlineExceeded,
    FailedPrecondition,
    ResourceExhausted,
    Unavailable,
)
from perijove_contents.conversion.backends.scratch import Scratch, sweep
from perijove_contents.conversion.model import Task

from services.contents.tests.conversions import (
    MIB,
    made,
    notebook,
    pid_of,
    pool_of,
    surround,
    until,
    workers,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from perijove_contents.backends.threads import Threads
    from perijove_contents.conversion.backends.pool import WorkerPool


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    surround(monkeypatch, tmp_path)


@pytest.fixture
async def pool(tmp_path: Path, threads: Threads) -> AsyncIterator[WorkerPool]:
    async with pool_of(tmp_path, threads) as pool:
        yield pool


async def test_one_worker_serves_many_and_is_replaced_in_time(
    tmp_path: Path, threads: Threads
) -> None:
    async with pool_of(tmp_path, threads, conversions=2) as pool:
        first, second, third = [await pid_of(pool) for _ in range(3)]
    assert first == second
    assert second != third


async def test_a_worker_that_has_nothing_to_do_ends(tmp_path: Path, threads: Threads) -> None:
    async with pool_of(tmp_path, threads, idle_s=0.01) as pool:
        assert workers() == []
        await pool.exporters()
        await until(lambda: not workers())
        await pid_of(pool)


async def test_a_conversion_that_hangs_is_ended_with_all_it_started(
    tmp_path: Path, threads: Threads
) -> None:
    async with pool_of(tmp_path, threads, timeout_s=2) as pool:
        await pool.exporters()
        converting = asyncio.ensure_future(made(pool, "odd_hang"))
        await until(lambda: len(workers()) == 2)
        worker, program = workers()
        with pytest.raises(DeadlineExceeded) as caught:
            await converting
        assert caught.value.reason == "CONVERSION_TOO_SLOW"
        await until(lambda: not (worker.is_running() or program.is_running()))
        await pid_of(pool)


async def test_who_goes_away_ends_his_conversion(pool: WorkerPool) -> None:
    await pool.exporters()
    converting = asyncio.ensure_future(made(pool, "odd_hang"))
    await until(lambda: len(workers()) == 2)
    converting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await converting
    await until(lambda: not workers())


async def test_who_goes_away_while_a_worker_starts_leaves_nothing(pool: WorkerPool) -> None:
    asking = asyncio.ensure_future(pool.exporters())
    await until(workers)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(lambda: not workers())
    assert await pool.exporters()


async def test_too_many_conversions_are_refused(tmp_path: Path, threads: Threads) -> None:
    async with pool_of(tmp_path, threads, waiting=1) as pool:
        await pool.exporters()
        converting = [asyncio.ensure_future(made(pool, "odd_hang")) for _ in range(2)]
        await until(lambda: len(workers()) == 2)
        with pytest.raises(ResourceExhausted, match="too many"):
            await made(pool, "html")
        for one in converting:
            one.cancel()
        await asyncio.gather(*converting, return_exceptions=True)
        await made(pool, "html")


async def test_a_crash_is_one_failed_conversion(pool: WorkerPool) -> None:
    before = await pid_of(pool)
    with pytest.raises(FailedPrecondition) as caught:
        await made(pool, "odd_crash")
    assert caught.value.reason == "CONVERSION_FAILED"
    killed = await pid_of(pool)
    assert killed != before
    worker = psutil.Process(killed)
    worker.kill()
    # Only then are its files closed; it has no command line before that.
    await until(lambda: worker.status() == psutil.STATUS_ZOMBIE)
    assert await pid_of(pool) != killed


async def test_an_output_has_a_limit(tmp_path: Path, threads: Threads) -> None:
    async with pool_of(tmp_path, threads, max_output_bytes=MIB) as pool:
        output, data = await made(pool, "odd_large", notebook(MIB))
        assert output.size_bytes == len(data) == MIB
        with pytest.raises(ResourceExhausted) as caught:
            await made(pool, "odd_large", notebook(MIB + 1))
        assert caught.value.reason == "LIMIT_EXCEEDED"


async def test_memory_has_a_limit(tmp_path: Path, threads: Threads) -> None:
    async with pool_of(tmp_path, threads, max_memory_bytes=512 * MIB) as pool:
        before = await pid_of(pool)
        with pytest.raises(ResourceExhausted, match="memory") as caught:
            await made(pool, "odd_hungry", notebook(512 * MIB))
        assert caught.value.reason == "LIMIT_EXCEEDED"
        assert await pid_of(pool) != before


async def test_a_notebook_that_does_not_arrive_holds_nobody_up(
    tmp_path: Path, threads: Threads
) -> None:
    async def trickle() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with pool_of(tmp_path, threads, timeout_s=0.5) as pool:
        with pytest.raises(DeadlineExceeded, match="arrive"):
            await pool.convert(Task("html", "moons"), trickle())
        assert workers() == []


async def test_a_worker_that_cannot_start_is_said_to_be_unavailable(
    tmp_path: Path, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pool_of(tmp_path, threads) as pool:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
        with pytest.raises(Unavailable):
            await pool.exporters()
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        monkeypatch.setattr(sys, "executable", "/bin/false")
        with pytest.raises(Unavailable):
            await pool.exporters()
        monkeypatch.undo()
        assert await pool.exporters()


async def test_a_worker_ends_with_who_started_it(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys\n"
        "from perijove_contents.backends.threads import Threads\n"
        "from perijove_contents.conversion.backends.pool import Limits, WorkerPool\n"
        "async def main():\n"
        "    async with WorkerPool(Threads(2, 'x'), sys.argv[1], Limits()) as pool:\n"
        "        await pool.exporters()\n"
        "        print('ready', flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout
    assert b"worker ready" in await parent.stdout.readline()
    assert await parent.stdout.readline() == b"ready\n"
    (worker,) = psutil.Process(parent.pid).children()
    parent.kill()
    await parent.wait()
    await until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)


def test_only_what_a_crash_left_is_swept(tmp_path: Path) -> None:
    used = Scratch()
    left = Path(tempfile.mkdtemp(prefix="perijove-conversion-"))
    (left / "x").touch()
    young = Path(tempfile.mkdtemp(prefix="perijove-conversion-"))
    for path in (used.location, left):
        os.utime(path, (0, 0))
    sweep()
    assert not left.exists()
    assert set(tmp_path.iterdir()) == {young, Path(used.location)}
    used.remove()
