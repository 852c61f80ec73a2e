"""The part of a journal that is on disk."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from perijove_chassis.errors import ResourceExhausted
from perijove_runner.backends import spool as spool_module
from perijove_runner.backends.spool import SpoolRoom
from perijove_runner.journal import EVERYONE, NOBODY, Record
from perijove_runner.snapshot import SpoolLimits
from perijove_runner.store import Stretch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perijove_runner.backends.spool import KernelSpool

ENTIRE = 1 << 30


def records(first: int, count: int, size: int = 10) -> list[Record]:
    return [Record(EVERYONE, b"%d:" % (first + n) + bytes(size)) for n in range(count)]


async def write(spool: KernelSpool, first: int, said: Sequence[Record], epoch: int = 1) -> None:
    assert await spool.write(said, Stretch(first, first + len(said), epoch, -1)) == len(said)


async def read_all(spool: KernelSpool, place: int) -> dict[int, Record]:
    """Return all that is kept from a place on."""
    found: dict[int, Record] = {}
    while (kept := spool.next_kept(place)) is not None:
        page = await spool.read(kept, 7, 1000)
        assert page
        found |= {kept + number: record for number, record in enumerate(page)}
        place = kept + len(page)
    return found


some_records = st.lists(
    st.builds(
        Record,
        st.sampled_from([EVERYONE, NOBODY, "a", "häß" * 80]),
        st.binary(max_size=2000),
        st.booleans(),
    ),
    min_size=1,
    max_size=20,
)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 2), some_records), max_size=8))
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_again_also_by_the_next_process(
    batches: list[tuple[int, int, list[Record]]],
) -> None:
    async def check() -> None:
        with tempfile.TemporaryDirectory() as directory:
            room = SpoolRoom(SpoolLimits())
            spool = room.spool(Path(directory) / "j")
            written, place, epoch = {}, 0, 0
            for skipped, more, said in batches:
                place, epoch = place + skipped, epoch + more - 1
                await write(spool, place, said, epoch)
                written |= {place + number: record for number, record in enumerate(said)}
                place += len(said)
            assert await read_all(spool, 0) == written
            following = room.spool(Path(directory) / "j")
            stretches = await following.take_over()
            assert await read_all(following, 0) == written
            assert sum(one.end - one.first for one in stretches) == len(written)
            assert following.size_bytes == spool.size_bytes
            await write(following, place, records(place, 3), epoch)
            assert len(await read_all(following, 0)) == len(written) + 3

    asyncio.run(check())


async def test_a_torn_record_does_not_count(tmp_path: Path) -> None:
    room = SpoolRoom(SpoolLimits())
    spool = room.spool(tmp_path / "j")
    await write(spool, 5, records(5, 4))
    (path,) = (tmp_path / "j").iterdir()
    for cut in range(1, 25):
        os.truncate(path, path.stat().st_size - 1)
        [stretch] = await room.spool(tmp_path / "j").take_over()
        assert (stretch.first, stretch.end) == (5, 8 if cut < 20 else 7)
    following = room.spool(tmp_path / "j")
    await following.take_over()
    await write(following, 7, records(7, 2))
    assert list((await read_all(following, 0)).values()) == records(5, 4)


async def test_the_oldest_goes_when_a_kernel_has_too_much(tmp_path: Path) -> None:
    room = SpoolRoom(SpoolLimits(kernel_bytes=20 << 20))
    spool = room.spool(tmp_path / "j")
    for first in range(0, 600, 10):
        await write(spool, first, records(first, 10, 100_000))
        assert spool.size_bytes <= 25 << 20
    kept = await read_all(spool, 0)
    assert max(kept) == 599
    assert sorted(kept) == list(range(min(kept), 600))
    await room.write(lambda: None)
    assert sum(path.stat().st_size for path in (tmp_path / "j").iterdir()) == spool.size_bytes


async def test_the_kernel_that_has_the_most_gives_first(tmp_path: Path) -> None:
    room = SpoolRoom(SpoolLimits(runner_bytes=30 << 20))
    small, large = room.spool(tmp_path / "a"), room.spool(tmp_path / "b")
    await write(small, 0, records(0, 10, 100_000))
    for first in range(0, 600, 10):
        await write(large, first, records(first, 10, 100_000))
    assert small.next_kept(0) == 0
    assert (large.next_kept(0) or 0) > 200
    assert small.size_bytes + large.size_bytes <= 35 << 20


async def test_what_is_too_old_goes(tmp_path: Path) -> None:
    room = SpoolRoom(SpoolLimits(age_s=100))
    spool = room.spool(tmp_path / "j")
    await write(spool, 0, records(0, 10))
    await write(spool, 20, records(20, 10))
    room.look()
    assert spool.next_kept(0) == 0
    spool._segments[0].changed -= 200
    room.look()
    assert spool.next_kept(0) == 20


async def test_there_are_not_too_many_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "_MOST_FILES", 5)
    spool = SpoolRoom(SpoolLimits()).spool(tmp_path / "j")
    for first in range(0, 20, 2):
        await write(spool, first, records(first, 1))
    assert list(await read_all(spool, 0)) == [10, 12, 14, 16, 18]


async def test_a_disk_that_takes_nothing_says_so_and_works_again(tmp_path: Path) -> None:
    spool = SpoolRoom(SpoolLimits()).spool(tmp_path / "j")
    (tmp_path / "j").write_bytes(b"in the way")
    with pytest.raises(ResourceExhausted):
        await write(spool, 0, records(0, 3))
    assert spool.next_kept(0) is None
    (tmp_path / "j").unlink()
    await write(spool, 0, records(0, 3))
    assert len(await read_all(spool, 0)) == 3


async def test_a_file_that_is_gone_is_not_kept_any_more(tmp_path: Path) -> None:
    spool = SpoolRoom(SpoolLimits()).spool(tmp_path / "j")
    await write(spool, 0, records(0, 3))
    await write(spool, 10, records(10, 3))
    (tmp_path / "j" / "0").unlink()
    assert not await spool.read(1, 10, ENTIRE)
    assert spool.next_kept(0) == 10


async def test_an_id_that_is_used_again_finds_nothing_of_before(tmp_path: Path) -> None:
    room = SpoolRoom(SpoolLimits())
    before = room.spool(tmp_path / "j")
    await write(before, 0, records(0, 3))
    before.remove(3600)
    again = room.spool(tmp_path / "j")
    await again.clear()
    assert await again.take_over() == []
    await write(again, 0, records(0, 2))
    again.remove(3600)
    room.close()
    assert not (tmp_path / "j").exists()
