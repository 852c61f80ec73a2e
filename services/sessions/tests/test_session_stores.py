"""What every `SessionStore` does: the one in memory and the one in Redis."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from perijove_chassis import errors
from perijove_chassis.watching import Position
from perijove_sessions.backends.memory import MemorySessionStore
from perijove_sessions.backends.redis import RedisSessionStore
from perijove_sessions.model import Claim, Session

from services.chassis.tests.redis_kinds import KINDS, redis_url_of
from services.kernels.tests.replicas import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from perijove_sessions.store import SessionStore

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
HOLD_S = 120.0
numbers = itertools.count()


@pytest.fixture(params=["memory", *KINDS])
async def make_store(
    request: pytest.FixtureRequest,
) -> AsyncIterator[Callable[[float], SessionStore]]:
    if request.param == "memory":
        yield MemorySessionStore
        return
    made: list[RedisSessionStore] = []
    async with redis_url_of(request.param, request, "sessions") as url:

        def make(hold_s: float) -> SessionStore:
            made.append(RedisSessionStore(url, hold_s))
            return made[-1]

        yield make
        for store in made:
            await store.close()


@pytest.fixture
def store(make_store: Callable[[float], SessionStore]) -> SessionStore:
    return make_store(HOLD_S)


def claim(path: str = "ä b.ipynb", **fields: Any) -> Claim:
    number = next(numbers)
    session = Session(f"s{number}", path, "ä b", "notebook", f"k{number}", NOW)
    return Claim(replace(session, **fields), "python3", fresh=True)


async def made(store: SessionStore, path: str = "a") -> Session:
    wanted = claim(path)
    assert await store.claim(wanted) == wanted
    assert await store.commit(wanted) == (wanted.session, True)
    return wanted.session


async def test_a_claimed_path_becomes_a_session_once(store: SessionStore) -> None:
    wanted = claim(name=None)
    assert await store.claim(wanted) == wanted
    assert await store.at_path(wanted.session.path) is None
    assert await store.commit(wanted) == (wanted.session, True)
    assert await store.commit(wanted) == (wanted.session, False)
    assert await store.get(wanted.session.session_id) == wanted.session
    assert await store.at_path(wanted.session.path) == wanted.session
    assert (await store.list()).sessions == {wanted.session.session_id: wanted.session}


async def test_whoever_finds_a_path_claimed_takes_the_claim_over(store: SessionStore) -> None:
    first = claim()
    await store.claim(first)
    assert await store.claim(claim()) == first
    assert await store.commit(first) == (first.session, True)
    assert await store.claim(claim()) == first.session


async def test_many_claims_at_once_make_one_session(store: SessionStore) -> None:
    async def create() -> tuple[Session | None, bool]:
        found = await store.claim(claim())
        if isinstance(found, Session):
            return found, False
        return await store.commit(found)

    outcomes = await asyncio.gather(*(create() for _ in range(50)))
    assert len({session.session_id for session, _ in outcomes if session}) == 1
    assert [created for _, created in outcomes].count(True) == 1


async def test_a_withdrawn_path_can_be_claimed_anew(store: SessionStore) -> None:
    first, second = claim(), claim()
    await store.claim(first)
    await store.withdraw(second)  # not his
    assert await store.claim(second) == first
    await store.withdraw(first)
    assert await store.claim(second) == second
    assert await store.commit(first) == (None, False)
    assert await store.commit(second) == (second.session, True)
    assert await store.commit(first) == (second.session, False)


async def test_a_claim_ends_by_itself(make_store: Callable[[float], SessionStore]) -> None:
    store = make_store(0.0)
    first, second = claim(), claim()
    await store.claim(first)
    await asyncio.sleep(0.01)
    assert await store.claim(second) == second


async def test_a_late_commit_of_a_free_path_is_a_session(store: SessionStore) -> None:
    first = claim()
    await store.claim(first)
    await store.withdraw(first)
    assert await store.commit(first) == (first.session, True)


async def test_the_kernel_of_a_claim_is_a_leftover_unless_it_is_committed(
    make_store: Callable[[float], SessionStore],
) -> None:
    store = make_store(1.0)
    kept, dropped, chosen = claim("a"), claim("b"), replace(claim("c"), fresh=False)
    for each in (kept, dropped, chosen):
        await store.claim(each)
    assert await store.commit(kept) == (kept.session, True)
    await store.leave("k-new")
    left_over = sorted([dropped.session.kernel_id, "k-new"])

    async def are_left_over() -> bool:
        return sorted((await store.list()).leftovers) == left_over

    await until(are_left_over)
    leftovers = (await store.list()).leftovers
    for kernel_id in leftovers:
        await store.settle(kernel_id)
    assert (await store.list()).leftovers == ()


async def test_the_kernel_of_a_claim_that_lost_its_path_stays_a_leftover(
    make_store: Callable[[float], SessionStore],
) -> None:
    store = make_store(1.0)
    lost = claim("a")
    await store.claim(lost)
    await store.withdraw(lost)
    await made(store)
    assert not (await store.commit(lost))[1]

    async def is_left_over() -> bool:
        return (await store.list()).leftovers == (lost.session.kernel_id,)

    await until(is_left_over)


async def test_no_session_gets_a_kernel_that_was_condemned(store: SessionStore) -> None:
    session = await made(store)
    assert not await store.condemn(session.kernel_id)
    wanted = claim("b")
    await store.claim(wanted)
    assert await store.condemn(wanted.session.kernel_id)
    assert await store.condemn(wanted.session.kernel_id)
    assert (await store.list()).leftovers == (wanted.session.kernel_id,)
    assert await store.commit(wanted) == (None, False)
    await store.withdraw(wanted)
    assert await store.adopt(wanted.session) == (None, False)
    assert (await store.list()).sessions == {session.session_id: session}


async def test_nothing_is_left_over_before_its_time(store: SessionStore) -> None:
    await store.claim(claim())
    await store.leave("k-new")
    assert (await store.list()).leftovers == ()


async def test_a_session_is_replaced(store: SessionStore) -> None:
    before = await made(store)
    after = replace(before, path="b", name=None, type="file", kernel_id="new")
    await store.replace(before, after)
    assert await store.get(before.session_id) == after
    assert await store.at_path("a") is None
    assert await store.at_path("b") == after
    assert (await store.list()).leftovers == (before.kernel_id,)
    await store.replace(before, after)  # the same call, sent again


async def test_a_session_that_has_changed_is_not_replaced(store: SessionStore) -> None:
    before = await made(store)
    after = replace(before, name="new")
    await store.replace(before, after)
    with pytest.raises(errors.Aborted):
        await store.replace(before, replace(before, name="newer"))
    with pytest.raises(errors.Aborted):
        await store.replace(claim().session, replace(before, name="newer"))
    assert await store.get(before.session_id) == after


async def test_no_session_gets_a_path_that_another_has_or_is_getting(store: SessionStore) -> None:
    session, other = await made(store), await made(store, "b")
    with pytest.raises(errors.AlreadyExists):
        await store.replace(session, replace(session, path="b"))
    await store.claim(claim("c"))
    with pytest.raises(errors.AlreadyExists):
        await store.replace(session, replace(session, path="c"))
    assert (await store.list()).sessions == {s.session_id: s for s in (session, other)}


async def test_a_session_is_deleted_with_its_path(store: SessionStore) -> None:
    session = await made(store)
    await store.delete(session.session_id, "another kernel")
    assert await store.get(session.session_id) == session
    await store.delete(session.session_id, session.kernel_id)
    await store.delete(session.session_id, session.kernel_id)
    assert await store.get(session.session_id) is None
    assert await store.at_path("a") is None
    assert (await made(store)).session_id != session.session_id


async def test_a_lost_session_is_put_back_if_its_path_is_free(store: SessionStore) -> None:
    lost = claim("a").session
    assert await store.adopt(lost) == (lost, True)
    assert await store.adopt(lost) == (lost, False)
    assert await store.get(lost.session_id) == lost
    assert await store.adopt(claim("a").session) == (None, False)
    claimed = claim("b")
    await store.claim(claimed)
    assert await store.adopt(claim("b").session) == (None, False)
    assert await store.adopt(claimed.session) == (claimed.session, True)
    # Rebuilt by one and committed by another: made all the same, and once.
    assert await store.commit(claimed) == (claimed.session, True)
    assert await store.commit(claimed) == (claimed.session, False)


async def test_a_session_that_lives_at_another_path_is_not_put_back(store: SessionStore) -> None:
    before = await made(store)
    after = replace(before, path="b")
    await store.replace(before, after)
    assert await store.adopt(before) == (after, False)
    assert (await store.list()).sessions == {before.session_id: after}


async def test_what_has_changed_since_a_reading_is_known(store: SessionStore) -> None:
    kept, moved, dropped = [await made(store, path) for path in ("a", "b", "c")]
    before = await store.list()
    assert before.position
    after_move = replace(moved, path="d")
    await store.replace(moved, after_move)
    await store.delete(dropped.session_id, dropped.kernel_id)
    adopted = claim("e").session
    await store.adopt(adopted)
    new = await made(store, "f")
    delta = await store.changes(before.position)
    after = await store.list()
    assert delta
    assert delta.position == after.position
    assert delta.position.reaches(before.position)
    assert not before.position.reaches(delta.position)
    changed = (after_move, adopted, new)
    assert delta.items == {session.session_id: session for session in changed}
    assert delta.gone == {dropped.session_id}
    assert after.sessions == {kept.session_id: kept, **delta.items}


async def test_what_changes_no_session_moves_nobody(store: SessionStore) -> None:
    session = await made(store)
    before = (await store.list()).position
    await store.claim(claim("b"))
    await store.delete(session.session_id, "another kernel")
    await store.replace(session, session)
    await store.adopt(session)
    await store.leave("k")
    assert (await store.list()).position == before


@pytest.mark.parametrize(("feed_id", "ahead"), [("another", 0), (None, 5)])
async def test_what_has_changed_in_another_feed_is_not_known(
    store: SessionStore, feed_id: str | None, ahead: int
) -> None:
    await made(store)
    here = (await store.list()).position
    assert here
    assert await store.changes(Position(feed_id or here.feed_id, here.number + ahead)) is None


async def test_an_arrival_is_noticed_and_its_absence_too(store: SessionStore) -> None:
    await made(store)
    here = (await store.list()).position
    assert here
    await store.arrival(here, 0.01)
    waiting = asyncio.create_task(store.arrival(here, 1.0))
    await asyncio.sleep(0)
    session = await made(store, "b")
    async with asyncio.timeout(20):
        await waiting
    delta = await store.changes(here)
    assert delta
    assert delta.items == {session.session_id: session}
