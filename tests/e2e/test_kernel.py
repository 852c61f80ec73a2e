"""The life of a kernel as the notebook in front of it sees it."""

from playwright.sync_api import expect

from tests.e2e.lab import Lab


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
    notebook.start("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    expect(lab.dialog()).to_contain_text("Kernel Restarting")
    lab.accept_dialog()
    # The status bar goes on saying "Starting" until the next cell: Lab does not count the
    # busy and idle of its own questions.
    expect(notebook.run("6 * 7").result).to_contain_text("42")


def test_the_running_panel_shuts_a_kernel_down(lab: Lab) -> None:
    notebook = lab.new_notebook()
    notebook.run("x = 41")
    kernel = lab.running().kernel("Untitled.ipynb")
    expect(kernel).to_be_visible()
    lab.running().shut_down("Untitled.ipynb")
    expect(kernel).to_have_count(0)
    expect(notebook.status).not_to_contain_text("Idle")
    assert lab.server.kernel_ids() == set()
