"""The life of a kernel as the notebook in front of it sees it."""

import json
import shutil
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.lab import Lab
from tests.e2e.recorder import Recorder
from tests.running import RunningPerijove, wait_for


def test_interrupt_stops_an_endless_loop_and_keeps_the_variables(lab: Lab) -> None:
    notebook = lab.new_notebook()
    notebook.run("x = 41")
    cell = notebook.start("print('turning')\nwhile True: pass")
    expect(cell.text).to_have_text("turning\n")
    cell.wait_until_running()
    lab.menu("Kernel", "Interrupt Kernel")
    cell.wait_until_done()
    expect(cell.error).to_contain_text("KeyboardInterrupt")
    expect(notebook.run("x + 1").result).to_contain_text("42")


def test_restart_forgets_the_variables_and_goes_on(lab: Lab) -> None:
    notebook = lab.new_notebook()
    notebook.run("x = 41")
    before = lab.server.kernel_ids()
    lab.menu("Kernel", "Restart Kernel…")
    lab.accept_dialog()
    notebook.wait_until_idle()
    failed = notebook.run("x")
    expect(failed.error).to_contain_text("NameError: name 'x' is not defined")
    assert lab.server.kernel_ids() == before


def test_the_kernel_and_its_variables_survive_a_reload_of_the_page(lab: Lab) -> None:
    notebook = lab.new_notebook()
    notebook.run("x = 41")
    lab.save(name="Untitled.ipynb")
    before = lab.server.kernel_ids()
    lab.reload()
    notebook = lab.notebook()
    expect(notebook.run("x + 1").result).to_contain_text("42")
    assert lab.server.kernel_ids() == before


def test_a_kernel_that_died_is_restarted_and_says_so(lab: Lab) -> None:
    notebook = lab.new_notebook()
    cell = notebook.start("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    expect(lab.dialog()).to_contain_text("Kernel Restarting")
    lab.accept_dialog()
    expect(cell.error).to_have_text(
        "KernelDied: The kernel was ended by signal 9 (SIGKILL). "
        "It is started again, without its variables.\n"
    )
    # The status bar goes on saying "Starting" until the next cell: Lab does not count the
    # busy and idle of its own questions.
    expect(notebook.run("6 * 7").result).to_contain_text("42")


def test_a_kernel_that_cannot_start_says_why(
    lab: Lab, perijove: RunningPerijove, recorder: Recorder
) -> None:
    recorder.wanted += ["WebSocket connection to", "websocket failed"]
    directory = Path(perijove.home.environment["JUPYTER_DATA_DIR"], "kernels", "broken")
    directory.mkdir(parents=True)
    command = ["python", "-c", "import sys; sys.exit('there is no such library')"]
    spec = {"argv": command, "display_name": "broken", "language": "python"}
    Path(directory, "kernel.json").write_text(json.dumps(spec))
    wait_for(lambda: "broken" in lab.server.request("GET", "api/kernelspecs")["kernelspecs"])
    lab.reload()
    lab.cards("Notebook").filter(has_text="broken").click()
    dialog = lab.dialog()
    expect(dialog).to_contain_text("Error Starting Kernel", timeout=60_000)
    expect(dialog).to_contain_text("The kernel exited with code 1.")
    expect(dialog).to_contain_text("there is no such library")
    lab.accept_dialog()
    shutil.rmtree(directory)


def test_the_running_panel_shuts_a_kernel_down(lab: Lab) -> None:
    notebook = lab.new_notebook()
    notebook.run("x = 41")
    kernel = lab.running().kernel("Untitled.ipynb")
    expect(kernel).to_be_visible()
    lab.running().shut_down("Untitled.ipynb")
    expect(kernel).to_have_count(0)
    expect(notebook.status).not_to_contain_text("Idle")
    assert lab.server.kernel_ids() == set()
