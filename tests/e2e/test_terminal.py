"""A terminal as a person in JupyterLab sees it."""

from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.lab import Lab, TerminalPanel

SETTINGS = "lab/api/settings/@jupyterlab/terminal-extension:plugin"


def test_a_terminal_from_the_launcher_runs_commands_where_the_files_are(lab: Lab) -> None:
    lab.server.request("PUT", SETTINGS, {"raw": '{"screenReaderMode": true}'})
    lab.reload()
    lab.cards("Other").filter(has_text="Terminal").click()
    terminal = TerminalPanel(lab.page)
    expect(terminal.root).to_be_visible()
    terminal.type("echo moon=$((6 * 7)) | tee here.txt; basename $PWD")
    expect(terminal.rows).to_contain_text("moon=42")
    expect(terminal.rows).to_contain_text(lab.folder)
    (model,) = lab.server.request("GET", "api/terminals")
    assert model["name"] == "1"
    assert Path(lab.server.root_dir, lab.folder, "here.txt").read_text() == "moon=42\n"
    lab.take_picture("terminal")

    # What was shown is there again after a reload, and the shell is the same.
    lab.reload()
    terminal = TerminalPanel(lab.page)
    expect(terminal.rows).to_contain_text("moon=42")
    terminal.type("exit")
    expect(terminal.root).to_have_count(0)
    assert lab.server.request("GET", "api/terminals") == []
