"""JupyterLab as a person sees it: menus, dialogs, the launcher, sidebars."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.e2e.files import FileBrowser
from tests.e2e.notebook import Notebook
from tests.e2e.recorder import RESULTS, Recorder
from tests.e2e.server import Server


class Lab:
    """One JupyterLab in one browser tab, in a workspace and a folder of its own."""

    def __init__(self, page: Page, server: Server, folder: str, recorder: Recorder) -> None:
        self.page = page
        self.server = server
        self.folder = folder
        self.files = FileBrowser(page)
        self._recorder = recorder

    @property
    def path(self) -> str:
        """Return where this Lab lives below the server's base URL."""
        return f"lab/workspaces/{self.folder}/tree/{self.folder}"

    def place(self, name: str, text: str) -> None:
        """Put a file into the folder behind Lab's back, and wait until it is listed."""
        Path(self.server.root_dir, self.folder, name).write_text(text)
        self.files.refresh()
        expect(self.files.entry(name)).to_be_visible()

    def names_on_disk(self, folder: str = "") -> set[str]:
        """Return what is in the folder or one below it, without hidden files."""
        entries = Path(self.server.root_dir, self.folder, folder).iterdir()
        return {entry.name for entry in entries if not entry.name.startswith(".")}

    def bytes_on_disk(self, path: str) -> bytes:
        """Return the content of a file below the folder."""
        return Path(self.server.root_dir, self.folder, path).read_bytes()

    def open(self) -> None:
        """Load Lab as the banner's link does: the token in the URL."""
        self.page.goto(f"{self.server.url}{self.path}?token={self.server.token}")
        self.wait_until_loaded()

    def reload(self) -> None:
        """Reload the page as F5 does, and wait until Lab is there again."""
        self._recorder.leaving = True
        self.page.reload()
        self._recorder.leaving = False
        self.wait_until_loaded()

    def wait_until_loaded(self) -> None:
        """Wait until the splash screen is gone and the folder is listed."""
        expect(self.page.locator("#jp-main-dock-panel")).to_be_visible(timeout=60_000)
        expect(self.page.locator("#jupyterlab-splash")).to_have_count(0)
        expect(self.files.crumbs).to_contain_text(self.folder)

    def menu(self, *path: str) -> None:
        """Choose an entry of the menu bar: `lab.menu("Kernel", "Interrupt Kernel")`."""
        top, *entries = path
        self.page.get_by_role("menubar").get_by_text(top, exact=True).click()
        for entry in entries:
            name = re.compile(rf"^{re.escape(entry)}")
            labels = self.page.locator(".lm-Menu-item:visible .lm-Menu-itemLabel")
            labels.filter(has_text=name).first.click()

    def dialog(self) -> Locator:
        """Return the one open dialog."""
        return self.page.locator(".jp-Dialog")

    def accept_dialog(self) -> None:
        """Press the dialog's main button, and wait until it is gone."""
        self.dialog().locator(".jp-mod-accept").click()
        expect(self.dialog()).to_have_count(0)

    def answer_dialog(self, text: str) -> None:
        """Fill the dialog's one text field, and accept."""
        self.dialog().locator("input:not([type='checkbox'])").fill(text)
        self.accept_dialog()

    def cards(self, section: str) -> Locator:
        """Return the launcher's cards of a section: Notebook, Console, Other."""
        return self.page.locator(f".jp-LauncherCard[data-category='{section}']:visible")

    def new_notebook(self) -> Notebook:
        """Open a notebook with the launcher's first kernel, ready to run."""
        expect(self.page.locator(".jp-Launcher-cwd:visible")).to_have_text(self.folder)
        self.cards("Notebook").first.click()
        return self.notebook()

    def notebook(self) -> Notebook:
        """Return the notebook in front, once its kernel is idle."""
        notebook = Notebook(self.page)
        notebook.wait_until_idle()
        return notebook

    def save(self, name: str | None = None) -> None:
        """Save the document in front; a document that was never named asks for a name."""
        self.menu("File", "Save ")
        if name is not None:
            self.answer_dialog(name)
        expect(self.page.locator(".lm-DockPanel-tabBar .jp-mod-dirty")).to_have_count(0)

    def tab(self, title: str) -> Locator:
        """Return the tab of an open document."""
        tabs = self.page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab")
        return tabs.filter(has=self.page.get_by_text(title, exact=True))

    def take_picture(self, name: str) -> None:
        """Save a screenshot for a person to look at, and say where."""
        path = RESULTS / f"{name}.png"
        self.page.screenshot(path=path)
        print(f"screenshot: {path.resolve()}")  # noqa: T201, asked for

    def editor(self) -> Locator:
        """Return the text editor in front."""
        return self.page.locator(".jp-FileEditor:not(.lm-mod-hidden) .cm-content")

    def running(self) -> "Running":
        """Return the panel of what runs, in front."""
        return Running(self.page)


class TerminalPanel:
    """The terminal in front, as a screen reader sees it: a canvas has no text."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator(".jp-Terminal:not(.lm-mod-hidden)")
        self.rows = self.root.locator(".xterm-accessibility-tree")

    def type(self, text: str) -> None:
        """Type a line."""
        self.root.locator(".xterm-helper-textarea").focus()
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")


class Running:
    """The panel of what runs on the server."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator("#jp-running-sessions")
        if not self.root.is_visible():
            page.locator(".jp-SideBar [data-id='jp-running-sessions']").click()

    def kernel(self, name: str) -> Locator:
        """Return the row of the document whose kernel runs."""
        section = self.root.get_by_role("region", name="Kernels Section")
        return section.locator(".jp-RunningSessions-item.jp-mod-kernel").filter(has_text=name)

    def shut_down(self, name: str) -> None:
        """Press the cross beside a kernel, and confirm if asked."""
        row = self.kernel(name)
        row.hover()
        row.locator(".jp-RunningSessions-itemShutdown").first.click()
