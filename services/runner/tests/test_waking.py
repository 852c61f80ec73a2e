"""Who waits for a kernel's messages is woken in time, by every event loop."""

from __future__ import annotations

import asyncio

import pytest
import uvloop
from perijove_runner.waking import PACE_S, Waking


@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_output_that_is_due_in_a_moment_may_be_followed_by_more(make_loop: object) -> None:
    async def pace() -> None:
        waking = Waking()
        for short_of_due_s in (0.0001, 0.0004, 0.002):
            waking.wake()
            waiting = asyncio.ensure_future(waking.wait())
            await asyncio.sleep(0)
            waking._woken_at = asyncio.get_running_loop().time() - PACE_S + short_of_due_s
            waking.wake_at_pace()
            waking.wake_at_pace()
            waking.wake_soon()
            async with asyncio.timeout(10):
                await waiting

    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(pace())
