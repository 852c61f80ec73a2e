"""How log lines leave the process."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
import threading

from perijove_chassis.log_lines import LogLines

PROGRAM = """
import asyncio, sys
import structlog
from perijove_chassis.telemetry import configure_logging

configure_logging("europa", level="info", fmt="json")
log = structlog.get_logger()
log.info("first", kernel_id="a")

async def main():
    log.info("second")
    log.debug("unseen")
    try:
        raise ValueError("no")
    except ValueError:
        log.exception("third")
    log.info("fourth")
    sys.exit()

asyncio.run(main())
"""


class Writes(io.BytesIO):
    """A file that remembers what it was given at once."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[bytes] = []

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.calls.append(data)
        return len(data)


async def test_lines_of_a_turn_are_written_together_after_it() -> None:
    file = Writes()
    lines = LogLines(file)
    lines.info("a")
    lines.info("b")
    assert file.calls == []
    await asyncio.sleep(0)
    assert file.calls == [b"a\nb\n"]
    lines.info("c")
    await asyncio.sleep(0)
    assert file.calls == [b"a\nb\n", b"c\n"]


async def test_what_went_wrong_is_written_at_once_and_after_what_came_before() -> None:
    file = Writes()
    lines = LogLines(file)
    lines.info("a")
    lines.error("b")
    assert file.calls == [b"a\nb\n"]
    lines.info("c")
    await asyncio.sleep(0)
    assert file.calls == [b"a\nb\n", b"c\n"]


async def test_many_lines_do_not_wait() -> None:
    file = Writes()
    lines = LogLines(file)
    for number in range(2500):
        lines.info(str(number))
    assert len(file.calls) == 2
    await asyncio.sleep(0)
    assert b"".join(file.calls) == b"".join(b"%d\n" % number for number in range(2500))


def test_where_no_loop_runs_a_line_is_written_at_once() -> None:
    file = Writes()
    LogLines(file).info("a")
    assert file.calls == [b"a\n"]


async def test_lines_of_several_threads_are_all_written_once() -> None:
    file = Writes()
    lines = LogLines(file)

    def write(name: str) -> None:
        for number in range(500):
            lines.info(f"{name}{number}")

    threads = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    write("c")
    for thread in threads:
        thread.join()
    await asyncio.sleep(0)
    found = b"".join(file.calls).decode().split()
    assert sorted(found) == sorted(f"{name}{number}" for name in "abc" for number in range(500))
    for name in "abc":
        assert [line for line in found if line.startswith(name)] == [
            f"{name}{number}" for number in range(500)
        ]


async def test_nobody_fails_because_a_line_cannot_be_written() -> None:
    file = io.BytesIO()
    file.close()
    lines = LogLines(file)
    lines.info("a")
    lines.error("b")
    await asyncio.sleep(0)


def test_a_process_that_ends_has_written_its_last_lines() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, timeout=60
    )
    found = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(line["event"], line["level"]) for line in found] == [
        ("first", "info"),
        ("second", "info"),
        ("third", "error"),
        ("fourth", "info"),
    ]
    assert {line["process"] for line in found} == {"europa"}
    assert found[0]["kernel_id"] == "a"
    assert "ValueError: no" in found[2]["exception"]
    times = [line["timestamp"] for line in found]
    assert times == sorted(times)
    assert all(len(time) == len("2026-11-24T01:02:03.000000Z") for time in times)
