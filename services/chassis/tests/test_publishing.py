"""What is told of what happens: in order, bounded, and never at the cost of what happens."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perijove_chassis.errors import DomainError, InvalidArgument, Unavailable
from perijove_chassis.publishing import Publishing, PublishLimits
from prometheus_client import CollectorRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

QUICK = PublishLimits(between_s=0, first_pause_s=0.001, longest_pause_s=0.001)


@dataclass
class Receiver:
    """Takes what is sent, unless it is away or refuses it."""

    error: DomainError | None = None
    taken: list[int] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, items: Sequence[int], request_id: str) -> None:
        self.requests.append(request_id)
        self.asked.set()
        if self.error:
            raise self.error
        self.taken += items

    async def until(self, count: int) -> None:
        await until(lambda: len(self.taken) >= count)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - a counter tells nobody
            await asyncio.sleep(0)


def count(registry: CollectorRegistry, outcome: str) -> float | None:
    name = "perijove_events_published_total"
    return registry.get_sample_value(name, {"outcome": outcome})


async def test_items_are_sent_in_order_and_together() -> None:
    receiver, registry = Receiver(), CollectorRegistry()
    async with Publishing(receiver.send, registry, QUICK) as publishing:
        for number in range(500):
            publishing.put(number)
        await receiver.until(500)
    assert receiver.taken == list(range(500))
    assert len(receiver.requests) == 3
    assert count(registry, "sent") == 500


async def test_items_wait_for_a_receiver_that_is_away_and_are_one_request() -> None:
    receiver, registry = Receiver(Unavailable("away")), CollectorRegistry()
    async with Publishing(receiver.send, registry, QUICK) as publishing:
        publishing.put(1)
        await until(lambda: len(receiver.requests) >= 3)
        publishing.put(2)
        receiver.error = None
        await receiver.until(2)
    assert receiver.taken == [1, 2]
    *repeated, last = receiver.requests
    assert len(set(repeated)) == 1
    assert last not in repeated


async def test_the_newest_are_dropped_when_too_many_wait() -> None:
    receiver, registry = Receiver(Unavailable("away")), CollectorRegistry()
    limits = PublishLimits(waiting=10, between_s=0, first_pause_s=0.001, longest_pause_s=0.001)
    async with Publishing(receiver.send, registry, limits) as publishing:
        for number in range(25):
            publishing.put(number)
        assert count(registry, "dropped") == 15
        receiver.error = None
        await receiver.until(10)
        publishing.put(99)
        await receiver.until(11)
    assert receiver.taken == [*range(10), 99]


async def test_what_is_refused_is_dropped_and_the_rest_goes_on() -> None:
    receiver, registry = Receiver(InvalidArgument("no")), CollectorRegistry()
    async with Publishing(receiver.send, registry, QUICK) as publishing:
        publishing.put(1)
        await receiver.asked.wait()
        receiver.error = None
        publishing.put(2)
        await receiver.until(1)
    assert receiver.taken == [2]
    assert count(registry, "refused") == 1


async def test_a_receiver_that_always_fails_does_not_stop_the_rest() -> None:
    receiver, registry = Receiver(Unavailable("broken")), CollectorRegistry()
    limits = PublishLimits(together=1, between_s=0, first_pause_s=0.001, give_up_s=0)
    async with Publishing(receiver.send, registry, limits) as publishing:
        publishing.put(1)
        publishing.put(2)
        await until(lambda: count(registry, "dropped") == 1)
        receiver.error = None
        await receiver.until(1)
    assert receiver.taken == [2]


async def test_what_waits_is_sent_before_the_end() -> None:
    receiver = Receiver()
    async with Publishing(receiver.send, CollectorRegistry(), QUICK) as publishing:
        publishing.put(1)
    assert receiver.taken == [1]


async def test_the_end_does_not_wait_for_a_receiver_that_is_away() -> None:
    receiver = Receiver(Unavailable("away"))
    limits = PublishLimits(leave_s=0.01)
    async with asyncio.timeout(30):
        async with Publishing(receiver.send, CollectorRegistry(), limits) as publishing:
            publishing.put(1)
    assert receiver.taken == []
