"""What people see while a part of the server is not there yet."""

import os
import signal

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.recorder import RESULTS, Recorder
from tests.e2e.server import Server
from tests.running import RunningPerijove


@pytest.fixture
def stopped(perijove: RunningPerijove) -> int:
    """Return the process of contents, which works again at the latest after the test."""
    return perijove.pid("contents")


def test_a_page_says_what_it_waits_for_and_goes_on_by_itself(
    page: Page, server: Server, recorder: Recorder, stopped: int
) -> None:
    recorder.wanted += ["503 GET", "status of 503"]
    os.kill(stopped, signal.SIGSTOP)
    try:
        page.goto(f"{server.url}lab?token={server.token}")
        waiting = page.locator("li.missing")
        expect(waiting).to_have_text("Files and settings: no answer yet")
        expect(page.locator("h1")).to_have_text("JupyterLab is starting")
        assert "token" not in page.url
        page.screenshot(path=RESULTS / "starting.png")
    finally:
        os.kill(stopped, signal.SIGCONT)
    expect(page.locator("#jp-main-dock-panel")).to_be_visible(timeout=60_000)
    # What was asked for before is cut off by going on.
    recorder.leaving = True
