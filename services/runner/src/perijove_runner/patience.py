"""How long a runner waits for its kernels, and what it does then."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perijove_chassis.errors import FailedPrecondition

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_runner.model import ProcessExit
    from perijove_runner.store import KernelProcess, Relay


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How patient a runner is with its kernels; times in seconds."""

    polite_s: float = 5.0
    """A kernel that is asked to end gets this long before SIGTERM."""
    terminate_s: float = 1.0
    """And this long from SIGTERM to SIGKILL."""
    kill_s: float = 10.0
    """And the system this long to remove it then."""
    ready_s: float = 60.0
    """A restarted kernel must answer within this."""
    interrupt_s: float = 5.0
    """A kernel that is interrupted by message must answer within this."""
    stable_s: float = 10.0
    """A process that lived this long did not fail at its start."""
    restart_limit: int = 5
    """How often in a row a kernel is restarted after it died by itself."""


async def end_process(
    process: KernelProcess, relay: Relay, policy: Policy, *, restart: bool, polite_s: float
) -> None:
    """End a process: ask it, then SIGTERM, then SIGKILL for all of its group."""
    content = b'{"restart":true}' if restart else b'{"restart":false}'
    gone = asyncio.create_task(process.wait())
    asked = asyncio.create_task(relay.request("control", "shutdown_request", content, polite_s))
    try:
        await _until_gone_or_refused(gone, asked, polite_s)
        if not gone.done():
            process.terminate()
            await asyncio.wait({gone}, timeout=policy.terminate_s)
        process.kill()
        await asyncio.wait({gone}, timeout=policy.kill_s)
    finally:
        await _abandon(gone, asked)


async def until_ready(
    process: KernelProcess | None,
    relay: Relay,
    timeout_s: float,
    story: Callable[[ProcessExit], str],
) -> None:
    """Wait until a process answers.

    Args:
        process: The process, if there is one.
        relay: Connected to it.
        timeout_s: Seconds it has for that.
        story: Returns what to say of its end.

    Raises:
        DeadlineExceeded: if it does not in time.
        FailedPrecondition: with reason `KERNEL_START_FAILED` if it ends before.
    """
    if process is None:
        raise FailedPrecondition("the kernel ended", reason="KERNEL_START_FAILED")
    ready = asyncio.create_task(relay.ready(timeout_s))
    gone = asyncio.create_task(process.wait())
    try:
        await asyncio.wait({ready, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            raise FailedPrecondition(story(gone.result()), reason="KERNEL_START_FAILED")
        ready.result()
    finally:
        await _abandon(ready, gone)


async def _until_gone_or_refused(
    gone: asyncio.Task[ProcessExit], asked: asyncio.Task[bytes], timeout_s: float
) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await asyncio.wait({gone, asked}, return_when=asyncio.FIRST_COMPLETED)
            # Whom nobody can ask, nobody need wait for.
            if not asked.done() or asked.exception() is None:
                await asyncio.wait({gone})
    except TimeoutError:
        return


async def _abandon(*tasks: asyncio.Task[object]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
