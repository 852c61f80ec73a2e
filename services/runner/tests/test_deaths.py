"""What clients are told when a kernel's process ends."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest
from perijove_chassis.errors import FailedPrecondition
from perijove_runner import exits
from perijove_runner.backends.memory import OutOfMemory
from perijove_runner.model import ExitCause, ProcessExit

from tests.relays import content, kind, parent_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perijove_runner.relay import KernelRelay

    from services.runner.tests.stand import Stand
    from tests.relays import Client

    Connect = Callable[[str], Client]


async def test_a_cell_that_was_running_shows_why_its_kernel_died(
    connect: Connect, relay: KernelRelay
) -> None:
    client, other = connect("a"), connect("b")
    await client.attach()
    await other.attach()
    running = await client.execute("while True: pass")
    await client.until(("execute_input", running))
    waiting = await client.execute("1")
    await other.until(("execute_input", running))
    async with asyncio.timeout(60):
        while len(relay.snapshot().requests) < 2:  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.02)
    relay.tell_end("KernelDied", "The kernel crashed.", show=True)
    relay.publish_status("restarting")
    seen = await client.until(("status", ""))
    assert [(kind(message), parent_id(message)) for message in seen] == [
        ("error", running),
        ("execute_reply", running),
        ("status", running),
        ("execute_reply", waiting),
        ("status", waiting),
        ("status", ""),
    ]
    error, reply = content(seen[0]), content(seen[1])
    assert error["ename"] == reply["ename"] == "KernelDied"
    assert error["traceback"] == ["KernelDied: The kernel crashed."]
    assert reply["status"] == "error"
    kinds = [kind(message) for message in await other.until(("status", ""))]
    assert kinds == ["error", "status", "status", "status"]


async def test_a_kernel_that_died_idle_says_so_in_the_last_cell(
    connect: Connect, relay: KernelRelay
) -> None:
    client = connect("a")
    await client.attach()
    asked = await client.execute("1")
    await client.until_done(asked)
    relay.tell_end("KernelRestarted", "The kernel was restarted.", show=False)
    relay.tell_end("KernelDied", "The kernel crashed.", show=True)
    relay.publish_status("restarting")
    told, _ = await client.until(("status", ""))
    assert (kind(told), parent_id(told)) == ("stream", asked)
    assert content(told) == {"name": "stderr", "text": "\n[The kernel crashed.]\n"}


async def test_a_restart_that_fails_says_what_the_process_wrote(stand: Stand) -> None:
    await stand.launch()
    await stand.run("pass")
    await stand.manager.update("a", None, {"PYTHONHOME": "/none"})
    with pytest.raises(FailedPrecondition) as caught:
        await stand.manager.restart("a")
    assert caught.value.reason == "KERNEL_START_FAILED"
    assert "exited with code 1" in str(caught.value)
    assert "No module named 'encodings'" in str(caught.value)


async def test_a_kernel_that_was_shut_down_says_by_whom(stand: Stand) -> None:
    await stand.launch()
    await stand.manager.restart("a", "Io")
    assert stand.view().last_exit.message == "The kernel was restarted by Io."
    kernel, revision = await stand.manager.shut_down("a", "Callisto")
    assert kernel.revision < revision
    assert kernel.last_exit
    assert kernel.last_exit.cause is ExitCause.SHUTDOWN
    assert kernel.last_exit.requested_by == "Callisto"


async def test_a_kernel_that_ends_with_its_runner_says_so(stand: Stand) -> None:
    await stand.launch()
    stand.feed.begin()
    await stand.manager.close(keep=False, polite_s=2.0)
    (gone,) = (await stand.feed.take(0)).gone
    assert gone.last_exit
    assert gone.last_exit.cause is ExitCause.RUNNER_STOPPED


@pytest.mark.parametrize(
    ("ended", "cause", "message"),
    [
        (ProcessExit(exit_code=3), ExitCause.EXITED, "The kernel exited with code 3."),
        (
            ProcessExit(signal=signal.SIGSEGV),
            ExitCause.SIGNALED,
            "The kernel crashed with signal 11 (SIGSEGV).",
        ),
        (
            ProcessExit(signal=signal.SIGKILL),
            ExitCause.SIGNALED,
            "The kernel was ended by signal 9 (SIGKILL).",
        ),
        (ProcessExit(signal=200), ExitCause.SIGNALED, "The kernel was ended by signal 200."),
        (
            ProcessExit(signal=signal.SIGKILL, out_of_memory=True, memory_was_short=True),
            ExitCause.OUT_OF_MEMORY,
            "The kernel ran out of memory, and the system ended it.",
        ),
        (
            ProcessExit(signal=signal.SIGKILL, memory_was_short=True),
            ExitCause.SIGNALED,
            (
                "The kernel was ended by signal 9 (SIGKILL), just when the system was ending "
                "processes for lack of memory: perhaps it was one of them."
            ),
        ),
        (ProcessExit(), ExitCause.UNKNOWN, "The kernel ended; why is not known."),
    ],
)
def test_every_end_has_its_cause_and_its_sentence(
    ended: ProcessExit, cause: ExitCause, message: str
) -> None:
    told = exits.explain(ended, 1.0, "last words")
    assert (told.cause, told.message) == (cause, message)
    from_elsewhere = ended.signal in (signal.SIGKILL, 200)
    assert told.output == ("" if from_elsewhere else "last words")


def test_lack_of_memory_is_counted_once_for_each_and_for_a_while(tmp_path: Path) -> None:
    own, system, now = tmp_path / "own", tmp_path / "system", [0.0]
    own.write_text("oom 5\noom_kill 2\n")
    system.write_text("oom_kill 7\n")
    oom = OutOfMemory(own, system, clock=lambda: now[0])
    assert not oom.struck()
    own.write_text("oom 7\noom_kill 4\n")
    oom.look()  # the processes take a while to end
    now[0] += 5
    assert [oom.struck(), oom.struck(), oom.struck()] == [True, True, False]
    assert not oom.struck_somewhere()
    own.write_text("oom 8\noom_kill 5\n")
    system.write_text("oom_kill 8\n")
    oom.look()
    now[0] += 60
    assert not oom.struck()
    assert not oom.struck_somewhere()
