"""Jupyter Notebook 7 beside JupyterLab, above one edge."""

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.lab import TerminalPanel
from tests.e2e.notebook_app import NotebookApp, NotebookTab, take_picture
from tests.e2e.recorder import Recorder
from tests.e2e.server import Server

TERMINAL_SETTINGS = "lab/api/settings/@jupyterlab/terminal-extension:plugin"

OF_ITS_OWN = (
    "Comm not found for comm id",
    "(reading 'options')",
    "(reading 'schema')",
    "(reading 'updateRenderOption')",
    "uncaught: Disposed",
    'Window name candidate "null" already exists',
    "Command 'filebrowser:open-path' not registered",
)
"""What Notebook 7.6 reports before jupyter_server, too."""


@pytest.fixture
def app(page: Page, server: Server, recorder: Recorder) -> Iterator[NotebookApp]:
    """Open Jupyter Notebook in an empty folder."""
    recorder.wanted += OF_ITS_OWN
    folder = f"notebook-{secrets.token_hex(3)}"
    Path(server.root_dir, folder).mkdir()
    app = NotebookApp(page, server, folder, recorder)
    app.open()
    yield app
    recorder.leaving = True
    for tab in page.context.pages[1:]:
        tab.close()
    server.shut_down_kernels()
    server.shut_down_terminals()


def test_a_notebook_is_made_run_saved_and_opened_again(app: NotebookApp) -> None:
    page = app.new("notebook:create-new")
    notebook = NotebookTab(page)
    expect(page).to_have_url(re.compile(rf"/notebooks/{app.folder}/Untitled\.ipynb$"))
    expect(notebook.run("print('hello, ' + 'Io')").text).to_have_text("hello, Io\n")
    expect(notebook.run("6 * 7").result).to_contain_text("42")
    notebook.save()
    take_picture(page, "notebook-app")
    saved = json.loads(Path(app.server.root_dir, app.folder, "Untitled.ipynb").read_bytes())
    assert saved["cells"][0]["outputs"][0]["text"] == ["hello, Io\n"]

    # From the list of files, in another tab: the same notebook, with the same kernel.
    row = app.entries().filter(has_text="Untitled.ipynb")
    expect(row).to_be_visible()
    again = NotebookTab(app.opened_by(row.dblclick))
    expect(again.cell(0).text).to_have_text("hello, Io\n")
    expect(again.run("_ + 1").result).to_contain_text("43")
    assert len(app.server.kernel_ids()) == 1
    take_picture(app.page, "notebook-tree")

    # And in the other front end.
    lab = app.opened_by(again.page.get_by_text("JupyterLab", exact=True).click)
    expect(lab).to_have_url(re.compile(rf"/doc/tree/{app.folder}/Untitled\.ipynb"))
    expect(lab.locator(".jp-OutputArea-executeResult").first).to_contain_text("42")


def test_a_terminal_of_its_own_runs_commands(app: NotebookApp) -> None:
    app.server.request("PUT", TERMINAL_SETTINGS, {"raw": '{"screenReaderMode": true}'})
    page = app.new("terminal:create-new")
    expect(page).to_have_url(re.compile(r"/terminals/1$"))
    terminal = TerminalPanel(page)
    expect(terminal.root).to_be_visible()
    terminal.type("echo moon=$((6 * 7))")
    expect(terminal.rows).to_contain_text("moon=42")


def test_a_text_file_is_edited(app: NotebookApp) -> None:
    file = Path(app.server.root_dir, app.folder, "notes.txt")
    file.write_text("metis")
    page = app.page.context.new_page()
    page.goto(f"{app.server.url}edit/{app.folder}/notes.txt")
    editor = page.locator(".jp-FileEditor .cm-content")
    expect(editor).to_have_text("metis")
    editor.fill("adrastea")
    with page.expect_response(lambda response: response.request.method == "PUT") as saved:
        page.keyboard.press("Control+s")
    assert saved.value.ok
    assert file.read_text() == "adrastea"
