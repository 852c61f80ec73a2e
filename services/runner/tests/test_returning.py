"""Clients that were away, and what they get when they are back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest
from perijove.kernels.v1 import channels_pb2 as pb
from perijove_runner.backends.spool import SpoolRoom
from perijove_runner.snapshot import RelayLimits, SpoolLimits

from tests.relays import IpyKernel, connected, content, header, kind, relay_of, served, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.relays import Client

    Connect = Callable[[str], Client]


def no_room() -> SpoolRoom:
    """Return a disk that keeps nothing: else one that is fast enough keeps all."""
    return SpoolRoom(SpoolLimits(kernel_bytes=0))


async def test_a_client_that_comes_back_gets_every_number_once(connect: Connect) -> None:
    client = connect("a")
    await client.attach()
    code = "import time\nfor i in range(300): print(i, flush=True); time.sleep(0.005)"
    asked = await client.execute(code)
    printed = ""
    for _ in range(6):
        for _ in range(40):
            message = await client.next()
            printed += text([message])
            await client.ack(message.sequence)
        # Only what was acknowledged counts, and the acknowledgement must arrive.
        await client.call.done_writing()
        while await client.call.read() is not grpc.aio.EOF:
            pass
        client = connect("a")
        attached = await client.attach()
        assert attached.resumed
        assert attached.sequence == message.sequence
    printed += text(await client.until_done(asked))
    assert printed.split() == [str(number) for number in range(300)]
    assert client.others == []


async def test_a_resume_point_counts_more_than_acknowledgements(connect: Connect) -> None:
    client = connect("a")
    await client.attach()
    messages = await client.run("for i in range(20): print(i, flush=True)")
    await client.ack(messages[-1].sequence)
    again = connect("b")
    attached = await again.attach(resume=(1, messages[3].sequence))
    assert attached.resumed
    assert attached.sequence == messages[3].sequence
    shared = [m.sequence for m in messages[4:] if m.channel == pb.CHANNEL_IOPUB]
    assert [(await again.next()).sequence for _ in shared] == shared


@pytest.mark.parametrize("epoch", [0, 7])
async def test_an_unknown_resume_point_is_a_gap(connect: Connect, epoch: int) -> None:
    client = connect("a")
    await client.attach(resume=(epoch, 5))
    await client.run("pass")
    [gap] = [other.gap for other in client.others]
    assert gap.cause == pb.GAP_CAUSE_UNKNOWN_RESUME_POINT
    assert (gap.epoch, gap.first_sequence) == (epoch, 6)


async def test_a_slow_client_gets_a_gap_and_nobody_waits_for_it(kernel: IpyKernel) -> None:
    limits = RelayLimits(journal_bytes=4 * 1024 * 1024)
    async with (
        relay_of(kernel, limits, room=no_room()) as relay,
        served(relay) as address,
        connected(address) as connect,
    ):
        slow, quick = connect("slow"), connect("quick")
        await slow.attach()
        await quick.attach()
        # Far more than the journal and the buffers of the stream hold.
        await quick.run("for i in range(300): print('x' * 100_000, flush=True)")
        seen = await slow.until_done(await slow.execute("print('end')"))
        assert text(seen).endswith("end\n")
        gaps = [other.gap for other in slow.others]
        assert {gap.cause for gap in gaps} == {pb.GAP_CAUSE_JOURNAL_LIMIT}
        missing = {n for g in gaps for n in range(g.first_sequence, g.last_sequence + 1)}
        got = [message.sequence for message in seen]
        assert got == sorted(got)
        assert not missing & set(got)
        # Nothing is missing without a word, but for what only others see.
        hidden = set(range(slow.attached.sequence + 1, got[-1])) - missing - set(got)
        assert len(hidden) <= 2


async def test_an_unanswered_question_is_asked_again_once_the_journal_has_dropped_it(
    kernel: IpyKernel,
) -> None:
    limits = RelayLimits(journal_messages=20)
    async with (
        relay_of(kernel, limits, room=no_room()) as relay,
        served(relay) as address,
        connected(address) as connect,
    ):
        client = connect("a")
        await client.attach()
        asked = await client.execute(
            "import threading, time\n"
            "def talk():\n"
            "    for i in range(60): print(i, flush=True)\n"
            "input('who? ')",
            allow_stdin=True,
        )
        await client.until(("input_request", asked))
        client.call.cancel()
        # Asked during the cell that waits, by another client.
        other = connect("b")
        await other.attach()
        for _ in range(8):
            shown = await other.send(pb.CHANNEL_CONTROL, "kernel_info_request", {})
            await other.until(("kernel_info_reply", shown))
        again = connect("a")
        await again.attach()
        [*_, question] = await again.until(("input_request", asked))
        await again.send(pb.CHANNEL_STDIN, "input_reply", {"value": "Io"}, parent=header(question))
        await again.until(("execute_reply", asked))


async def test_the_end_of_a_request_is_told_again_once_the_journal_has_dropped_it(
    kernel: IpyKernel,
) -> None:
    limits = RelayLimits(journal_messages=20)
    async with (
        relay_of(kernel, limits, room=no_room()) as relay,
        served(relay) as address,
        connected(address) as connect,
    ):
        client = connect("a")
        await client.attach()
        asked = await client.execute("import time; time.sleep(0.5)")
        await client.until(("execute_input", asked))
        client.call.cancel()
        other = connect("b")
        await other.attach()
        for _ in range(8):
            shown = await other.send(pb.CHANNEL_SHELL, "kernel_info_request", {})
            await other.until_done(shown)
        again = connect("a")
        await again.attach()
        messages = await again.until_done(asked)
        [reply] = [message for message in messages if kind(message) == "execute_reply"]
        assert content(reply)["status"] == "ok"
        assert {other.gap.cause for other in again.others} == {pb.GAP_CAUSE_JOURNAL_LIMIT}
