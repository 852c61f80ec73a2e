"""Jupyter Notebook as a person sees it: each document in a browser tab of its own."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.e2e.notebook import Cell
from tests.e2e.recorder import RESULTS, Recorder
from tests.e2e.server import Server


class NotebookApp:
    """The tab with the files, and what is opened from it."""

    def __init__(self, page: Page, server: Server, folder: str, recorder: Recorder) -> None:
        self.page = page
        self.server = server
        self.folder = folder
        page.context.on("page", recorder.attach)

    def open(self) -> None:
        """Load the folder's page as a link with the token does."""
        self.page.goto(f"{self.server.url}tree/{self.folder}?token={self.server.token}")
        expect(self.entries()).to_have_count(0)
        expect(self.page.get_by_text("New", exact=True)).to_be_visible(timeout=60_000)

    def entries(self) -> Locator:
        """Return the rows of the folder's files."""
        return self.page.locator(".jp-DirListing-item")

    def opened_by(self, action: Callable[[], None]) -> Page:
        """Return the tab that opens when something is done."""
        with self.page.context.expect_page() as opened:
            action()
        return opened.value

    def new(self, command: str) -> Page:
        """Choose an entry of the menu of what is new, and return its tab."""
        self.page.get_by_text("New", exact=True).click()
        entry = self.page.locator(f".lm-Menu-item[data-command='{command}']:visible").first
        return self.opened_by(entry.click)


class NotebookTab:
    """The tab of one notebook."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.cells = page.locator(".jp-CodeCell")
        self.kernel = page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']")
        expect(self.cells.last).to_be_visible(timeout=60_000)
        expect(self.kernel).to_be_visible(timeout=60_000)

    def cell(self, index: int) -> Cell:
        """Return a code cell by its position."""
        return Cell(self.cells.nth(index))

    def run(self, code: str) -> Cell:
        """Type code into the last cell, run it, and return it once the kernel has replied."""
        count = self.cells.count()
        self.cells.nth(count - 1).locator(".cm-content").fill(code)
        self.page.keyboard.press("Shift+Enter")
        expect(self.cells).to_have_count(count + 1)
        cell = self.cell(count - 1)
        cell.wait_until_done()
        return cell

    def save(self) -> None:
        """Press the button, and wait until it is saved."""
        path = re.compile(r"/api/contents/")
        with self.page.expect_response(
            lambda response: response.request.method == "PUT" and bool(path.search(response.url))
        ) as saved:
            self.page.locator("[data-command='docmanager:save']").click()
        assert saved.value.ok


def take_picture(page: Page, name: str) -> None:
    """Save a screenshot for a person to look at, and say where."""
    path = RESULTS / f"{name}.png"
    page.screenshot(path=path)
    print(f"screenshot: {path.resolve()}")  # noqa: T201, asked for
