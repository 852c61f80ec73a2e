"""Pages of a journal, read without a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest
from perijove.kernels.v1 import channels_pb2 as pb
from perijove_runner.backends.spool import SpoolRoom
from perijove_runner.snapshot import RelayLimits, SpoolLimits

from services.runner.tests.test_spilling import Talk
from tests.relays import IpyKernel, connected, read_journal, relay_of, served, text

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024
LIMITS = RelayLimits(journal_memory_bytes=2 * MIB)
PRINTING = "for i in range(300): print(f'{i:06}' + 'x' * 100_000, flush=True)"


def request_of(gap: pb.Gap, client_session_id: str) -> pb.ReadJournalRequest:
    """Return the request for the first page of a gap."""
    after = pb.ResumePoint(epoch=gap.epoch, sequence=gap.first_sequence - 1)
    return pb.ReadJournalRequest(
        kernel_id="k",
        client_session_id=client_session_id,
        after=after,
        last_sequence=gap.last_sequence,
    )


@pytest.mark.parametrize("kernel_bytes", [256 * MIB, 10 * MIB])
async def test_what_a_client_skips_is_read_from_the_journal_or_known_to_be_lost(
    kernel: IpyKernel, kernel_bytes: int
) -> None:
    room = SpoolRoom(SpoolLimits(kernel_bytes=kernel_bytes))
    async with (
        relay_of(kernel, LIMITS, room=room) as relay,
        served(relay) as address,
        connected(address) as connect,
        grpc.aio.insecure_channel(
            address, options=(("grpc.max_receive_message_length", 64 * MIB),)
        ) as channel,
    ):
        slow, quick = connect("slow"), connect("quick")
        await slow.attach(skips_spooled=True)
        await quick.attach()
        messages = await quick.run(PRINTING)
        seen = await slow.until_done(await slow.execute("print('end')"))
        assert text(seen).endswith("end\n")
        gaps = [other.gap for other in slow.others]
        assert {gap.cause for gap in gaps} == {pb.GAP_CAUSE_SPOOLED}
        lost = set()
        for gap in gaps:
            async for page in read_journal(channel, request_of(gap, "slow")):
                seen += page.batch.messages
                first, last = page.gap.first_sequence, page.gap.last_sequence
                lost |= set(range(first, last + 1)) if first else set()
        assert bool(lost) == (kernel_bytes < 30 * MIB)
        numbers = [message.sequence for message in seen]
        assert len(set(numbers)) == len(numbers)
        public = {m.sequence: m for m in messages if m.channel == pb.CHANNEL_IOPUB}
        got = {message.sequence: message for message in seen}
        missing = {n for n in public if n > slow.attached.sequence} - set(got)
        assert missing <= lost
        assert not lost & set(got)
        assert all(got[number] == public[number] for number in set(got) & set(public))


async def page_of(talk: Talk, after: tuple[int, int], last: int = 0) -> pb.ReadJournalResponse:
    from perijove_runner.paging import read_page

    return await read_page(talk.feed, "a", after, last)


async def test_pages_pass_over_epochs_and_gaps(tmp_path: Path) -> None:
    talk = Talk(tmp_path / "j")
    talk.feed.begin_epoch(1)
    talk.say(3)
    await talk.feed.flush()
    talk = Talk(tmp_path / "j")
    await talk.feed.adopt(1, 100)
    talk.say(2)
    talk.feed.begin_epoch(2)
    talk.say(2)
    told, point, at_end = [], (1, 1), False
    while not at_end:
        page = await page_of(talk, point)
        point, at_end = (page.next.epoch, page.next.sequence), page.at_end
        told.append((page.WhichOneof("payload"), point))
    assert told == [
        ("batch", (1, 3)),
        ("gap", (1, 100)),
        ("batch", (1, 102)),
        ("epoch_begun", (2, 0)),
        ("batch", (2, 2)),
    ]
    assert await page_of(talk, (2, 2)) == pb.ReadJournalResponse(
        next=pb.ResumePoint(epoch=2, sequence=2), at_end=True
    )


async def test_a_page_ends_where_the_reader_wants(tmp_path: Path) -> None:
    talk = Talk(tmp_path / "j")
    talk.feed.begin_epoch(1)
    talk.say(10)
    page = await page_of(talk, (1, 2), 5)
    assert [message.sequence for message in page.batch.messages] == [3, 4, 5]
    assert page.at_end
    assert page.next.sequence == 5
    unknown = await page_of(talk, (7, 2))
    assert unknown.gap.cause == pb.GAP_CAUSE_UNKNOWN_RESUME_POINT
    assert unknown.at_end
