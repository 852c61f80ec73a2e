"""One question for all: no answer is older than the request it is given to."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from perijove_gateway_http.sharing import Shared


class Registry:
    """Counts its questions; each is answered with what held when it was put."""

    def __init__(self) -> None:
        self.value = 0
        self.asked = 0
        self.was_asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def ask(self) -> int:
        self.asked += 1
        self.was_asked.set()
        seen = self.value
        await self.may_answer.wait()
        if seen < 0:
            raise LookupError(str(seen))
        return seen


async def put(shared: Shared[int], registry: Registry) -> asyncio.Task[int]:
    """Ask, and return once the question is put."""
    task = asyncio.ensure_future(shared.get())
    await registry.was_asked.wait()
    return task


async def test_those_who_come_at_once_share_a_question() -> None:
    registry = Registry()
    registry.may_answer.set()
    shared = Shared(registry.ask)
    assert await asyncio.gather(*(shared.get() for _ in range(10))) == [0] * 10
    assert registry.asked == 1


async def test_an_answer_shows_what_was_done_before_the_request() -> None:
    registry = Registry()
    shared = Shared(registry.ask)
    early = await put(shared, registry)
    registry.value = 1
    late = [asyncio.ensure_future(shared.get()) for _ in range(5)]
    registry.may_answer.set()
    assert await early == 0
    assert await asyncio.gather(*late) == [1] * 5
    assert registry.asked == 2


async def test_who_goes_away_leaves_the_answer_to_the_others() -> None:
    registry = Registry()
    shared = Shared(registry.ask)
    first = asyncio.ensure_future(shared.get())
    second = asyncio.ensure_future(shared.get())
    await registry.was_asked.wait()
    first.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await first
    registry.may_answer.set()
    assert await second == 0
    assert registry.asked == 1


async def test_a_failure_is_everybodys_and_is_not_kept() -> None:
    registry = Registry()
    registry.value = -1
    registry.may_answer.set()
    shared = Shared(registry.ask)
    failed = await asyncio.gather(*(shared.get() for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in failed] == [LookupError] * 3
    registry.value = 7
    assert await shared.get() == 7


async def test_a_question_that_nobody_waits_for_any_more_blocks_no_later_one() -> None:
    registry = Registry()
    registry.value = -1
    shared = Shared(registry.ask)
    abandoned = await put(shared, registry)
    abandoned.cancel()
    with pytest.raises(asyncio.CancelledError):
        await abandoned
    registry.value = 3
    registry.may_answer.set()
    assert await shared.get() == 3
