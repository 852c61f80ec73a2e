"""Runs in real kernels, over several runners and with readers of all speeds."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest
from perijove_chassis.errors import AlreadyExists, NotFound
from perijove_runner.execution.backends.kernels import RelayedKernels
from perijove_runner.execution.backends.notes_file import RunNotesFile
from perijove_runner.execution.manager import Attachment, ExecutionManager
from perijove_runner.execution.model import (
    Execution,
    ExecutionError,
    Finished,
    OutcomeKind,
    Placed,
    RunRecord,
    Started,
    StreamOutput,
    Wanted,
)

from services.runner.tests.stand import Stand

if TYPE_CHECKING:
    from pathlib import Path

DEADLINE_S = 60
ALL = Wanted(after_position=0, max_output_bytes=1 << 40)


def manager_of(stand: Stand) -> ExecutionManager:
    return ExecutionManager(RelayedKernels(stand.manager, stand.machine.run_notes))


async def begin(
    manager: ExecutionManager, code: str, request_id: str = "r", wanted: Wanted = ALL
) -> Attachment:
    return await manager.execute(Execution("a", request_id, code), wanted, None)


async def rest(attachment: Attachment) -> list[Placed]:
    """Read a run to its end."""
    async with asyncio.timeout(DEADLINE_S):
        outputs = [placed async for placed in attachment.outputs()]
    attachment.close()
    return outputs


def printed(outputs: list[Placed]) -> str:
    return "".join(found.output.text for found in outputs if isinstance(found.output, StreamOutput))


def end(outputs: list[Placed]) -> Finished:
    found = outputs[-1].output
    assert isinstance(found, Finished)
    return found


@pytest.fixture
async def started(stand: Stand) -> Stand:
    await stand.launch()
    return stand


async def test_a_reader_that_stands_still_delays_no_other_and_gets_all(started: Stand) -> None:
    manager = manager_of(started)
    code = "for n in range(300): print('x' * 9_999)"
    slow = await begin(manager, code)
    fast = await begin(manager, code)
    assert (slow.created, fast.created) == (True, False)
    reading = slow.outputs()
    assert isinstance((await anext(reading)).output, Started)
    assert len(printed(await rest(fast))) == 3_000_000
    assert (started.view().connection_count, started.view().execution_state.value) == (0, "idle")
    outputs = [placed async for placed in reading]
    assert len(printed(outputs)) == end(outputs).output_bytes == 3_000_000
    slow.close()


async def test_output_beyond_the_limit_is_not_sent_to_the_one_who_set_it(started: Stand) -> None:
    manager = manager_of(started)
    limited = Wanted(after_position=0, max_output_bytes=10)
    outputs = await rest(await begin(manager, "print('x' * 100)", wanted=limited))
    assert printed(outputs) == "x" * 10
    assert end(outputs).is_incomplete
    assert len(printed(await rest(await begin(manager, "print('x' * 100)")))) == 101


async def test_the_next_runner_knows_what_was_begun(directory: Path) -> None:
    first = Stand(directory, dict(os.environ))
    await first.machine.look()
    await first.launch()
    manager = manager_of(first)
    await rest(await begin(manager, "import os, time\nn = 0", "zero"))
    go = directory / "go"
    code = f"n += 1\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\nprint(n)"
    under_way = await begin(manager, code, "under way")
    assert isinstance((await anext(under_way.outputs())).output, Started)
    # The process ended between the note and the message.
    digest = Execution("a", "never sent", "n += 10").digest
    unsent = RunRecord(
        request_id="never sent", digest=digest, msg_id="m", epoch=1, begin=1, accept_time=0.0
    )
    RunNotesFile(first.machine.run_notes("a")).add(unsent)
    await first.close(keep=True)
    second = Stand(directory, dict(os.environ))
    await second.manager.adopt()
    manager = manager_of(second)
    again = await begin(manager, code, "under way")
    await second.manager.relay("a").ready(DEADLINE_S)
    go.touch()
    assert (again.created, printed(await rest(again))) == (False, "1\n")
    known = await begin(manager, "import os, time\nn = 0", "zero")
    assert not known.created
    assert end(await rest(known)).outcome.kind is OutcomeKind.OK
    with pytest.raises(AlreadyExists):
        await begin(manager, "n = 1", "zero")
    sent = await begin(manager, "n += 10", "never sent")
    assert sent.created
    await rest(sent)
    assert printed(await rest(await begin(manager, "print(n)", "last"))) == "11\n"
    await second.close()


async def test_a_run_of_a_kernel_that_was_killed_says_how_it_ended(started: Stand) -> None:
    manager = manager_of(started)
    attachment = await begin(manager, "import time\ntime.sleep(600)")
    outputs = attachment.outputs()
    assert isinstance((await anext(outputs)).output, Started)
    started.process().kill()
    async with asyncio.timeout(DEADLINE_S):
        seen = [placed.output async for placed in outputs]
    assert isinstance(seen[-1], Finished)
    assert seen[-1].outcome.kind is OutcomeKind.KERNEL_ENDED
    assert seen[-1].outcome.exit
    assert seen[-1].outcome.exit.signal == 9
    again = end(await rest(await begin(manager, "import time\ntime.sleep(600)")))
    assert again.outcome == seen[-1].outcome


async def test_an_error_of_the_users_is_none_of_the_relays(started: Stand) -> None:
    code = "class KernelDied(Exception): pass\nraise KernelDied('not really')"
    outputs = await rest(await begin(manager_of(started), code))
    assert isinstance(outputs[-2].output, ExecutionError)
    assert end(outputs).outcome.kind is OutcomeKind.ERROR


async def test_a_kernel_that_is_launched_anew_under_an_id_has_no_runs(started: Stand) -> None:
    manager = manager_of(started)
    await rest(await begin(manager, "print(1)"))
    await started.manager.shut_down("a")
    with pytest.raises(NotFound):
        await begin(manager, "print(1)")
    await started.launch()
    assert (await begin(manager, "print(1)")).created


@pytest.mark.parametrize(
    ("kept_back", "kind"),
    [
        ("kind == 'execute_reply'", OutcomeKind.REPLY_LOST),
        ("kind == 'status' and 'idle' in str(a)", OutcomeKind.OK),
    ],
)
async def test_a_kernel_that_ends_a_run_by_half_ends_it(
    started: Stand, kept_back: str, kind: OutcomeKind
) -> None:
    code = f"""
session = get_ipython().kernel.session
send = session.send
def quiet(stream, kind, *a, **named):
    if {kept_back}:
        return {{"content": {{"status": "ok"}}}}
    return send(stream, kind, *a, **named)
session.send = quiet
print("done")
"""
    outputs = await rest(await begin(manager_of(started), code))
    assert printed(outputs) == "done\n"
    assert end(outputs).outcome.kind is kind
