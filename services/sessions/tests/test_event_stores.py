"""What every `EventStore` does: the one in memory and the one in Redis."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from perijove_chassis.watching import Position
from perijove_sessions.events.backends.memory import MemoryEventStore
from perijove_sessions.events.backends.redis import RedisEventStore
from perijove_sessions.events.model import Event
from perijove_sessions.events.store import Kept

from services.chassis.tests.redis_kinds import KINDS, redis_url_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from perijove_sessions.events.store import EventStore

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


@pytest.fixture(params=["memory", *KINDS])
async def make_store(request: pytest.FixtureRequest) -> AsyncIterator[Callable[..., EventStore]]:
    if request.param == "memory":
        yield lambda **kept: MemoryEventStore(Kept(**kept))
        return
    made: list[RedisEventStore] = []
    async with redis_url_of(request.param, request, "sessions") as url:

        def make(**kept: Any) -> EventStore:
            made.append(RedisEventStore(url, Kept(**kept)))
            return made[-1]

        yield make
        for store in made:
            await store.close()


@pytest.fixture
def store(make_store: Callable[..., EventStore]) -> EventStore:
    return make_store()


def event(number: int, *, size: int = 0) -> Event:
    data = msgspec.json.encode({"n": number, "ä": "x" * size})
    return Event("urn:s", "1", msgspec.Raw(data), NOW)


def events(*numbers: int) -> list[Event]:
    return [event(number) for number in numbers]


def numbers(found: tuple[Event, ...]) -> list[int]:
    return [msgspec.json.decode(one.data)["n"] for one in found]


async def test_what_is_published_is_read_once_in_its_order(store: EventStore) -> None:
    begin = await store.end()
    await store.append(events(1, 2), "a")
    last = await store.append(events(3), "b")
    page = await store.read(begin, 10)
    assert page.events == tuple(events(1, 2, 3))
    assert (page.position, page.gap, page.full) == (last, False, False)
    assert await store.end() == last
    page = await store.read(last, 10)
    assert (page.events, page.position, page.gap) == ((), last, False)


async def test_a_long_feed_is_read_in_pages(store: EventStore) -> None:
    position = await store.end()
    await store.append(events(*range(7)), "")
    found: list[int] = []
    full = True
    while full:
        page = await store.read(position, 3)
        found += numbers(page.events)
        position, full = page.position, page.full
        assert not page.gap
    assert found == list(range(7))


async def test_a_request_publishes_once(store: EventStore) -> None:
    begin = await store.end()
    first = await store.append(events(1), "a")
    await store.append(events(2), "b")
    assert await store.append(events(1), "a") == first
    assert numbers((await store.read(begin, 10)).events) == [1, 2]


async def test_a_request_is_forgotten_in_time_and_when_there_are_many(
    make_store: Callable[..., EventStore],
) -> None:
    store = make_store(requests=2)
    for name in "abc":
        await store.append(events(1), name)
    begin = await store.end()
    await store.append(events(3), "c")
    assert (await store.read(begin, 10)).events == ()
    await store.append(events(1), "a")
    assert numbers((await store.read(begin, 10)).events) == [1]
    at_once = make_store(requests_s=0)
    await at_once.append(events(1), "x")
    await at_once.append(events(1), "y")
    begin = await at_once.end()
    await at_once.append(events(1), "x")
    assert numbers((await at_once.read(begin, 10)).events) == [1]


async def test_events_without_a_request_are_published_each_time(store: EventStore) -> None:
    begin = await store.end()
    await store.append(events(1), "")
    await store.append(events(1), "")
    assert numbers((await store.read(begin, 10)).events) == [1, 1]


async def test_who_comes_back_too_late_is_told_of_a_gap(
    make_store: Callable[..., EventStore],
) -> None:
    store = make_store(events=3)
    begin = await store.end()
    first = await store.append(events(1), "")
    await store.append(events(2, 3, 4), "")
    late = await store.read(begin, 10)
    assert (numbers(late.events), late.gap) == ([2, 3, 4], True)
    just = await store.read(first, 10)
    assert (numbers(just.events), just.gap) == ([2, 3, 4], False)


async def test_the_feed_is_bounded_in_bytes_but_keeps_the_newest(
    make_store: Callable[..., EventStore],
) -> None:
    store = make_store(size_bytes=1000)
    begin = await store.end()
    await store.append([event(n, size=300) for n in range(5)], "")
    assert numbers((await store.read(begin, 10)).events) == [2, 3, 4]
    await store.append([event(9, size=5000)], "")
    assert numbers((await store.read(begin, 10)).events) == [9]
    await store.append(events(10), "")
    assert numbers((await store.read(begin, 10)).events) == [10]


async def test_a_place_in_another_feed_is_a_gap_before_all_that_is_there(
    store: EventStore,
) -> None:
    await store.append(events(1, 2), "")
    end = await store.end()
    page = await store.read(Position("another", end.number), 10)
    assert (numbers(page.events), page.gap, page.position) == ([1, 2], True, end)


async def test_a_place_behind_the_end_is_a_gap(store: EventStore) -> None:
    await store.append(events(1), "")
    end = await store.end()
    page = await store.read(Position(end.feed_id, end.number + 5), 10)
    assert (page.events, page.gap, page.position) == ((), True, end)


async def test_arrival_returns_when_something_arrives(store: EventStore) -> None:
    begin = await store.end()
    await store.arrival(begin, 0.05)
    waiting = asyncio.create_task(store.arrival(begin, 1.0))
    await store.append(events(1), "")
    await waiting
    await store.arrival(begin, 1.0)
    assert (await store.end()) != begin


async def test_a_new_feed_after_a_loss_is_a_gap(redis_url: str, valkey_socket: Path) -> None:
    store = RedisEventStore(redis_url)
    begin = await store.append(events(1, 2), "a")
    with redis.Redis(unix_socket_path=str(valkey_socket)) as client:
        client.flushall()
    page = await store.read(begin, 10)
    assert (page.events, page.gap) == ((), True)
    again = await store.read(page.position, 10)
    assert not again.gap
    await store.append(events(3), "b")
    missed = await store.read(begin, 10)
    assert (numbers(missed.events), missed.gap) == ([3], True)
    assert (await store.read(page.position, 10)).gap is False
    await store.close()


async def test_a_lost_end_of_the_feed_is_a_gap(redis_url: str, valkey_socket: Path) -> None:
    store = RedisEventStore(redis_url)
    kept = await store.append(events(1), "")
    lost = await store.append(events(2), "")
    with redis.Redis(unix_socket_path=str(valkey_socket), decode_responses=True) as client:
        # As after a failover to a replica that had not heard of the last event.
        client.xdel("{e}:feed", f"{lost.number}-0")
        client.hset("{e}:meta", "number", kept.number)
    await store.append(events(3), "")
    page = await store.read(lost, 10)
    assert (numbers(page.events), page.gap) == ([3], True)
    page = await store.read(kept, 10)
    assert (numbers(page.events), page.gap) == ([3], False)
    await store.close()


@given(st.data())
def test_who_resumes_misses_nothing_unless_told_and_sees_nothing_twice(data: st.DataObject) -> None:
    """Readers that stop and go on anywhere, while the feed is written to and trimmed."""

    async def follow() -> None:
        store = MemoryEventStore(Kept(events=data.draw(st.integers(1, 8))))
        readers = [(await store.end(), 0) for _ in range(3)]
        published = 0
        for _ in range(data.draw(st.integers(1, 25))):
            number = data.draw(st.integers(-1, 2))
            if number < 0:
                count = data.draw(st.integers(1, 5))
                await store.append(events(*range(published, published + count)), "")
                published += count
                continue
            position, seen = readers[number]
            page = await store.read(position, data.draw(st.integers(1, 4)))
            found = numbers(page.events)
            if found:
                assert found == list(range(found[0], found[0] + len(found)))
                assert page.gap == (found[0] != seen)
                assert found[0] >= seen
                seen = found[-1] + 1
            readers[number] = (page.position, seen)

    asyncio.run(follow())
