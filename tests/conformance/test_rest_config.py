"""Configuration of front ends, places that outputs name, and addresses of old."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.conformance.differences import differs_in
from tests.conformance.given import put

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.client import Server


@pytest.fixture
def section() -> str:
    return f"api/config/t{uuid.uuid4().hex}"


def test_section_that_nobody_made_is_empty(server: Server, section: str) -> None:
    answer = server.ask("GET", section)
    assert (answer.status, answer.json) == (200, {})
    assert answer.headers["Content-Type"] == "application/json"


def test_section_is_replaced(server: Server, section: str) -> None:
    for value in ({"a": {"b": 1}, "c": [None]}, {"d": "é"}, {}):
        answer = server.ask("PUT", section, json=value)
        assert (answer.status, answer.body) == (204, b"")
        assert "Content-Type" not in answer.headers
        assert server.ask("GET", section).json == value


@pytest.mark.parametrize(
    ("stored", "patch", "merged"),
    [
        ({"a": {"b": 1}, "c": 2}, {"a": {"b": None, "d": 3}, "c": None}, {"a": {"d": 3}}),
        ({"a": {"b": 1}}, {"a": {"b": None}}, {}),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"d": [1]}}}, {"a": {"b": {"c": 1, "d": [1]}}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": 1}, {"b": None}, {"a": 1}),
        ({}, {"a": {"b": None, "c": {}}}, {}),
        ({"a": {"b": 1}}, {"a": 5}, {"a": 5}),
        ({"a": 1}, {}, {"a": 1}),
    ],
)
def test_section_is_merged(
    stored: dict[str, Any],
    patch: dict[str, Any],
    merged: dict[str, Any],
    server: Server,
    section: str,
) -> None:
    assert server.ask("PUT", section, json=stored).status == 204
    answer = server.ask("PATCH", section, json=patch)
    assert (answer.status, answer.json) == (200, merged)
    assert server.ask("GET", section).json == merged


def test_section_of_nobody_is_merged_into_nothing(server: Server, section: str) -> None:
    assert server.ask("PATCH", section, json={"a": {"b": 1}}).json == {"a": {"b": 1}}
    assert server.ask("GET", section).json == {"a": {"b": 1}}


def test_configuration_is_kept_for_people_to_edit(server: Server, section: str) -> None:
    if server.config is None:
        pytest.skip("the server's configuration is out of reach")
    value: dict[str, Any] = {"b": {"\u00e9": "\U0001f600"}, "a": [1, 2.5], "c": {}}
    assert server.ask("PUT", section, json=value).status == 204
    place = server.config / "serverconfig" / f"{section.rpartition('/')[2]}.json"
    assert place.read_text() == json.dumps(value, indent=2)
    assert server.ask("PATCH", section, json={"c": 1, "b": None}).status == 200
    assert place.read_text() == json.dumps({"a": [1, 2.5], "c": 1}, indent=2)


def test_configuration_that_is_there_is_read(server: Server, section: str) -> None:
    if server.config is None:
        pytest.skip("the server's configuration is out of reach")
    name, places = section.rpartition("/")[2], server.config / "serverconfig"
    put(
        places,
        {
            f"{name}.json": {"a": {"mine": 1}, "c": 1},
            f"{name}.d/1.json": {"a": {"first": 1, "mine": 0}, "b": 1},
            f"{name}.d/2.json": {"b": 2},
        },
    )
    assert server.ask("GET", section).json == {"a": {"mine": 1, "first": 1}, "b": 2, "c": 1}
    merged = {"a": {"mine": 1, "first": 1}, "b": 2, "c": 2}
    assert server.ask("PATCH", section, json={"c": 2}).json == merged
    assert json.loads((places / f"{name}.json").read_bytes()) == {"a": {"mine": 1}, "c": 2}
    assert server.ask("PUT", section, json={}).status == 204
    assert server.ask("GET", section).json == {"a": {"first": 1, "mine": 0}, "b": 2}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("d/c.txt", "d/c.txt"),
        ("/d/c.txt", "d/c.txt"),
        ("{root}/d/c.txt", "d/c.txt"),
        ("{root}/d", "d"),
        ("d/", "d"),
        ("", ""),
        ("/", ""),
        ("{root}", ""),
        ("~/{root.name}/d/c.txt", "d/c.txt"),
        ("~/secret.txt", None),
        ("~", None),
        ("nope", None),
        ("../secret.txt", None),
        ("d/../../secret.txt", None),
        ("{root}/../secret.txt", None),
        ("{root}-evil/x.txt", None),
        ("/etc/passwd", None),
        ("nobody/~/x", None),
    ],
)
def test_path_that_output_names_is_found(
    asked: str, found: str | None, server: Server, tree: Path
) -> None:
    answer = server.ask("GET", f"api/resolvePath?path={quote(asked.format(root=tree))}")
    assert answer.status == 200
    resolved = [] if found is None else [{"scope": "server", "path": found}]
    assert answer.json == {"resolved": resolved}


def test_kernel_that_is_none_finds_nothing(server: Server, tree: Path) -> None:
    kernel_id = str(uuid.uuid4())
    answer = server.ask("GET", f"api/resolvePath?path=nope&kernel={kernel_id}")
    reason = f"Kernel {kernel_id} could not be found"
    assert answer.json == {
        "resolved": [],
        "unresolved": [{"scope": "kernel", "reason": reason}],
    }
    assert server.ask("GET", "api/resolvePath?path=a.txt&kernel=").json["resolved"]
    assert tree.exists()


def test_kernel_finds_what_the_server_finds(server: Server, tree: Path) -> None:
    kernel_id = server.ask("POST", "api/kernels", json={"path": "d"}).json["id"]
    try:
        answer = server.ask("GET", f"api/resolvePath?path=d/c.txt&kernel={kernel_id}")
        assert answer.status == 200
        assert answer.json == {"resolved": [{"scope": "server", "path": "d/c.txt"}]}
        here = {"scope": "kernel", "path": str(tree / "d" / "c.txt")}
        for path in ("c.txt", "./c.txt", "e/../c.txt"):
            only = server.ask("GET", f"api/resolvePath?path={path}&kernel={kernel_id}")
            assert only.json == {"resolved": [here]}
        whole = server.ask("GET", f"api/resolvePath?path={tree}/d/c.txt&kernel={kernel_id}")
        assert whole.json == {"resolved": [{"scope": "server", "path": "d/c.txt"}, here]}
        for path in ("nope", "d/nope", "/nope"):
            none = server.ask("GET", f"api/resolvePath?path={path}&kernel={kernel_id}")
            assert none.json == {"resolved": []}
        outside = server.ask("GET", f"api/resolvePath?path=../../secret.txt&kernel={kernel_id}")
        seen = [{"scope": "kernel", "path": str(tree.parent / "secret.txt")}]
        wanted = seen if differs_in(server, "what a kernel sees") else []
        assert outside.json == {"resolved": wanted}
    finally:
        assert server.ask("DELETE", f"api/kernels/{kernel_id}").status == 204


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_contents_were_once_notebooks(method: str, server: Server) -> None:
    for target, now in (
        ("api/notebooks/d%2Fx%20y.txt?a=b", "api/contents/d/x%20y.txt"),
        ("api/notebooks", "api/contents"),
        ("api/notebooks/", "api/contents"),
    ):
        answer = server.ask(method, target)
        assert (answer.status, answer.headers["Location"]) == (302, server.base + now)
    anonymous = server.ask(method, "api/notebooks/x", token=None)
    assert anonymous.status == (302 if method == "GET" else 403)
    for other in ("HEAD", "OPTIONS"):
        assert server.ask(other, "api/notebooks/x").status == 405
