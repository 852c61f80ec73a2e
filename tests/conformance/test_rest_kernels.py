"""Kernels, kernelspecs and sessions as clients use them."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.client import GENEROUS_S, TIME, Answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conformance.client import Answer, Server

KERNEL_KEYS = {"id", "name", "last_activity", "execution_state", "connections"}


def test_kernel_is_started_listed_restarted_and_stopped(server: Server, tree: Path) -> None:
    kernel_id = str(uuid.uuid4())
    body = {"name": None, "path": "d", "kernel_id": kernel_id, "env": {"KERNEL_X": "1"}}
    started = server.ask("POST", "api/kernels", json=body)
    assert started.status == 201
    assert set(started.json) == KERNEL_KEYS
    assert started.json["id"] == kernel_id
    assert started.json["connections"] == 0
    assert TIME.fullmatch(started.json["last_activity"])
    one = f"api/kernels/{kernel_id}"
    assert started.headers["Location"] == server.base + one
    assert server.ask("POST", "api/kernels", json=body).json["id"] == kernel_id
    assert kernel_id in _ids(server.ask("GET", "api/kernels"))
    assert server.ask("GET", one).json["id"] == kernel_id
    assert server.ask("GET", "api/status").json["kernels"] >= 1
    assert server.ask("POST", f"{one}/interrupt").status == 204
    restarted = server.ask("POST", f"{one}/restart")
    assert (restarted.status, restarted.json["id"]) == (200, kernel_id)
    assert server.ask("DELETE", one).status == 204
    assert server.ask("GET", one).status == 404
    assert kernel_id not in _ids(server.ask("GET", "api/kernels"))
    assert tree.exists()


def test_status_has_exactly_its_keys(server: Server) -> None:
    model = server.ask("GET", "api/status").json
    assert set(model) == {"connections", "kernels", "last_activity", "started"}
    assert TIME.fullmatch(model["last_activity"])
    again = server.ask("GET", "api/status").json
    assert again["last_activity"] == model["last_activity"]


def test_kernelspecs_have_their_model_and_files(server: Server) -> None:
    model = server.ask("GET", "api/kernelspecs").json
    assert model["default"] == "python3"
    spec = model["kernelspecs"]["python3"]
    assert set(spec) == {"name", "spec", "resources"}
    assert set(spec["spec"]) >= {
        *("argv", "env", "display_name", "language", "interrupt_mode", "metadata"),
    }
    logo = spec["resources"]["logo-64x64"]
    assert logo == f"{server.base}kernelspecs/python3/logo-64x64.png"
    image = server.ask("GET", logo)
    assert (image.status, image.headers["Content-Type"]) == (200, "image/png")
    assert image.headers["Cache-Control"] == "max-age=2592000"
    assert image.body.startswith(b"\x89PNG")
    assert server.ask("GET", "api/kernelspecs/PYTHON3").json["name"] == "PYTHON3"


@pytest.fixture
def session(server: Server, tree: Path) -> Iterator[dict[str, Any]]:
    body = {"path": "d/n.ipynb", "type": "notebook", "name": "n", "kernel": {"name": "python3"}}
    answer = server.ask("POST", "api/sessions", json=body)
    assert answer.status == 201, answer.body
    assert answer.headers["Location"] == f"{server.base}api/sessions/{answer.json['id']}"
    yield answer.json
    server.ask("DELETE", f"api/sessions/{answer.json['id']}")
    assert tree.exists()


def test_session_model_has_every_key(server: Server, session: dict[str, Any]) -> None:
    assert set(session) == {"id", "path", "name", "type", "kernel", "notebook"}
    assert set(session["kernel"]) == KERNEL_KEYS
    assert session["notebook"] == {"path": "d/n.ipynb", "name": "n"}
    listed = server.ask("GET", "api/sessions").json
    assert [one["id"] for one in listed] == [session["id"]]
    assert server.ask("GET", f"api/sessions/{session['id']}").json["id"] == session["id"]


def test_second_session_of_a_path_is_the_first(server: Server, session: dict[str, Any]) -> None:
    body = {"path": "d/n.ipynb", "type": "notebook", "kernel": {"name": "nope"}}
    answer = server.ask("POST", "api/sessions", json=body)
    assert (answer.status, answer.json["id"]) == (201, session["id"])


def test_old_clients_name_the_notebook(server: Server, session: dict[str, Any]) -> None:
    answer = server.ask("POST", "api/sessions", json={"notebook": {"path": "d/n.ipynb"}})
    assert (answer.status, answer.json["id"]) == (201, session["id"])


def test_session_is_moved_and_gets_another_kernel(server: Server, session: dict[str, Any]) -> None:
    one = f"api/sessions/{session['id']}"
    moved = server.ask("PATCH", one, json={"path": "d/m.ipynb", "name": "m"})
    assert (moved.status, moved.json["path"], moved.json["name"]) == (200, "d/m.ipynb", "m")
    assert server.ask("PATCH", one, json={}).json["path"] == "d/m.ipynb"
    changed = server.ask("PATCH", one, json={"kernel": {"name": "python3"}})
    assert changed.status == 200
    assert changed.json["kernel"]["id"] != session["kernel"]["id"]
    assert server.ask("GET", f"api/kernels/{session['kernel']['id']}").status == 404
    unknown = server.ask("PATCH", one, json={"kernel": {"id": str(uuid.uuid4())}})
    assert unknown.status == 400


def test_deleted_session_takes_its_kernel_along(server: Server, session: dict[str, Any]) -> None:
    one = f"api/sessions/{session['id']}"
    assert server.ask("DELETE", one).status == 204
    assert server.ask("GET", one).status == 404
    assert server.ask("GET", f"api/kernels/{session['kernel']['id']}").status == 404


def test_session_goes_with_its_kernel(server: Server, session: dict[str, Any]) -> None:
    assert server.ask("DELETE", f"api/kernels/{session['kernel']['id']}").status == 204
    # Just after its start a server may not yet know for sure, and says so with a 503.
    assert _settled(server, f"api/sessions/{session['id']}").status == 404
    assert server.ask("GET", "api/sessions").json == []


def test_unknown_kernelspec_of_a_session_is_explained(server: Server, tree: Path) -> None:
    body = {"path": "x.ipynb", "type": "notebook", "kernel": {"name": "nope"}}
    answer = server.ask("POST", "api/sessions", json=body)
    assert answer.status == 501
    assert answer.json["short_message"] == "nope not found"
    assert "'nope' kernel is not available" in answer.json["message"]
    assert server.ask("GET", "api/sessions").json == []
    assert tree.exists()


def _settled(server: Server, target: str) -> Answer:
    deadline = time.monotonic() + GENEROUS_S
    while (answer := server.ask("GET", target)).status == 503 and time.monotonic() < deadline:
        time.sleep(float(answer.headers["Retry-After"]) / 10)
    return answer


def _ids(answer: Answer) -> set[str]:
    return {model["id"] for model in answer.json}
