"""Widgets: what a person moves in the page reaches the kernel, and bytes reach the page."""

import base64

from playwright.sync_api import expect

from tests.e2e.lab import Lab

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg=="
)
"""A picture of one pixel."""

SLIDER = """
import ipywidgets
slider = ipywidgets.IntSlider(value=3, min=0, max=10)
seen = ipywidgets.Label("nothing yet")
slider.observe(lambda change: setattr(seen, "value", f"moved to {change.new}"), "value")
ipywidgets.VBox([slider, seen])
"""


def test_a_slider_is_moved_and_the_kernel_sees_it(lab: Lab) -> None:
    notebook = lab.new_notebook()
    cell = notebook.run(SLIDER)
    expect(cell.output.locator(".widget-readout")).to_have_text("3")
    handle = cell.output.locator(".noUi-handle")
    handle.focus()
    for _ in range(4):
        handle.press("ArrowRight")
    # The kernel has answered: its observer has changed the other widget.
    expect(cell.output.locator(".widget-label").last).to_have_text("moved to 7")
    expect(notebook.run("slider.value").result).to_contain_text("7")
    notebook.run("slider.value = 5")
    expect(cell.output.locator(".widget-readout")).to_have_text("5")


def test_bytes_of_a_widget_travel_both_ways(lab: Lab) -> None:
    notebook = lab.new_notebook()
    cell = notebook.run(
        f"import ipywidgets\nimage = ipywidgets.Image(value={PIXEL!r}, width=40)\nimage"
    )
    shown = cell.output.locator("img.widget-image")
    expect(shown).to_have_js_property("complete", value=True)
    assert shown.evaluate("image => image.naturalWidth") == 1
    upload = notebook.run("files = ipywidgets.FileUpload()\nfiles")
    sent = bytes(range(256)) * 1000
    with upload.output.page.expect_file_chooser() as chooser:
        upload.output.locator(".jupyter-button").click()
    chooser.value.set_files(
        {"name": "moons.bin", "mimeType": "application/octet-stream", "buffer": sent}
    )
    expect(upload.output.locator(".jupyter-button")).to_contain_text("(1)")
    same = notebook.run("bytes(files.value[0].content) == bytes(range(256)) * 1000")
    expect(same.result).to_contain_text("True")
