"""Perijove as the gateway of stock jupyter_servers, and of programs that use one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.servers import TOKEN
from tests.jupyter_ws import JupyterClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.clients.conftest import RunProgram, StartStock
    from tests.conformance.servers import RunningStock
    from tests.running import RunningPerijove

MANAGERS = Path(__file__).with_name("node") / "managers"
CELLS = ["a = 6\nprint(a)", "a * 7"]


@pytest.fixture(scope="module")
def stock(start_stock: StartStock) -> RunningStock:
    return start_stock(KERNEL_TEAM="jupiter", TEAM="earth", JUPYTER_GATEWAY_ALLOWED_ENVS="TEAM")


def _notebook(path: Path) -> None:
    cells = [
        {"cell_type": "code", "id": f"c{number}", "metadata": {}, "outputs": [], "source": source}
        | {"execution_count": None}
        for number, source in enumerate(CELLS)
    ]
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernelspec}}
    path.write_text(json.dumps(notebook | {"nbformat": 4, "nbformat_minor": 5}))


def _results(path: Path) -> list[str]:
    outputs = [
        output for cell in json.loads(path.read_text())["cells"] for output in cell["outputs"]
    ]
    texts = [output.get("text") or output["data"]["text/plain"] for output in outputs]
    return ["".join(text) for text in texts]


def test_nbclient_executes_a_notebook_through_a_stock_server(
    start_stock: StartStock, run_program: RunProgram, tmp_path: Path
) -> None:
    # The client of nbclient sends no token on its WebSocket.
    open_to_all = {"IdentityProvider.token": "", "ServerApp.disable_check_xsrf": True}
    between, path = start_stock(open_to_all), tmp_path / "n.ipynb"
    _notebook(path)
    run_program(
        "execute_notebook.py",
        str(path),
        JUPYTER_GATEWAY_URL=between.url,
    )
    assert _results(path) == ["6\n", "42"]


def test_jupyter_kernel_client_runs_code(
    run_program: RunProgram, perijove: RunningPerijove
) -> None:
    code = "remembered = 6 * 7\nprint(remembered)\nremembered + 1"
    said = json.loads(run_program("run_code.py", perijove.url.rstrip("/"), perijove.token, code))
    assert said["first"]["status"] == "ok"
    printed, result = said["first"]["outputs"]
    assert (printed["text"], result["data"]["text/plain"]) == ("42\n", "43")
    assert said["second"]["status"] == "error"
    assert said["is_listed"]


@pytest.mark.parametrize("managers", ["kernels", "sessions"])
def test_front_end_of_a_stock_server_has_kernels_of_the_pool(
    managers: str, stock: RunningStock, drive: Callable[..., None]
) -> None:
    drive(MANAGERS / f"{managers}.test.mjs", stock.url, TOKEN, PERIJOVE_IS_BEHIND="yes")


async def _told(stock: RunningStock, perijove: RunningPerijove, names: str) -> Any:
    """Start a kernel at a stock server, and look at its variables through Perijove."""
    async with JupyterClient.http(TOKEN) as http, JupyterClient.http(perijove.token) as direct:
        between, pool = JupyterClient(http, stock.url), JupyterClient(direct, perijove.url)
        session = await between.new_session("of a stock server.ipynb")
        kernel_id = session["kernel"]["id"]
        shown = f"[*map(os.environ.get, {names!r}.split()), os.getcwd()]"
        code = f"import json, os; print(json.dumps({shown}))"
        async with pool.kernel(kernel_id) as kernel:
            told = json.loads(await kernel.run(code))
        await between.call("DELETE", f"api/sessions/{session['id']}", expect=204)
        await pool.call("GET", f"api/kernels/{kernel_id}", expect=404)
        return told


async def test_variables_of_kernels_arrive_and_others_do_not(
    stock: RunningStock, perijove: RunningPerijove
) -> None:
    names = "KERNEL_TEAM TEAM KERNEL_WORKING_DIR"
    root = str(stock.home.root)
    assert await _told(stock, perijove, names) == ["jupiter", None, root, root]


async def test_stock_servers_share_a_pool_and_see_their_own_kernels(
    stock: RunningStock, start_stock: StartStock, perijove: RunningPerijove
) -> None:
    other = start_stock()
    async with JupyterClient.http(TOKEN) as http, JupyterClient.http(perijove.token) as direct:
        first, second = JupyterClient(http, stock.url), JupyterClient(http, other.url)
        pool = JupyterClient(direct, perijove.url)
        mine, theirs = await first.new_session("a.ipynb"), await second.new_session("a.ipynb")
        ids = [mine["kernel"]["id"], theirs["kernel"]["id"]]
        listed = {kernel["id"] for kernel in await pool.call("GET", "api/kernels")}
        assert listed >= set(ids)
        seen = {kernel["id"] for kernel in await first.call("GET", "api/kernels")}
        assert seen & set(ids) == {ids[0]}
        assert [kernel["id"] for kernel in await second.call("GET", "api/kernels")] == ids[1:]
        await first.call("DELETE", f"api/sessions/{mine['id']}", expect=204)
        assert [kernel["id"] for kernel in await second.call("GET", "api/kernels")] == ids[1:]
        await second.call("POST", f"api/kernels/{ids[1]}/interrupt", expect=204)
        restarted = await second.call("POST", f"api/kernels/{ids[1]}/restart")
        assert restarted["id"] == ids[1]
        await second.call("DELETE", f"api/sessions/{theirs['id']}", expect=204)
        await pool.call("GET", f"api/kernels/{ids[1]}", expect=404)
