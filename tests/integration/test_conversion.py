"""Conversions that end otherwise than well, through the whole stack."""

from __future__ import annotations

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil
import pytest

from tests.running import wait_for

if TYPE_CHECKING:
    from tests.conftest import StartPerijove
    from tests.running import RunningPerijove

PLUGINS = Path(__file__).parents[2] / "services" / "contents" / "tests" / "plugins"
OUTPUT_BYTES = 1024 * 1024
TIMEOUT_S = 4.0


@pytest.fixture(scope="module")
def running(start_shared: StartPerijove) -> RunningPerijove:
    """Run a stack with exporters as nobody should have them, and short limits."""
    return start_shared(
        PYTHONPATH=str(PLUGINS),
        PERIJOVE_CONTENTS_CONVERSION_TIMEOUT_S=str(TIMEOUT_S),
        PERIJOVE_CONTENTS_CONVERSION_OUTPUT_BYTES=str(OUTPUT_BYTES),
    )


def lay(running: RunningPerijove, odd: Any = None) -> None:
    notebook = {"cells": [], "metadata": {"odd": odd}, "nbformat": 4, "nbformat_minor": 5}
    (running.root_dir / "n.ipynb").write_text(json.dumps(notebook))


def ask(running: RunningPerijove, exporter: str) -> http.client.HTTPConnection:
    url = urlsplit(running.url)
    connection = http.client.HTTPConnection(url.netloc, timeout=90)
    headers = {"Authorization": f"token {running.token}"}
    connection.request("GET", f"{url.path}nbconvert/{exporter}/n.ipynb", headers=headers)
    return connection


def answer(running: RunningPerijove, exporter: str) -> tuple[int, str]:
    connection = ask(running, exporter)
    try:
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def hanging(running: RunningPerijove) -> list[psutil.Process]:
    """Return the programs that a conversion waits for."""
    below = psutil.Process(running.pid("contents")).children(recursive=True)
    return [child for child in below if _name(child) == "sleep"]


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def test_who_is_refused_while_he_still_sends_hears_why(running: RunningPerijove) -> None:
    """The answer comes before all is sent, and must not get lost on the way."""
    url = urlsplit(running.url)
    content = {
        "cells": [],
        "metadata": {"odd": "o" * 1_000_000},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    body = json.dumps({"content": content})

    def send(_: int) -> int:
        headers = {"Authorization": f"token {running.token}"}
        with closing(http.client.HTTPConnection(url.netloc, timeout=90)) as connection:
            connection.request("POST", f"{url.path}nbconvert/nope", body, headers)
            with connection.getresponse() as response:
                return response.status

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(send, range(80))) == {404}


def test_a_conversion_that_hangs_is_a_timeout(running: RunningPerijove) -> None:
    lay(running)
    status, page = answer(running, "odd_hang")
    assert status == 504
    assert "took more than 4 s" in page
    wait_for(lambda: not hanging(running))
    assert answer(running, "odd_pid")[0] == 200


def test_a_conversion_that_crashes_is_one_error(running: RunningPerijove) -> None:
    lay(running)
    status, page = answer(running, "odd_crash")
    assert status == 500
    assert "nbconvert failed: the conversion broke off" in page
    assert answer(running, "odd_pid")[0] == 200


def test_an_output_that_is_too_large_is_refused(running: RunningPerijove) -> None:
    lay(running, OUTPUT_BYTES)
    status, text = answer(running, "odd_large")
    assert (status, len(text)) == (200, OUTPUT_BYTES)
    lay(running, OUTPUT_BYTES + 1)
    status, page = answer(running, "odd_large")
    assert status == 413
    assert "the output is larger than" in page


def test_a_browser_that_goes_away_ends_its_conversion(start_perijove: StartPerijove) -> None:
    running = start_perijove(PYTHONPATH=str(PLUGINS))
    lay(running)
    connection = ask(running, "odd_hang")
    (program,) = wait_for(lambda: hanging(running))
    connection.close()
    wait_for(lambda: not program.is_running())
    assert answer(running, "odd_pid")[0] == 200


def test_no_worker_outlives_the_process_that_started_it(start_perijove: StartPerijove) -> None:
    running = start_perijove()
    lay(running)
    assert answer(running, "python")[0] == 200
    (worker,) = psutil.Process(running.pid("contents")).children()
    running.kill("contents")
    wait_for(lambda: not worker.is_running())
    assert answer(running, "python")[0] == 200
