"""What is remembered of runs is bounded, and is there for the next runner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from perijove_chassis.errors import ResourceExhausted
from perijove_runner.execution.backends.notes_file import RunNotesFile
from perijove_runner.execution.memory import KEPT_S, MOST_ENDED, MOST_UNDER_WAY, Memory
from perijove_runner.execution.model import Outcome, OutcomeKind, RunRecord
from perijove_runner.execution.run import Progress, Run

if TYPE_CHECKING:
    from pathlib import Path


def a_run(number: int) -> Run:
    record = RunRecord(
        request_id=f"r{number}", digest="d", msg_id=f"m{number}", epoch=1, begin=3, accept_time=0.0
    )
    return Run(record, Progress(), lambda: None)


def ended(memory: Memory, number: int) -> Run:
    run = a_run(number)
    memory.add(run)
    run.finish(Outcome(OutcomeKind.OK, number))
    memory.changed(run)
    return run


@pytest.fixture
def notes(directory: Path) -> RunNotesFile:
    return RunNotesFile(directory / "run.notes")


def test_the_oldest_of_many_ended_runs_is_forgotten(notes: RunNotesFile) -> None:
    memory = Memory(notes, "c")
    waiting = a_run(-1)
    memory.add(waiting)
    for number in range(MOST_ENDED + 5):
        ended(memory, number)
    assert memory.find("r4") is None
    assert memory.find("r5")
    assert memory.find("r-1") is waiting


def test_an_ended_run_is_forgotten_after_a_while(notes: RunNotesFile) -> None:
    now = [ended(Memory(notes, "x"), 0).end.finish_time]
    memory = Memory(notes, "c", clock=lambda: now[0])
    ended(memory, 1)
    now[0] += KEPT_S - 10
    ended(memory, 2)
    assert memory.find("r1")
    now[0] += 20
    memory.add(a_run(3))
    assert memory.find("r1") is None


def test_no_more_runs_are_taken_than_can_be_watched(notes: RunNotesFile) -> None:
    memory = Memory(notes, "c")
    for number in range(MOST_UNDER_WAY):
        memory.add(a_run(number))
    with pytest.raises(ResourceExhausted):
        memory.add(a_run(-1))
    assert memory.find("r-1") is None


def test_a_run_that_cannot_be_noted_is_not_taken(directory: Path) -> None:
    memory = Memory(RunNotesFile(directory / "nowhere" / "run.notes"), "c")
    with pytest.raises(ResourceExhausted):
        memory.add(a_run(1))
    assert memory.find("r1") is None
    assert memory.all_under_way == ()


def test_the_next_runner_finds_the_last_state_of_each_run(notes: RunNotesFile) -> None:
    memory = Memory(notes, "c")
    first, refused, waiting = ended(memory, 1), a_run(2), a_run(3)
    memory.add(refused)
    memory.add(waiting)
    memory.refuse(refused, replace(refused.record, refused=True))
    assert notes.load() == ("c", [first.record, waiting.record])


def test_a_line_that_is_torn_is_left_out(notes: RunNotesFile, directory: Path) -> None:
    memory = Memory(notes, "c")
    first = ended(memory, 1)
    memory.add(a_run(2))
    path = directory / "run.notes"
    path.write_bytes(path.read_bytes()[:-7])
    assert notes.load() == ("c", [first.record])


@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"{}\n", b'"c"'])
def test_notes_that_cannot_be_read_are_none(
    notes: RunNotesFile, directory: Path, content: bytes
) -> None:
    (directory / "run.notes").write_bytes(content)
    assert notes.load() == ("", [])


def test_notes_do_not_grow_for_ever(notes: RunNotesFile, directory: Path) -> None:
    memory = Memory(notes, "c")
    run = a_run(1)
    memory.add(run)
    for _ in range(5000):
        assert memory.changed(run)
    assert (directory / "run.notes").stat().st_size < 400_000
    assert notes.load() == ("c", [run.record])
