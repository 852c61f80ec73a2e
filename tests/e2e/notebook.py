"""The notebook in front."""

import re

from playwright.sync_api import Locator, Page, expect


class Cell:
    """One code cell."""

    def __init__(self, root: Locator) -> None:
        self.prompt = root.locator(".jp-InputPrompt").first
        self.output = root.locator(".jp-OutputArea").first
        self.text = root.locator(
            ".jp-RenderedText[data-mime-type='application/vnd.jupyter.stdout']"
        )
        self.result = root.locator(".jp-OutputArea-executeResult")
        self.error = root.locator("[data-mime-type='application/vnd.jupyter.stderr']")
        self.html = root.locator(".jp-RenderedHTML")
        self.answer = root.locator(".jp-Stdin-input")

    def wait_until_running(self) -> None:
        """Wait for the star in the prompt."""
        expect(self.prompt).to_have_text("[*]:")

    def wait_until_done(self) -> None:
        """Wait for the number in the prompt: the kernel has replied."""
        expect(self.prompt).to_have_text(re.compile(r"\[\d+\]:"))


class Notebook:
    """The visible notebook; its last cell is the one that is typed into."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        self.cells = self.root.locator(".jp-CodeCell")
        self.status = page.locator("#jp-main-statusbar [title^='Change kernel']")
        self.trust = page.locator(".jp-StatusItem-trust")

    def wait_until_idle(self) -> None:
        """Wait until the status bar says that the kernel has nothing to do.

        The indicator in the toolbar says so too before there is a kernel.
        """
        expect(self.status).to_have_text(re.compile(r"\| Idle$"), timeout=60_000)
        expect(self.cells.last).to_be_visible()

    def cell(self, index: int) -> Cell:
        """Return a code cell by its position; negative counts from the end."""
        return Cell(self.cells.nth(index))

    def start(self, code: str) -> Cell:
        """Type code into the last cell and run it; a new cell appears below."""
        count = self.cells.count()
        self.cells.nth(count - 1).locator(".cm-content").fill(code)
        self.page.keyboard.press("Shift+Enter")
        expect(self.cells).to_have_count(count + 1)
        return self.cell(count - 1)

    def run(self, code: str) -> Cell:
        """Run code in the last cell and wait for the kernel's reply."""
        cell = self.start(code)
        cell.wait_until_done()
        return cell
