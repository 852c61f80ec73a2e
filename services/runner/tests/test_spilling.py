"""What moves from memory to disk, and when."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from perijove.kernels.v1 import channels_pb2 as pb
from perijove_runner.backends.spool import SpoolRoom
from perijove_runner.feed import Feed
from perijove_runner.journal import EVERYONE
from perijove_runner.snapshot import RelayLimits, SpoolLimits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 1024 * 1024
LIMITS = RelayLimits(journal_memory_bytes=2 * MIB, journal_bytes=8 * MIB)


class Talk:
    """A kernel that says things, and a client that has acknowledged some."""

    def __init__(self, directory: Path, limits: RelayLimits = LIMITS) -> None:
        self.room = SpoolRoom(SpoolLimits())
        self.spool = self.room.spool(directory)
        self.acked = 0
        self.feed = Feed(limits, self.spool, lambda: self.acked)
        self.said = 0

    def say(self, count: int, size: int = 100) -> None:
        for _ in range(count):
            self.feed.publish(2, [b"{}", b"{}", b"{}", b"x" * size], EVERYONE)
            self.said += 1

    async def heard(self, place: int = 0) -> tuple[list[int], list[pb.Gap]]:
        """Read to the present; return the numbers of messages, and the gaps."""
        numbers, gaps = [], []
        while place < self.feed.present:
            if place >= self.feed.in_memory_from:
                found = self.feed.read(place, "a")
            else:
                found = await self.feed.read_older(place, "a")
            if found is None:
                following = self.feed.next_kept(place)
                assert following > place
                gaps += map(gap_of, self.feed.gaps.between(place, following))
                place = following
                continue
            response, place = found
            batch = pb.ConnectResponse.FromString(response).batch
            numbers += [message.sequence for message in batch.messages]
        return numbers, gaps

    async def until_written(self, place: int) -> None:
        """Wait until all before a place is on disk."""
        async with asyncio.timeout(30):
            while self.feed._spilling._written < place:  # noqa: ASYNC110 - a thread sets no event
                await asyncio.sleep(0.01)


def gap_of(response: bytes) -> pb.Gap:
    return pb.ConnectResponse.FromString(response).gap


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    talk = Talk(tmp_path / "j")
    talk.feed.begin_epoch(1)
    return talk


@pytest.fixture
def slow_disk(talk: Talk) -> Iterator[threading.Event]:
    """Let nothing be written until the event is set."""
    go = threading.Event()
    talk.room._writer.submit(go.wait)
    yield go
    go.set()


async def test_what_nobody_waits_for_is_not_written(talk: Talk) -> None:
    for _ in range(300):
        talk.say(1)
        talk.acked = talk.feed.present
        await asyncio.sleep(0.001)
    assert talk.spool.next_kept(0) is None
    assert talk.feed.in_memory_from == 0


async def test_what_is_waited_for_is_soon_on_disk(talk: Talk) -> None:
    talk.say(10)
    await talk.until_written(10)
    assert talk.spool.next_kept(0) == 0


async def test_memory_is_bounded_and_all_is_still_there(talk: Talk) -> None:
    for _ in range(100):
        talk.say(10, 50_000)
        await asyncio.sleep(0)
        assert talk.feed._journal.size_bytes <= 8 * MIB
        await talk.until_written(talk.feed.present - 30)
    assert talk.feed._journal.size_bytes <= 3 * MIB
    assert await talk.heard() == (list(range(1, 1001)), [])


async def test_what_was_written_outlives_the_process(talk: Talk, tmp_path: Path) -> None:
    talk.say(50)
    talk.feed.begin_epoch(2)
    talk.say(70)
    await talk.until_written(121)
    talk.say(5)  # nobody knows of these after a kill
    following = Talk(tmp_path / "j")
    await following.feed.adopt(2, 100_000)
    following.say(2)
    numbers, [gap] = await following.heard()
    assert numbers == [*range(1, 51), *range(1, 71), 100_001, 100_002]
    assert (gap.epoch, gap.first_sequence, gap.last_sequence) == (2, 71, 100_000)
    assert gap.cause == pb.GAP_CAUSE_RUNNER_RESTARTED
    point = following.feed.place(1, 30)
    assert point is not None
    assert (await following.heard(point + 1))[0][0] == 31


async def test_an_orderly_end_leaves_all_that_is_waited_for(talk: Talk, tmp_path: Path) -> None:
    talk.say(3, 6 * MIB // 3)
    talk.say(40)
    await talk.feed.flush()
    following = Talk(tmp_path / "j")
    await following.feed.adopt(1, 100)
    assert await following.heard() == (list(range(1, 44)), _gaps(44, 100))


async def test_two_ends_leave_two_gaps(talk: Talk, tmp_path: Path) -> None:
    talk.say(3)
    await talk.feed.flush()
    second = Talk(tmp_path / "j")
    await second.feed.adopt(1, 100)
    second.acked = second.feed.begun_at
    second.say(3)
    await second.feed.flush()
    third = Talk(tmp_path / "j")
    await third.feed.adopt(1, 200)
    third.say(1)
    numbers, gaps = await third.heard()
    assert numbers == [1, 2, 3, 101, 102, 103, 201]
    assert gaps == [*_gaps(4, 100), *_gaps(104, 200)]


async def test_a_slow_disk_costs_memory_up_to_the_limit_then_a_gap(
    talk: Talk, slow_disk: threading.Event
) -> None:
    for _ in range(400):
        talk.say(1, 50_000)
        await asyncio.sleep(0)
        assert talk.feed._journal.size_bytes <= 8 * MIB
    slow_disk.set()
    await talk.until_written(talk.feed.present - 40)
    numbers, gaps = await talk.heard()
    missing = [n for gap in gaps for n in range(gap.first_sequence, gap.last_sequence + 1)]
    assert missing
    assert {gap.cause for gap in gaps} == {pb.GAP_CAUSE_JOURNAL_LIMIT}
    assert sorted(numbers + missing) == list(range(1, 401))
    assert numbers == sorted(numbers)


async def test_a_full_disk_is_a_gap_until_there_is_room_again(
    talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perijove_runner.spilling._TRY_AGAIN_S", 0.05)
    (tmp_path / "j").write_bytes(b"in the way")
    for _ in range(400):
        talk.say(1, 50_000)
        await asyncio.sleep(0)
    assert talk.feed._journal.size_bytes <= 8 * MIB
    (tmp_path / "j").unlink()
    talk.say(10)
    await talk.until_written(talk.feed.present)
    numbers, [gap] = await talk.heard()
    assert gap.first_sequence == 1
    assert numbers == list(range(gap.last_sequence + 1, 411))


def _gaps(first: int, last: int) -> list[pb.Gap]:
    return [
        pb.Gap(
            epoch=1,
            first_sequence=first,
            last_sequence=last,
            cause=pb.GAP_CAUSE_RUNNER_RESTARTED,
            message="What the kernel said while its runner was restarted is lost.",
        )
    ]


async def test_more_waits_for_the_disk_only_as_long_as_it_gets_on(
    talk: Talk, slow_disk: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk.say(1)
    assert not talk.feed.is_pressed()
    talk.say(120, 50_000)
    await asyncio.sleep(0)  # for the write to begin
    assert talk.feed.is_pressed()
    monkeypatch.setattr("perijove_runner.spilling._PROGRESS_S", 0.0)
    assert not talk.feed.is_pressed()
    monkeypatch.undo()
    slow_disk.set()
    await talk.until_written(100)
    assert not talk.feed.is_pressed()
