"""The journal and its places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from perijove.kernels.v1 import channels_pb2 as pb
from perijove_runner.backends.spool import KernelSpool, SpoolRoom
from perijove_runner.feed import Feed
from perijove_runner.journal import BATCH_BYTES, BATCH_MESSAGES, EVERYONE, NOBODY, Journal, Record
from perijove_runner.snapshot import RelayLimits, SpoolLimits

if TYPE_CHECKING:
    from pathlib import Path


def read_all(journal: Journal, place: int, who: str) -> list[bytes]:
    found: list[bytes] = []
    while place < journal.next_place:
        page = journal.read(place, who)
        assert page.next_place > place
        found += page.entries
        place = page.next_place
    return found


@given(
    st.lists(st.tuples(st.sampled_from([EVERYONE, NOBODY, "a", "b"]), st.integers(0, 300))),
    st.integers(1, 40),
    st.integers(200, 5000),
)
def test_the_journal_keeps_the_newest_within_its_limits(
    records: list[tuple[str | None, int]], most: int, most_bytes: int
) -> None:
    journal = Journal(max_bytes=most_bytes, max_records=most)
    for number, (audience, size) in enumerate(records):
        journal.append(Record(audience, b"%d:" % number + bytes(size)))
        kept = journal.next_place - journal.first_place
        assert 1 <= kept <= most
    assert journal.next_place == len(records)
    seen = [data.partition(b":")[0] for data in read_all(journal, journal.first_place, "a")]
    assert seen == [
        b"%d" % number
        for number, (audience, _) in enumerate(records)
        if number >= journal.first_place and audience in (EVERYONE, "a")
    ]


def test_the_journal_moves_on_over_many_more_records_than_it_keeps() -> None:
    journal = Journal(max_bytes=1 << 30, max_records=100)
    for number in range(50_000):
        journal.append(Record(EVERYONE, b"%d" % number))
    assert journal.first_place == 49_900
    assert len(journal._records) < 10_000
    assert read_all(journal, 49_990, "a") == [b"%d" % number for number in range(49_990, 50_000)]


def test_a_page_is_bounded_by_messages_and_bytes() -> None:
    journal = Journal(max_bytes=1 << 30, max_records=1 << 20)
    for _ in range(BATCH_MESSAGES + 1):
        journal.append(Record(EVERYONE, b"x"))
    assert len(journal.read(0, "a").entries) == BATCH_MESSAGES
    start = journal.next_place
    for _ in range(3):
        journal.append(Record(EVERYONE, bytes(BATCH_BYTES // 2)))
    journal.append(Record(EVERYONE, bytes(BATCH_BYTES * 2)))
    assert [len(journal.read(start + n, "a").entries) for n in range(4)] == [2, 2, 1, 1]


def test_a_whole_response_travels_alone() -> None:
    journal = Journal(max_bytes=1 << 20, max_records=100)
    for alone in (False, True, False):
        journal.append(Record(EVERYONE, b"x", alone=alone))
    pages = [journal.read(place, "a") for place in range(3)]
    assert [(len(page.entries), page.alone) for page in pages] == [
        (1, False),
        (1, True),
        (1, False),
    ]


@pytest.fixture
def spool(tmp_path: Path) -> KernelSpool:
    return SpoolRoom(SpoolLimits()).spool(tmp_path / "j")


def feed_of(spool: KernelSpool, limits: RelayLimits | None = None) -> Feed:
    """Return a feed that nobody has to wait for."""
    feed = Feed(limits or RelayLimits(), spool, lambda: feed.present)
    return feed


def responses(feed: Feed, place: int, who: str = "a") -> list[pb.ConnectResponse]:
    found = []
    if place < feed.first:
        found += feed.gaps.between(place, feed.first)
        place = feed.first
    while place < feed.present:
        response, place = feed.read(place, who)
        if response:
            found.append(response)
    return [pb.ConnectResponse.FromString(response) for response in found]


async def test_a_gap_over_a_restart_names_both_epochs(spool: KernelSpool) -> None:
    feed = feed_of(spool, RelayLimits(journal_messages=5))
    feed.begin_epoch(1)
    for _ in range(10):
        feed.publish(2, [b"{}"] * 4, EVERYONE)
    start = feed.place(1, 4)
    assert start is not None
    feed.begin_epoch(2)
    for _ in range(10):
        feed.publish(2, [b"{}"] * 4, EVERYONE)
    first, begun, second, batch = responses(feed, start + 1)
    assert (first.gap.epoch, first.gap.first_sequence, first.gap.last_sequence) == (1, 5, 10)
    assert begun.epoch_begun.epoch == 2
    assert (second.gap.epoch, second.gap.first_sequence, second.gap.last_sequence) == (2, 1, 5)
    assert [message.sequence for message in batch.batch.messages] == [6, 7, 8, 9, 10]


async def test_numbers_after_an_adoption_are_above_all_before(spool: KernelSpool) -> None:
    feed = feed_of(spool)
    await feed.adopt(3, 100_000)
    feed.publish(2, [b"{}"] * 4, EVERYONE)
    place = feed.place(3, 70)
    assert place is not None
    gap, batch = responses(feed, place + 1)
    assert (gap.gap.first_sequence, gap.gap.last_sequence) == (71, 100_000)
    assert gap.gap.cause == pb.GAP_CAUSE_RUNNER_RESTARTED
    assert [message.sequence for message in batch.batch.messages] == [100_001]


async def test_a_place_that_never_was_is_none(spool: KernelSpool) -> None:
    feed = feed_of(spool)
    feed.begin_epoch(2)
    feed.publish(2, [b"{}"] * 4, EVERYONE)
    assert feed.place(2, 1) == 0
    assert feed.place(2, 2) is None
    assert feed.place(3, 1) is None
    assert feed.is_older(1)
