"""Terminals below their manager: real shells, held by real processes."""

import asyncio
import hashlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from perijove_chassis.errors import (
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    Unavailable,
)
from perijove_runner.terminals.model import EndCause, Size

from services.runner.tests.terminal_stand import KEPT, TerminalStand, has_ended

MakeStand = Callable[..., TerminalStand]


@pytest.fixture
async def make_stand(directory: Path) -> AsyncIterator[MakeStand]:
    made: list[TerminalStand] = []

    def make(**settings: Any) -> TerminalStand:
        environ = {**os.environ, "PS1": "", "COLUMNS": "7", "PERIJOVE_RUNNER_SERVICE_KEY": "s"}
        made.append(TerminalStand(directory, environ, **settings))
        return made[-1]

    yield make
    for stand in made:
        await stand.close()
    assert made[0].holders() == []
    assert not list((directory / "t").glob("*"))


@pytest.fixture
def stand(make_stand: MakeStand) -> TerminalStand:
    return make_stand()


async def returned(stand: TerminalStand, make_stand: MakeStand) -> TerminalStand:
    """Let another runner take the place of the first one, which is gone like a killed one."""
    await stand.close(keep=True)
    after = make_stand()
    await after.manager.adopt()
    return after


async def test_a_command_is_typed_and_its_output_is_shown(stand: TerminalStand) -> None:
    assert (await stand.create()).name == "1"
    viewer = stand.attach()
    assert await viewer.run("echo $((6 * 7))-", r"\d+-\r\n") == "42-\r\n"
    assert not viewer.resumed


async def test_names_are_the_smallest_free_numbers(stand: TerminalStand) -> None:
    assert [(await stand.create()).name for _ in range(3)] == ["1", "2", "3"]
    await stand.manager.delete("2")
    assert (await stand.create()).name == "2"
    assert [one.name for one in stand.manager.all()] == ["1", "3", "2"]


async def test_a_name_is_one_terminal_however_often_asked(stand: TerminalStand) -> None:
    first = await stand.create("moon")
    assert (await stand.create("moon")).terminal_id == first.terminal_id
    both = await asyncio.gather(stand.create("io"), stand.create("io"))
    assert both[0].terminal_id == both[1].terminal_id
    assert len(stand.holders()) == 2


async def test_who_comes_later_is_shown_what_was_before(stand: TerminalStand) -> None:
    await stand.create()
    await stand.attach().run("echo $((6 * 7))-", r"42-")
    assert await stand.attach().until("42-")


async def test_everyone_sees_the_same(stand: TerminalStand) -> None:
    await stand.create()
    one, other = stand.attach(), stand.attach()
    await one.run("echo $((6 * 7))-", r"42-")
    await other.until("42-")
    assert stand.manager.get("1").connection_count == 2
    one.client.close()
    assert stand.manager.get("1").connection_count == 1


async def test_the_smallest_of_its_clients_decides_how_large_it_is(stand: TerminalStand) -> None:
    await stand.create(size=Size(20, 70))
    wide = stand.attach()
    assert await wide.run("stty size", r"\d+ \d+\r\n") == "20 70\r\n"
    wide.client.resize(Size(40, 120))
    high = stand.attach(size=Size(60, 100))
    assert await high.run("stty size; echo a", r"40 100\r\na")
    high.client.close()
    assert await wide.run("stty size; echo b", r"40 120\r\nb")


async def test_what_a_shell_gets_of_its_surroundings(stand: TerminalStand, directory: Path) -> None:
    here = directory / "here"
    here.mkdir()
    await stand.create(
        working_directories=("/does/not/exist", str(here)), environment={"MOON": "Io"}
    )
    viewer = stand.attach()
    assert await viewer.run("echo $MOON-$TERM-$PWD-", r"Io.*-\r\n") == (
        f"Io-xterm-256color-{here.resolve()}-\r\n"
    )
    assert (
        await viewer.run("env | grep -cE 'PERIJOVE|COLUMNS'; umask", r"0\r\n\d+\r\n")
        == "0\r\n0022\r\n"
    )
    assert await viewer.run("trap; tty | cut -c1-9", "/dev/pts/")
    assert b"SIGPIPE" not in viewer.shown, "what the holder ignores, the shell does not"


async def test_a_job_is_interrupted_by_its_key_and_not_its_shell(stand: TerminalStand) -> None:
    await stand.create(environment={"PS1": "prompt> "})
    viewer = stand.attach()
    # The job says itself that it runs: a shell that is only about to start one loses the key.
    await viewer.run("""sh -c "echo st''arted; exec sleep 600\"""", "started")
    await viewer.type("\x03")
    await viewer.until(r"\^C[^$]*prompt> ")
    assert await viewer.run("echo $((6 * 7))-", r"42-")


async def test_a_shell_that_exits_says_its_code_after_its_last_words(stand: TerminalStand) -> None:
    await stand.create()
    viewer = stand.attach()
    await viewer.type("seq 1 20000; exit 3\n")
    ended = await viewer.to_the_end()
    assert (ended.cause, ended.exit_code) == (EndCause.EXITED, 3)
    assert b"\r\n20000\r\n" in viewer.shown
    assert stand.manager.all() == []
    with pytest.raises(NotFound):
        stand.attach()


async def test_a_shell_that_leaves_jobs_behind_ends_all_the_same(stand: TerminalStand) -> None:
    await stand.create()
    viewer = stand.attach()
    number = await viewer.run("(trap '' HUP; sleep 600) & echo $!-", r"\d+-\r\n")
    await viewer.type("exit\n")
    await viewer.to_the_end()
    for child in psutil.Process(int(number.partition("-")[0])).children(recursive=True):
        child.kill()
    psutil.Process(int(number.partition("-")[0])).kill()


async def test_a_shell_that_is_killed_says_by_what(stand: TerminalStand) -> None:
    await stand.create()
    viewer = stand.attach()
    await viewer.type("kill -9 $$\n")
    ended = await viewer.to_the_end()
    assert (ended.cause, ended.signal) == (EndCause.SIGNALED, signal.SIGKILL)


async def test_a_holder_that_is_killed_takes_its_terminal_along(stand: TerminalStand) -> None:
    await stand.create()
    viewer = stand.attach()
    await viewer.run("echo r''eady", "ready")
    (holder,) = stand.holders()
    (shell,) = holder.children()
    holder.kill()
    assert (await viewer.to_the_end()).cause is EndCause.UNKNOWN
    assert stand.manager.all() == []
    await stand.until(lambda: has_ended(shell))


@pytest.mark.parametrize("trap", ["", "trap '' HUP INT TERM; "])
async def test_delete_ends_a_shell_that_listens_and_one_that_does_not(
    stand: TerminalStand, trap: str
) -> None:
    await stand.create()
    viewer = stand.attach()
    await viewer.run(f"{trap}echo r''eady", "ready")
    await stand.manager.delete("1")
    assert (await viewer.to_the_end()).cause is EndCause.DELETED
    assert stand.manager.all() == []
    assert stand.holders() == []
    with pytest.raises(NotFound, match="Terminal not found: 1"):
        await stand.manager.delete("1")


async def test_delete_does_not_wait_for_who_does_not_read(stand: TerminalStand) -> None:
    await stand.create()
    viewer = stand.attach()
    await viewer.type("yes\n")
    await stand.until(lambda: viewer.client._line.scrollback.end > 200_000)
    await stand.manager.delete("1")
    assert (await viewer.to_the_end()).cause is EndCause.DELETED


async def test_what_cannot_be_started_is_said(stand: TerminalStand) -> None:
    with pytest.raises(FailedPrecondition, match="No such file") as caught:
        await stand.create(command=("/does/not/exist",))
    assert caught.value.reason == "TERMINAL_START_FAILED"
    assert stand.manager.all() == []


async def test_there_are_no_more_than_there_may_be(make_stand: MakeStand) -> None:
    stand = make_stand(most=1)
    await stand.create()
    with pytest.raises(ResourceExhausted):
        await stand.create()
    assert (await stand.create("1")).name == "1"


async def test_a_runner_that_stops_starts_none_and_ends_all(stand: TerminalStand) -> None:
    await stand.create()
    viewer = stand.attach()
    await stand.close()
    assert (await viewer.to_the_end()).cause is EndCause.RUNNER_STOPPED
    with pytest.raises(Unavailable):
        await stand.create()


async def test_one_in_which_nothing_happens_is_ended(stand: TerminalStand) -> None:
    await stand.create()
    viewer = stand.attach()
    await viewer.run("echo r''eady", "ready")
    await stand.manager.cull(time.time() - 600)
    assert len(stand.manager.all()) == 1
    await stand.manager.cull(time.time() + 1)
    assert (await viewer.to_the_end()).cause is EndCause.CULLED
    assert stand.manager.all() == []


async def test_looks_for_idle_ones_come_at_their_interval(make_stand: MakeStand) -> None:
    stand = make_stand(cull_inactive_timeout_s=0.2, cull_interval_s=0.05)
    await stand.create()
    looking = asyncio.create_task(stand.manager.run())
    await stand.until(lambda: not stand.manager.all())
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


async def test_activity_is_what_is_typed_shown_or_resized(stand: TerminalStand) -> None:
    before = (await stand.create()).last_activity_time
    viewer = stand.attach()
    await viewer.type("x")
    after = stand.manager.get("1").last_activity_time
    assert after > before
    viewer.client.resize(Size(30, 90))
    assert stand.manager.get("1").last_activity_time > after


async def test_a_slow_client_slows_only_itself(stand: TerminalStand) -> None:
    await stand.create()
    slow, fast = stand.attach(), stand.attach()
    await fast.run("seq 1 300000; echo do''ne", r"done\r\n")
    assert fast.gaps == []
    assert b"\r\n150000\r\n" in fast.shown
    await slow.until(r"done\r\n")
    assert len(slow.gaps) >= 1
    assert len(slow.shown) <= KEPT + 256 * 1024


async def test_the_shell_waits_for_its_only_client_and_nothing_is_lost(
    stand: TerminalStand,
) -> None:
    await stand.create()
    viewer = stand.attach()
    await viewer.type("seq 1 400000; echo do''ne\n")
    scrollback = viewer.client._line.scrollback
    await stand.until(lambda: scrollback.end >= 256 * 1024)
    await viewer.until(r"done\r\n")
    assert viewer.gaps == []
    numbers = viewer.shown.split(b"\r\n")
    at = numbers.index(b"2")
    assert numbers[at : at + 399_999] == [str(n).encode() for n in range(2, 400_001)]


async def test_without_clients_the_shell_goes_on_and_the_newest_is_kept(
    stand: TerminalStand, directory: Path
) -> None:
    await stand.create()
    viewer = stand.attach()
    done = directory / "done"
    await viewer.type(f"seq 1 300000; touch {done}\n")
    viewer.client.close()
    await stand.until(done.exists)
    await stand.attach().until(r"\r\n300000\r\n")
    late = stand.attach()
    await late.take()
    assert late.began > 0
    assert late.shown.split(b"\r\n", 1)[0].isdigit(), "it begins with a whole line"


async def test_input_that_is_sent_again_is_typed_once(stand: TerminalStand) -> None:
    await stand.create()
    viewer = stand.attach(client_id="me")
    await viewer.run("echo $((6 * 7))-", r"42-")
    again = stand.attach(client_id="me", resume=viewer.place())
    assert again.resumed
    await again.client.type(0, b"echo $((6 * 7))-\necho $((7 * 7))=\n")
    await again.until("49=")
    assert b"42-" not in again.shown
    with pytest.raises(InvalidArgument):
        await again.client.type(1000, b"x")


async def test_much_input_is_typed_whole_and_in_order(stand: TerminalStand) -> None:
    await stand.create()
    viewer = stand.attach()
    text = "0123456789" * 30_000
    await viewer.run("stty raw -echo; echo r''eady; head -c 300000 | md5sum", "ready")
    typing = asyncio.create_task(viewer.type(text))
    assert await viewer.until("[0-9a-f]{32}") == hashlib.md5(text.encode()).hexdigest()  # noqa: S324
    await typing


async def test_a_runner_that_returns_finds_its_terminals(
    stand: TerminalStand, make_stand: MakeStand
) -> None:
    before = await stand.create("moon")
    viewer = stand.attach("moon", "me", size=Size(33, 99))
    await viewer.run("x=41; echo o''ne", "one")
    shell = stand.holders()[0].children()[0].pid
    after = await returned(stand, make_stand)
    (found,) = after.manager.all()
    assert (found.terminal_id, found.create_time) == (before.terminal_id, before.create_time)
    again = after.attach("moon", "me", viewer.place())
    assert (again.resumed, again.began) == (True, viewer.client.position)
    assert again.client.taken == viewer._typed
    assert await again.run("echo $((x + 1))-; stty size", r"42-\r\n33 99")
    assert after.holders()[0].children()[0].pid == shell


async def test_what_was_shown_without_a_runner_is_there_when_one_returns(
    stand: TerminalStand, make_stand: MakeStand, directory: Path
) -> None:
    await stand.create()
    viewer = stand.attach()
    done = directory / "done"
    await viewer.run(
        f"echo r''eady; while [ ! -e {directory}/go ]; do :; done; seq 1 30000; touch {done}",
        "ready",
    )
    await stand.close(keep=True)
    (directory / "go").touch()
    await stand.until(done.exists)
    after = make_stand()
    await after.manager.adopt()
    again = after.attach(resume=viewer.place())
    await again.until(r"\r\n30000\r\n")
    whole = (viewer.shown + again.shown).split(b"\r\n")
    at = whole.index(b"2")
    assert whole[at : at + 29_999] == [str(n).encode() for n in range(2, 30_001)]
    assert again.gaps == []


async def test_more_than_is_kept_without_a_runner_is_a_gap(
    stand: TerminalStand, make_stand: MakeStand, directory: Path
) -> None:
    await stand.create()
    viewer = stand.attach()
    done = directory / "done"
    go = f"while [ ! -e {directory}/go ]; do :; done"
    await viewer.run(f"echo r''eady; {go}; seq 1 300000; touch {done}", "ready")
    await stand.close(keep=True)
    (directory / "go").touch()
    await stand.until(done.exists)
    after = make_stand()
    await after.manager.adopt()
    again = after.attach(resume=viewer.place())
    await again.until(r"\r\n300000\r\n")
    assert len(again.gaps) == 1
    assert again.gaps[0].first_position == viewer.client.position


async def test_a_shell_that_ended_without_a_runner_says_how(
    stand: TerminalStand, make_stand: MakeStand, directory: Path
) -> None:
    await stand.create()
    viewer = stand.attach()
    go = f"while [ ! -e {directory}/go ]; do :; done"
    await viewer.run(f"echo r''eady; {go}; echo la''st; exit 7", "ready")
    (shell,) = stand.holders()[0].children()
    await stand.close(keep=True)
    (directory / "go").touch()
    await stand.until(lambda: has_ended(shell))
    after = make_stand()
    await after.manager.adopt()
    await after.until(lambda: not after.manager.all())
    again = after.attach(resume=viewer.place())
    ended = await again.to_the_end()
    assert (ended.cause, ended.exit_code) == (EndCause.EXITED, 7)
    assert b"last" in again.shown


async def test_a_terminal_whose_holder_is_gone_is_forgotten(
    stand: TerminalStand, make_stand: MakeStand
) -> None:
    await stand.create()
    (holder,) = stand.holders()
    await stand.close(keep=True)
    holder.kill()
    await stand.until(lambda: has_ended(holder))
    after = make_stand()
    await after.manager.adopt()
    assert after.manager.all() == []


async def test_one_that_ended_unnoticed_does_not_take_its_name_from_the_next(
    stand: TerminalStand, make_stand: MakeStand, directory: Path
) -> None:
    for name in ("1", "2"):
        await stand.create(name)
    older = min(stand.holders(), key=lambda one: one.create_time()).children()[0]
    await stand.close(keep=True)
    # As if the first one had ended, and its runner been killed before it could forget it.
    for record in (directory / "t").glob("*/record.json"):
        record.write_text(record.read_text().replace('"name":"1"', '"name":"2"'))
    older.kill()
    after = make_stand()
    await after.manager.adopt()
    await after.until(lambda: len(after.holders()) == 1)
    assert [one.name for one in after.manager.all()] == ["2"]
    assert await after.attach("2").run("echo $((6 * 7))-", "42-")


async def test_a_place_of_another_terminal_of_the_name_is_none(stand: TerminalStand) -> None:
    await stand.create()
    viewer = stand.attach()
    await viewer.run("echo o''ne", "one")
    await stand.manager.delete("1")
    await stand.create()
    again = stand.attach(resume=viewer.place())
    assert not again.resumed
    assert again.began == 0
