"""Which kernels are ended because nobody uses them."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from typing import TYPE_CHECKING

import pytest
from perijove_runner.culling import Culler, CullRule
from perijove_runner.model import ExecutionState, ExitCause, Kernel

if TYPE_CHECKING:
    from services.runner.tests.stand import Stand

USED = Kernel("a", "python3", ExecutionState.IDLE, 1000.0, 0, 1, 0.0, {}, None, 1)
BUSY = dataclasses.replace(USED, execution_state=ExecutionState.BUSY)
CONNECTED = dataclasses.replace(USED, connection_count=1)
RULE = CullRule(idle_s=60.0)


@pytest.mark.parametrize(
    ("rule", "kernel", "own_s", "idle_s", "is_due"),
    [
        (RULE, USED, None, 61, True),
        (RULE, USED, None, 59, False),
        (RULE, BUSY, None, 61, False),
        (dataclasses.replace(RULE, busy=True), BUSY, None, 61, True),
        (RULE, CONNECTED, None, 61, False),
        (dataclasses.replace(RULE, connected=True), CONNECTED, None, 61, True),
        (dataclasses.replace(RULE, busy=True), CONNECTED, None, 61, False),
        (CullRule(), USED, None, 1e9, False),
        # What the kernelspec says comes first, either way.
        (RULE, USED, 600.0, 61, False),
        (RULE, USED, 600.0, 601, True),
        (RULE, USED, 0.0, 1e9, False),
        (CullRule(), USED, 60.0, 61, True),
    ],
)
def test_a_kernel_is_culled_as_the_rule_says(
    rule: CullRule, kernel: Kernel, own_s: float | None, idle_s: float, *, is_due: bool
) -> None:
    assert rule.is_due(kernel, own_s, 1000.0 + idle_s) is is_due


async def test_a_kernel_that_nobody_uses_is_shut_down_and_says_why(stand: Stand) -> None:
    await stand.launch("a")
    await stand.launch("b")
    await stand.run_in("b", "pass")
    specs = stand.machine.kernelspecs._specs
    specs["kept"] = dataclasses.replace(specs["python3"], name="kept", cull_idle_s=1e6)
    await stand.launch("c", kernelspec_name="kept")
    running = asyncio.create_task(stand.run_in("b", "while True: pass"))
    await stand.until(lambda: stand.view("b").execution_state is ExecutionState.BUSY)
    stand.feed.begin()
    await Culler(stand.manager, RULE, clock=lambda: time.time() + 61).look()
    (gone,) = (await stand.feed.take(0)).gone
    assert gone.kernel_id == "a"
    assert gone.last_exit
    assert gone.last_exit.cause is ExitCause.CULLED
    assert [kernel.kernel_id for kernel in stand.manager.kernels()[0]] == ["b", "c"]
    running.cancel()


async def test_a_kernel_that_is_used_in_the_last_moment_stays(stand: Stand) -> None:
    await stand.launch()
    seen: list[Kernel] = []

    def is_due(kernel: Kernel) -> bool:
        seen.append(kernel)
        return False

    await stand.manager.cull("a", is_due)
    assert [kernel.kernel_id for kernel in seen] == ["a"]
    assert stand.manager.find("a")
