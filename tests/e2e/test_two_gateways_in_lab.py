"""JupyterLab through a proxy that knows no stickiness, before two gateways."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Response, expect

from tests.e2e.lab import Lab, TerminalPanel
from tests.e2e.proxy import RoundRobin
from tests.e2e.server import Server
from tests.gateways import another_gateway
from tests.running import RunningPerijove

THEME = "lab/api/settings/@jupyterlab/apputils-extension:themes"
TERMINAL = "lab/api/settings/@jupyterlab/terminal-extension:plugin"


@pytest.fixture(autouse=True)
def proxy(perijove: RunningPerijove) -> Iterator[RoundRobin]:
    """Serve the proxy until after the page is closed."""
    with another_gateway(perijove) as port:
        first, second = perijove.url.rstrip("/"), f"http://127.0.0.1:{port}"
        with RoundRobin((first, second)).serving() as proxy:
            yield proxy


@pytest.fixture
def server(perijove: RunningPerijove, proxy: RoundRobin) -> Iterator[Server]:
    server = Server(proxy.url, perijove.token, Path(perijove.root_dir))
    yield server
    for setting in (THEME, TERMINAL):
        server.request("PUT", setting, {"raw": "{}"})


def test_settings_and_layout_survive_a_reload_through_the_other_gateway(
    lab: Lab, proxy: RoundRobin, tmp_path: Path
) -> None:
    first, second = proxy.servers
    proxy.only(first)
    lab.reload()
    lab.place("notes.md", "# Io")
    with lab.page.expect_response(is_put(f"workspaces/{lab.folder}")):
        lab.files.open("notes.md")
        expect(lab.tab("notes.md")).to_be_visible()
    with lab.page.expect_response(is_put("settings/")):
        lab.menu("Settings", "Theme", "JupyterLab Dark")
    body = lab.page.locator("body")
    expect(body).to_have_attribute("data-jp-theme-name", "JupyterLab Dark")

    # Nothing of it is in the gateway that it went through.
    proxy.only(second)
    lab.reload()
    expect(lab.tab("notes.md")).to_be_visible()
    expect(body).to_have_attribute("data-jp-theme-name", "JupyterLab Dark")
    expect(lab.editor()).to_contain_text("# Io")

    # And with both of them by turns: kernel, export, terminal.
    proxy.only(*proxy.servers)
    before = dict(proxy.counts)
    # The menu has no formats before the first notebook asks for them.
    with lab.page.expect_response("**/api/nbconvert*"):
        lab.menu("File", "New", "Notebook")
        lab.accept_dialog()
        notebook = lab.notebook()
    expect(notebook.run("print('Io', 40 + 2)").text).to_have_text("Io 42\n")
    lab.menu("File", "Save and Export Notebook As")
    formats = lab.page.locator(".lm-Menu-item[data-command='notebook:export-to-format']:visible")
    formats.filter(has_text="HTML").first.click()
    with lab.page.expect_download() as started:
        lab.accept_dialog()
    started.value.save_as(tmp_path / "saved.html")
    assert "Io 42" in (tmp_path / "saved.html").read_text()
    lab.server.request("PUT", TERMINAL, {"raw": '{"screenReaderMode": true}'})
    lab.reload()
    lab.menu("File", "New", "Terminal")
    terminal = TerminalPanel(lab.page)
    terminal.type("echo moon=$((6 * 7))")
    expect(terminal.rows).to_contain_text("moon=42")
    lab.take_picture("dark")
    assert all(proxy.counts[one] > before[one] for one in proxy.servers)
    # Who tidies up goes by lists, which are a moment older in the other gateway.
    proxy.only(first)


def is_put(part: str) -> Callable[[Response], bool]:
    """Return whether a response says that something was stored."""
    return lambda response: (
        response.request.method == "PUT" and f"lab/api/{part}" in response.url and response.ok
    )
