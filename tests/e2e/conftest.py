"""A real JupyterLab in a real Chromium, against Perijove or any other Jupyter server."""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import chromium
from tests.e2e.lab import Lab
from tests.e2e.recorder import RESULTS, Recorder
from tests.e2e.server import Server

PATIENCE_MS = 30_000
"""Longest wait for anything on a busy machine; what is there sooner is seen sooner."""

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:  # noqa: ARG001
    """Remember a failure, so that the fixtures save what the page looked like."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Server:
    url = request.config.getoption("--server", default=None)
    if url is not None:
        root_dir = request.config.getoption("--root")
        assert root_dir is not None, "--server needs --root"
        token = request.config.getoption("--token")
        return Server(url=url.rstrip("/") + "/", token=token, root_dir=Path(root_dir))
    perijove = request.getfixturevalue("perijove")
    return Server(
        url=str(perijove.url).rstrip("/") + "/",
        token=perijove.token,
        root_dir=Path(perijove.root_dir),
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.launched() as browser:
        yield browser


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def page(browser: Browser, recorder: Recorder, request: pytest.FixtureRequest) -> Iterator[Page]:
    expect.set_options(timeout=PATIENCE_MS)
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    recorder.attach(page)
    yield page
    if request.node.stash.get(FAILED, False) or recorder.problems:
        directory = RESULTS / request.node.name
        directory.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=directory / "page.png")
        recorder.save(directory)
    recorder.leaving = True
    context.close()
    recorder.assert_clean()


@pytest.fixture
def lab(
    page: Page, server: Server, recorder: Recorder, request: pytest.FixtureRequest
) -> Iterator[Lab]:
    """Open Lab in an empty folder and a workspace that no earlier run has used."""
    folder = f"{re.sub(r'[^a-z]', '-', request.node.name)[:60]}-{secrets.token_hex(3)}"
    Path(server.root_dir, folder).mkdir()
    lab = Lab(page, server, folder, recorder)
    lab.open()
    yield lab
    server.shut_down_kernels()
    server.shut_down_terminals()
