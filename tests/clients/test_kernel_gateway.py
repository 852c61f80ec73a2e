"""What clients of a Kernel Gateway meet: a real one and Perijove, which are told the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from perijove_config.kernel_gateway import OF_KERNEL_GATEWAY

from tests.conformance.client import Server
from tests.conformance.differences import OF_GATEWAY
from tests.conformance.kernels import TestKernel
from tests.conformance.servers import TOKEN, RunningStock, write_kernelspec
from tests.running import Home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import StartPerijove

NAMES = ("KERNEL_A", "TEAM", "OTHER", "INHERITED", "SECRET", "KERNEL_GATEWAY")
TOLD = f"""
import json, os
told = [os.environ.get(name) for name in {NAMES}]
print(json.dumps([*told, bool(os.environ["PATH"]), os.getcwd()]))
"""
AROUND = {"INHERITED": "here", "SECRET": "canary"}
SAID = {
    "PERIJOVE_MAX_KERNELS": "2",
    "PERIJOVE_KERNELS_FORCED_KERNELSPEC": "python3",
    "PERIJOVE_GATEWAY_HTTP_ALLOWED_ENVS": "TEAM",
    "PERIJOVE_GATEWAY_HTTP_LIST_KERNELS": "false",
    "PERIJOVE_RUNNER_INHERITED_ENVS": "INHERITED,HOME,IPYTHONDIR",
}
SAID_THERE = {
    "KernelGatewayApp.auth_token": TOKEN,
    "KernelGatewayApp.max_kernels": 2,
    "KernelGatewayApp.force_kernel_name": "python3",
    "KernelGatewayApp.env_process_whitelist": ["INHERITED", "HOME", "IPYTHONDIR"],
    "JupyterWebsocketPersonality.env_whitelist": ["TEAM"],
    "JupyterWebsocketPersonality.list_kernels": False,
}

TRAITS = """
import json
from kernel_gateway import gatewayapp as app
classes = app.KernelGatewayApp, app.JupyterWebsocketPersonality, app.NotebookHTTPPersonality
print(json.dumps({one.__name__: list(one.class_traits(config=True)) for one in classes}))
"""


@pytest.fixture(scope="module", params=["perijove", "kernel gateway"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Return a gateway of each kind that was told the same."""
    home = Home(tmp_path_factory.mktemp("home"))
    if request.param == "perijove":
        start: StartPerijove = request.getfixturevalue("start_for_module")
        running = start(home=home, **SAID, **AROUND)
        yield Server(running.url, running.token, home.root, None, is_stock=False)
        return
    programs: Path = request.getfixturevalue("programs")
    home.environment.update(AROUND)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Python 3", "language": "python"}
    write_kernelspec(Path(home.environment["JUPYTER_DATA_DIR"]), "python3", spec)
    gateway = RunningStock(
        programs / "jupyter-kernelgateway", home, SAID_THERE, app="KernelGatewayApp"
    )
    try:
        yield gateway.server()
    finally:
        gateway.end()


def otherwise(server: Server, key: str, field: str, here: Any) -> Any:
    """Return what is expected of a server: what is so with Perijove, or as it is there."""
    return OF_GATEWAY[key].instead[field] if server.is_stock else here


def test_who_may_not_list_kernels_is_told_of_one(server: Server) -> None:
    for name in ("kernels", "sessions"):
        answer = server.ask("GET", f"api/{name}")
        assert (answer.status, answer.kind) == (403, "json")
    kernel = TestKernel(server)
    try:
        assert kernel.ask().json["id"] == kernel.kernel_id
    finally:
        kernel.remove()


def test_the_kernelspec_is_the_one_that_is_forced(server: Server) -> None:
    kernel = TestKernel(server, name="absent")
    try:
        assert kernel.started.json["name"] == "python3"
        assert kernel.ask().json["name"] == "python3"
    finally:
        kernel.remove()


async def test_kernels_have_the_variables_that_they_may_have(server: Server) -> None:
    env = {"KERNEL_A": "1", "TEAM": "2", "OTHER": "3", "KERNEL_WORKING_DIR": "/"}
    kernel = TestKernel(server, name="python3", env=env)
    try:
        async with kernel.connected(v1=False) as socket:
            *told, place = json.loads(await socket.output(TOLD))
    finally:
        kernel.remove()
    mark = otherwise(server, "a mark in kernels", "told", None)
    assert told == ["1", "2", None, "here", None, mark, True]
    assert (place == "/") is otherwise(server, "where a kernel starts", "told", True)


def test_no_more_kernels_are_started_than_there_may_be(server: Server) -> None:
    kernels = [TestKernel(server) for _ in range(2)]
    try:
        answer = server.ask("POST", "api/kernels", json={"name": "python3"})
        status = otherwise(server, "one kernel too many", "status", 429)
        assert (answer.status, answer.kind) == (status, "json")
        if server.is_stock:
            assert answer.json["message"] == OF_GATEWAY["one kernel too many"].instead["reason"]
    finally:
        for kernel in kernels:
            kernel.remove()


@pytest.mark.parametrize("env", ["x", 5])
def test_variables_must_be_an_object(env: Any, server: Server) -> None:
    assert server.ask("POST", "api/kernels", json={"env": env}).status == 400


def test_who_has_no_token_is_refused(server: Server) -> None:
    answer = server.ask("GET", "api/kernelspecs", token=None)
    assert answer.status == otherwise(server, "no token", "status", 403)
    assert server.ask("GET", "api/kernelspecs", token="wrong").status == answer.status


def test_what_is_served_is_described(server: Server) -> None:
    answer = server.ask("GET", "api/swagger.json")
    assert (answer.status, answer.kind) == (200, "json")
    assert any(path.endswith("/kernels") for path in answer.json["paths"])
    assert server.ask("GET", "api/swagger.yaml").status == 200
    answer = server.ask("GET", "api/swagger.json", token=None)
    assert answer.status == otherwise(server, "a description without a token", "status", 403)


def test_pages_are_only_where_there_is_more(server: Server) -> None:
    assert server.ask("GET", "lab").status == otherwise(server, "a page", "status", 200)


def test_every_trait_of_a_kernel_gateway_has_a_line(programs: Path) -> None:
    command = [programs / "python", "-c", TRAITS]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    for name, traits in json.loads(done.stdout).items():
        assert set(traits) == set(OF_KERNEL_GATEWAY[name])
