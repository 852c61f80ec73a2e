"""What is sent to Redis again, because its reply was lost, is done once, and then only."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from perijove_sessions.backends.redis import RedisSessionStore

from services.chassis.tests.redis_proxy import RedisProxy
from services.sessions.tests.test_session_stores import claim, made

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path


class Two:
    """A store whose commands are sent twice, and another one beside it."""

    def __init__(self, proxy: RedisProxy, url: str) -> None:
        self.store = RedisSessionStore(proxy.url)
        self.other = RedisSessionStore(url)
        self._proxy = proxy

    @asynccontextmanager
    async def between(self, meanwhile: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
        """Have the next command sent twice, and something done in between."""

        async def once() -> None:
            self._proxy.breaks = 0.0
            await meanwhile()

        self._proxy.breaks, self._proxy.meanwhile = 1.0, once
        broken = self._proxy.broken
        yield
        assert self._proxy.broken == broken + 1

    async def close(self) -> None:
        await self.store.close()
        await self.other.close()
        await self._proxy.close()


@pytest.fixture
async def two(redis_url: str, tmp_path: Path) -> AsyncIterator[Two]:
    proxy = RedisProxy(redis_url.removeprefix("unix://"), tmp_path)
    await proxy.start()
    two = Two(proxy, redis_url)
    # So that Redis knows the scripts, and one command is one.
    used = await made(two.store, "used")
    await two.store.adopt(used)
    await two.store.replace(used, used)
    await two.store.delete(used.session_id, used.kernel_id)
    yield two
    await two.close()


async def test_a_session_that_was_deleted_meanwhile_is_not_made_again(two: Two) -> None:
    wanted = claim()
    session = wanted.session
    await two.store.claim(wanted)
    async with two.between(lambda: two.other.delete(session.session_id, session.kernel_id)):
        assert await two.store.commit(wanted) == (session, True)
    assert await two.other.get(session.session_id) is None


async def test_a_session_that_was_deleted_meanwhile_is_not_put_back_again(two: Two) -> None:
    lost = claim().session
    async with two.between(lambda: two.other.delete(lost.session_id, lost.kernel_id)):
        assert await two.store.adopt(lost) == (lost, True)
    assert await two.other.get(lost.session_id) is None


async def test_a_change_stands_that_another_has_built_upon(two: Two) -> None:
    before = await made(two.store)
    after, last = replace(before, name="after"), replace(before, name="last")
    async with two.between(lambda: two.other.replace(after, last)):
        await two.store.replace(before, after)
    assert await two.other.get(before.session_id) == last


async def test_a_session_that_was_put_back_meanwhile_is_not_deleted_again(two: Two) -> None:
    session = await made(two.store)
    async with two.between(lambda: two.other.adopt(session)):
        await two.store.delete(session.session_id, session.kernel_id)
    assert await two.other.get(session.session_id) == session


async def test_replies_of_changes_are_kept_for_a_while_only(two: Two) -> None:
    client = two.other._commands._connections.client
    keys = [key async for key in client.scan_iter("{s}:done:*")]
    assert len(keys) == 4
    for key in keys:
        assert 0 < await client.ttl(key) <= 60
