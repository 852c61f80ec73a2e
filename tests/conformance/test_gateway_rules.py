"""What a server is asked by those that have it as their gateway, beyond what all clients ask."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.differences import differs_in
from tests.conformance.kernels import TestKernel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.client import Server
    from tests.conformance.conftest import StartServer

TOLD = """
import json, os
print(json.dumps([os.environ.get("KERNEL_A"), os.environ.get("TEAM"), os.environ.get("OTHER")]))
"""
WHERE = "import os; print(os.getcwd())"


@pytest.fixture(scope="module")
def gateway(start_server: StartServer) -> Server:
    return start_server(allowed_envs="TEAM")


async def _output(server: Server, code: str, **body: Any) -> str:
    kernel = TestKernel(server, **body)
    try:
        async with kernel.connected(v1=False) as socket:
            return (await socket.output(code)).strip()
    finally:
        kernel.remove()


async def test_kernels_have_the_variables_that_their_client_may_set(gateway: Server) -> None:
    env = {"KERNEL_A": "1", "TEAM": "2", "OTHER": "3"}
    told = json.loads(await _output(gateway, TOLD, env=env))
    if differs_in(gateway, "the variables that a client sends"):
        assert told == [None, None, None]
    else:
        assert told == ["1", "2", None]


async def test_kernels_start_where_their_client_is_if_that_is_here(
    gateway: Server, tmp_path: Path
) -> None:
    if differs_in(gateway, "the variables that a client sends"):
        return
    assert gateway.root
    (gateway.root / "d").mkdir()
    here = {"KERNEL_WORKING_DIR": str(tmp_path)}
    assert await _output(gateway, WHERE, env=here) == str(tmp_path)
    assert await _output(gateway, WHERE, env=here, path="d") == str(gateway.root / "d")
    elsewhere = {"KERNEL_WORKING_DIR": str(tmp_path / "absent")}
    assert await _output(gateway, WHERE, env=elsewhere) == str(gateway.root)
    odd = {"KERNEL_WORKING_DIR": "not/absolute"}
    assert await _output(gateway, WHERE, env=odd) == str(gateway.root)


@pytest.mark.parametrize("env", [{"KERNEL_A": 5}, {"KERNEL_A": None}, {"KERNEL_A=": "1"}, "x"])
def test_variables_that_are_none_are_refused(env: Any, gateway: Server) -> None:
    answer = gateway.ask("POST", "api/kernels", json={"env": env})
    if differs_in(gateway, "the variables that a client sends"):
        assert answer.status == 201
        gateway.ask("DELETE", f"api/kernels/{answer.json['id']}")
    else:
        assert (answer.status, answer.kind) == (400, "json")
        assert not gateway.ask("GET", "api/kernels").json


def test_what_a_gateways_client_sends_with_each_request_is_taken(gateway: Server) -> None:
    headers = {"Authorization": f"token {gateway.token}", "Content-Type": "application/json"}
    model = gateway.ask("GET", "api/kernelspecs?user=ada", headers=headers, token=None).json
    assert model["default"] in model["kernelspecs"]
    one = gateway.ask("POST", "api/kernels", json={"name": "python3", "env": {}}, headers=headers)
    address = f"api/kernels/{one.json['id']}"
    assert isinstance(one.json["connections"], int)
    assert gateway.ask("POST", f"{address}/interrupt", json={}, headers=headers).status == 204
    assert gateway.ask("DELETE", address, headers=headers).status == 204
    assert gateway.ask("GET", address, headers=headers).status == 404
    assert gateway.ask("DELETE", address, headers=headers).status == 404
