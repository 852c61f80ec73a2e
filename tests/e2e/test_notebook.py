"""A notebook from the launcher to the reloaded page."""

import json
import re

from playwright.sync_api import expect

from tests.e2e.lab import Lab

RICH_HTML = (
    '<b class="plain">rich</b><i class="scripted">quiet</i>'
    '<script>document.querySelector(".scripted").textContent = "alive"</script>'
)
"""Says in its text whether its script was run: only in a trusted notebook."""

RICH = f"from IPython.display import HTML; HTML({RICH_HTML!r})"
TRUSTED = re.compile("^Notebook trusted")


def notebook_with_html(html: str) -> str:
    """Return the text of a notebook whose one cell has HTML as its output."""
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": html}}
    cell = {
        "cell_type": "code",
        "id": "only",
        "source": "show()",
        "execution_count": 1,
        "metadata": {},
        "outputs": [output],
    }
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    return json.dumps({"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def test_the_launcher_offers_the_kernels_of_the_server(lab: Lab) -> None:
    specs = lab.server.request("GET", "api/kernelspecs")["kernelspecs"].values()
    names = sorted(spec["spec"]["display_name"] for spec in specs)
    expect(lab.cards("Notebook")).to_have_count(len(names))
    assert sorted(lab.cards("Notebook").all_inner_texts()) == names
    icon = lab.cards("Notebook").first.locator("img")
    expect(icon).to_have_js_property("complete", value=True)
    assert icon.evaluate("image => image.naturalWidth") > 0


def test_a_notebook_shows_what_its_cells_print_return_and_raise(lab: Lab) -> None:
    notebook = lab.new_notebook()
    expect(notebook.run("print('hello, ' + 'world')").text).to_have_text("hello, world\n")
    expect(notebook.run("6 * 7").result).to_contain_text("42")
    rich = notebook.run(RICH)
    expect(rich.html.locator(".plain")).to_have_text("rich")
    expect(rich.html.locator(".scripted")).to_have_text("alive")
    failed = notebook.run("1 / 0")
    expect(failed.error).to_contain_text("Traceback (most recent call last)")
    expect(failed.error).to_contain_text("ZeroDivisionError: division by zero")
    lab.take_picture("notebook")


def test_a_cell_asks_for_input_and_goes_on_with_the_answer(lab: Lab) -> None:
    notebook = lab.new_notebook()
    cell = notebook.start("print('hello ' + input('who? '))")
    expect(cell.answer).to_be_visible()
    expect(cell.output).to_contain_text("who?")
    cell.answer.fill("Io")
    cell.answer.press("Enter")
    cell.wait_until_done()
    expect(cell.output).to_contain_text("hello Io")


def test_saved_outputs_are_there_and_trusted_after_a_reload(lab: Lab) -> None:
    notebook = lab.new_notebook()
    notebook.run("print('kept')")
    notebook.run(RICH)
    lab.save(name="Untitled.ipynb")

    lab.reload()
    notebook = lab.notebook()
    expect(notebook.cell(0).text).to_have_text("kept\n")
    html = notebook.cell(1).html
    expect(html.locator(".plain")).to_have_text("rich")
    expect(html.locator(".scripted")).to_have_text("alive")
    expect(notebook.trust).to_have_attribute("title", TRUSTED)


def test_a_notebook_from_elsewhere_is_not_trusted(lab: Lab) -> None:
    lab.place("foreign.ipynb", notebook_with_html(RICH_HTML))
    lab.files.open("foreign.ipynb")
    notebook = lab.notebook()
    html = notebook.cell(0).html
    expect(html.locator(".plain")).to_have_text("rich")
    expect(html.locator(".scripted")).to_have_text("quiet")
    expect(notebook.trust).not_to_have_attribute("title", TRUSTED)


def test_a_renamed_notebook_keeps_its_kernel(lab: Lab) -> None:
    notebook = lab.new_notebook()
    notebook.run("x = 41")
    lab.save(name="before.ipynb")
    lab.menu("File", "Rename Notebook")
    lab.answer_dialog("after.ipynb")
    expect(lab.tab("after.ipynb")).to_be_visible()
    expect(lab.files.entry("after.ipynb")).to_be_visible()
    expect(lab.files.entry("before.ipynb")).to_have_count(0)
    expect(notebook.run("x + 1").result).to_contain_text("42")
    assert lab.names_on_disk() == {"after.ipynb"}
