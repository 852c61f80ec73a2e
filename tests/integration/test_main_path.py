"""The main path of a Jupyter client through all processes."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.jupyter_ws import JupyterClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.running import RunningPerijove

NOTEBOOK: dict[str, Any] = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "one",
            "metadata": {},
            "outputs": [],
            "source": "1 + 1",
        }
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


@pytest.fixture
async def session(
    jupyter: JupyterClient, request: pytest.FixtureRequest
) -> AsyncIterator[dict[str, Any]]:
    found = await jupyter.new_session(f"{request.node.name}.ipynb")
    yield found
    await jupyter.call("DELETE", f"api/sessions/{found['id']}", expect=204)


async def test_a_notebook_is_created_saved_and_read_back(
    perijove: RunningPerijove, jupyter: JupyterClient
) -> None:
    made = await jupyter.call("POST", "api/contents", {"type": "notebook"}, expect=201)
    body = {"type": "notebook", "format": "json", "content": NOTEBOOK}
    saved = await jupyter.call("PUT", f"api/contents/{made['path']}", body)
    assert saved["name"] == made["name"]
    found = await jupyter.call("GET", f"api/contents/{made['path']}?content=1")
    assert found["content"]["cells"][0]["source"] == "1 + 1"
    on_disk = json.loads((perijove.root_dir / made["path"]).read_text())
    assert on_disk["cells"][0]["source"] == ["1 + 1"]  # in lines, as nbformat writes
    await jupyter.call("DELETE", f"api/contents/{made['path']}", expect=204)
    assert not (perijove.root_dir / made["path"]).exists()


async def test_the_native_kernel_is_the_default_one(jupyter: JupyterClient) -> None:
    found = await jupyter.call("GET", "api/kernelspecs")
    assert found["default"] == "python3"
    assert found["kernelspecs"]["python3"]["spec"]["language"] == "python"


async def test_a_session_has_a_kernel_that_runs_code(
    jupyter: JupyterClient, session: dict[str, Any]
) -> None:
    kernel_id = session["kernel"]["id"]
    assert [found["id"] for found in await jupyter.call("GET", "api/sessions")] == [session["id"]]
    async with jupyter.kernel(kernel_id) as kernel:
        request = await kernel.start("print('Io'); 6 * 7")
        reply = await kernel.finished(request)
        assert reply.content["status"] == "ok"
        assert kernel.printed(request) == "Io\n"
        (result,) = [found for found in kernel.of(request) if found.kind == "execute_result"]
        assert result.content["data"]["text/plain"] == "42"
        kinds = [found.kind for found in kernel.of(request) if found.channel == "iopub"]
        assert kinds == [
            "status",
            "execute_input",
            "stream",
            "execute_result",
            "status",
        ]


async def test_the_kernel_works_where_the_notebook_is(
    perijove: RunningPerijove, jupyter: JupyterClient
) -> None:
    (perijove.root_dir / "moons").mkdir()
    session = await jupyter.new_session("moons/a.ipynb")
    async with jupyter.kernel(session["kernel"]["id"]) as kernel:
        printed = await kernel.run("import os; print(os.getcwd())")
        assert printed == f"{perijove.root_dir}/moons\n"
        environment = await kernel.run("print(dict(os.environ))")
        assert perijove.token not in environment
        assert "SERVICE_KEY" not in environment
    await jupyter.call("DELETE", f"api/sessions/{session['id']}", expect=204)


async def test_every_client_sees_what_a_kernel_prints(
    jupyter: JupyterClient, session: dict[str, Any]
) -> None:
    kernel_id = session["kernel"]["id"]
    async with jupyter.kernel(kernel_id) as one, jupyter.kernel(kernel_id) as other:
        request = await one.start("print('Europa')")
        await one.finished(request)
        await other.until(lambda: other.idles(request))
        assert other.printed(request) == "Europa\n"
        assert not other.replies(request)


async def test_a_cell_is_interrupted(jupyter: JupyterClient, session: dict[str, Any]) -> None:
    kernel_id = session["kernel"]["id"]
    async with jupyter.kernel(kernel_id) as kernel:
        request = await kernel.start("import time\nprint('on', flush=True)\ntime.sleep(600)")
        await kernel.until(lambda: kernel.printed(request) == "on\n")
        await jupyter.call("POST", f"api/kernels/{kernel_id}/interrupt", expect=204)
        reply = await kernel.finished(request)
        assert reply.content["ename"] == "KeyboardInterrupt"


async def test_a_restarted_kernel_has_forgotten_its_variables(
    jupyter: JupyterClient, session: dict[str, Any]
) -> None:
    kernel_id = session["kernel"]["id"]
    async with jupyter.kernel(kernel_id) as kernel:
        await kernel.run("moon = 'Ganymede'")
        found = await jupyter.call("POST", f"api/kernels/{kernel_id}/restart")
        assert found["id"] == kernel_id
        assert await kernel.run("print('moon' in globals())") == "False\n"


async def test_what_was_printed_while_away_is_delivered_on_return(
    jupyter: JupyterClient, session: dict[str, Any]
) -> None:
    async with jupyter.kernel(session["kernel"]["id"]) as kernel:
        request = await kernel.start(
            "import time\nfor number in range(40): print(number, flush=True); time.sleep(0.05)"
        )
        await kernel.until(lambda: "5\n" in kernel.printed(request))
        await kernel.drop()
        await kernel.finished(request)
        assert kernel.connections == 2
        assert kernel.printed(request).split() == [str(number) for number in range(40)]


async def test_racing_creations_of_one_session_start_one_kernel(
    jupyter: JupyterClient,
) -> None:
    found = await asyncio.gather(*(jupyter.new_session("race.ipynb") for _ in range(8)))
    assert len({session["id"] for session in found}) == 1
    assert len({session["kernel"]["id"] for session in found}) == 1
    await jupyter.call("DELETE", f"api/sessions/{found[0]['id']}", expect=204)
    assert await jupyter.call("GET", "api/kernels") == []


async def test_a_deleted_session_takes_its_kernel_along(jupyter: JupyterClient) -> None:
    session = await jupyter.new_session("gone.ipynb")
    await jupyter.call("DELETE", f"api/sessions/{session['id']}", expect=204)
    await jupyter.call("GET", f"api/kernels/{session['kernel']['id']}", expect=404)
    assert await jupyter.call("GET", "api/sessions") == []


async def test_without_the_token_nothing_is_served(perijove: RunningPerijove) -> None:
    async with JupyterClient.http("") as http:
        anonymous = JupyterClient(http, perijove.url)
        for path in ("api/contents", "api/kernels", "api/sessions", "api/status"):
            await anonymous.call("GET", path, expect=403)


async def test_files_and_kernels_have_the_umask_of_the_user(
    start_perijove: Callable[..., RunningPerijove],
) -> None:
    before = os.umask(0o027)
    try:
        running = start_perijove()
    finally:
        os.umask(before)
    async with JupyterClient.http(running.token) as http:
        jupyter = JupyterClient(http, running.url)
        body = {"type": "file", "format": "text", "content": ""}
        await jupyter.call("PUT", "api/contents/shared.txt", body, expect=201)
        assert (running.root_dir / "shared.txt").stat().st_mode & 0o777 == 0o640
        session = await jupyter.new_session("a.ipynb")
        async with jupyter.kernel(session["kernel"]["id"]) as kernel:
            assert await kernel.run("import os; print(oct(os.umask(0)))") == "0o27\n"
