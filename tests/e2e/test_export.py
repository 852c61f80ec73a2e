"""A notebook saved as something else."""

from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.lab import Lab


def test_a_notebook_is_exported_as_a_page(lab: Lab, tmp_path: Path) -> None:
    # The menu has no formats before the first notebook asks for them.
    with lab.page.expect_response("**/api/nbconvert*"):
        notebook = lab.new_notebook()
    notebook.run("print('Io', 40 + 2)")
    # The last change is saved before, by itself.
    lab.menu("File", "Save and Export Notebook As")
    formats = lab.page.locator(".lm-Menu-item[data-command='notebook:export-to-format']:visible")
    expect(formats.filter(has_text="Markdown")).to_be_visible()
    formats.filter(has_text="HTML").first.click()
    expect(lab.dialog()).to_contain_text("Sanitize")
    with lab.page.expect_download() as started:
        lab.accept_dialog()
    download = started.value
    assert download.suggested_filename == "Untitled.html"
    saved = tmp_path / "saved.html"
    download.save_as(saved)
    page = saved.read_text()
    assert "<title>Untitled</title>" in page
    assert "Io 42" in page
