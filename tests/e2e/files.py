"""The file browser panel."""

from pathlib import Path

from playwright.sync_api import Locator, Page, expect


class FileBrowser:
    """The panel at the left with the folder's files."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.listing = page.locator("#filebrowser .jp-DirListing-content")
        self.crumbs = page.locator("#filebrowser .jp-BreadCrumbs")
        self._toolbar = page.locator("#filebrowser .jp-FileBrowser-toolbar")

    def entry(self, name: str) -> Locator:
        """Return the row of a file or folder."""
        items = self.listing.locator(".jp-DirListing-item")
        return items.filter(has=self.page.get_by_text(name, exact=True))

    def refresh(self) -> None:
        """Ask the server for the listing again."""
        self._toolbar.locator("[data-command='filebrowser:refresh']").click()

    def new_folder(self, name: str) -> None:
        """Create a folder and name it, as the panel offers at once."""
        self._toolbar.locator("[data-command='filebrowser:create-new-directory']").click()
        self.type_name(name)

    def type_name(self, name: str) -> None:
        """Type a name into the field that is open in the list."""
        field = self.listing.locator("input.jp-DirListing-editor")
        field.fill(name)
        field.press("Enter")
        expect(self.entry(name)).to_be_visible()

    def open(self, name: str) -> None:
        """Open a file or enter a folder."""
        self.entry(name).dblclick()

    def upload(self, file: Path) -> None:
        """Choose a file from the machine for upload."""
        with self.page.expect_file_chooser() as chooser:
            self._toolbar.locator("[data-jp-item-name='uploader']").click()
        chooser.value.set_files(file)
        expect(self.entry(file.name)).to_be_visible()

    def choose(self, name: str, command: str) -> None:
        """Choose a command from the context menu of an entry."""
        self.entry(name).click(button="right")
        self.page.locator(f".lm-Menu-item[data-command='{command}']:visible").click()
