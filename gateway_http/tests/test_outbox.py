"""What a client has sent, until a runner has taken it."""

from __future__ import annotations

import asyncio

from perijove.kernels.v1 import channels_pb2 as pb
from perijove_gateway_http.outbox import BATCH_BYTES, BATCH_MESSAGES, KEPT_BYTES, Outbox


def message(number: int, size: int = 0) -> pb.KernelMessage:
    return pb.KernelMessage(sequence=number, frames=[b"x" * size])


def numbers(messages: list[pb.KernelMessage]) -> list[int]:
    return [found.sequence for found in messages]


async def test_a_new_stream_gets_what_is_not_taken_in_order() -> None:
    outbox = Outbox(lambda: None)
    assert not outbox
    for number in range(1, 6):
        await outbox.put(message(number))
    assert numbers(outbox.batch()) == [1, 2, 3, 4, 5]
    assert outbox.batch() == []
    await outbox.put(message(6))
    outbox.confirm(2)
    outbox.rewind(3)
    assert numbers(outbox.batch()) == [4, 5, 6]
    outbox.confirm(6)
    assert not outbox
    assert outbox.taken == 6
    outbox.rewind(6)
    assert outbox.batch() == []


async def test_batches_are_bounded_and_a_large_message_travels_alone() -> None:
    outbox = Outbox(lambda: None)
    for number in range(BATCH_MESSAGES + 1):
        await outbox.put(message(number))
    await outbox.put(message(1000, BATCH_BYTES * 2))
    await outbox.put(message(1001))
    assert len(outbox.batch()) == BATCH_MESSAGES
    assert numbers(outbox.batch()) == [BATCH_MESSAGES]
    assert numbers(outbox.batch()) == [1000]
    assert numbers(outbox.batch()) == [1001]


async def test_a_client_waits_until_its_runner_has_taken_enough() -> None:
    worked = 0

    def work() -> None:
        nonlocal worked
        worked += 1

    outbox = Outbox(work)
    await outbox.put(message(1, KEPT_BYTES))
    waiting = asyncio.ensure_future(outbox.put(message(2)))
    await asyncio.sleep(0)
    assert worked == 1
    assert numbers(outbox.batch()) == [1]
    await asyncio.sleep(0)
    assert not waiting.done()
    outbox.confirm(1)
    await waiting
    assert worked == 2
    assert numbers(outbox.batch()) == [2]


async def test_a_closed_outbox_drops_all_and_lets_nobody_wait() -> None:
    outbox = Outbox(lambda: None)
    await outbox.put(message(1, KEPT_BYTES))
    waiting = asyncio.ensure_future(outbox.put(message(2)))
    await asyncio.sleep(0)
    outbox.close()
    await waiting
    assert not outbox
