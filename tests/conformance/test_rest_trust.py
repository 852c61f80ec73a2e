"""Trust in notebooks, from the save to the next reader."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.given import put, snapshot
from tests.conformance.samples import CELL, notebook

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.client import Server

_STREAM = {"output_type": "stream", "name": "stdout", "text": ["1\n"]}


def _rich() -> dict[str, Any]:
    """Return an output that nobody has seen: what was trusted once is trusted for ever."""
    data = {"text/html": [f"<b>{uuid.uuid4()}</b>"]}
    return {"output_type": "display_data", "metadata": {}, "data": data}


def _trusted(server: Server, path: str) -> list[bool | None]:
    cells = server.ask("GET", f"api/contents/{path}").json["content"]["cells"]
    return [cell["metadata"].get("trusted") for cell in cells]


def test_notebook_without_rich_outputs_is_trusted(server: Server, tree: Path) -> None:
    markdown = {"cell_type": "markdown", "id": "c2", "metadata": {}, "source": ["x"]}
    put(tree, {"x.ipynb": notebook(CELL | {"outputs": [_STREAM]}, markdown)})
    stored = server.ask("GET", "api/contents/x.ipynb").json["content"]
    body = {"type": "notebook", "content": stored}
    assert server.ask("PUT", "api/contents/x.ipynb", json=body).status == 200
    assert _trusted(server, "x.ipynb") == [True, None]


def test_stranger_is_trusted_when_the_user_says_so(server: Server, tree: Path) -> None:
    other = CELL | {"id": "c2"}
    put(tree, {"x.ipynb": notebook(CELL | {"outputs": [_rich()]}, other)})
    assert _trusted(server, "x.ipynb") == [False, False]
    before = snapshot(tree)
    answer = server.ask("POST", "api/contents/x.ipynb/trust")
    assert (answer.status, answer.body) == (201, b"")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "default-src" not in answer.headers["Content-Security-Policy"]
    assert snapshot(tree) == before
    assert _trusted(server, "x.ipynb") == [True, True]
    assert server.ask("POST", "api/contents/x.ipynb/trust").status == 201


def test_trust_is_in_the_content_not_in_the_place(server: Server, tree: Path) -> None:
    outputs = [_rich()]
    put(tree, {"x.ipynb": notebook(CELL | {"outputs": outputs})})
    assert server.ask("POST", "api/contents/x.ipynb/trust").status == 201
    server.ask("PATCH", "api/contents/x.ipynb", json={"path": "d/y.ipynb"})
    assert _trusted(server, "d/y.ipynb") == [True]
    put(tree, {"d/y.ipynb": notebook(CELL | {"outputs": [*outputs, _rich()]})})
    assert _trusted(server, "d/y.ipynb") == [False]


def test_old_notebook_may_be_trusted_without_harm(server: Server, tree: Path) -> None:
    old = {"metadata": {}, "nbformat": 3, "nbformat_minor": 0, "worksheets": []}
    put(tree, {"x.ipynb": old})
    before = snapshot(tree)
    assert server.ask("POST", "api/contents/x.ipynb/trust").status == 201
    assert snapshot(tree) == before


@pytest.mark.parametrize(
    ("marks", "expected"),
    [((True, True), [True, True]), ((True, False), [False, False]), ((), [False, False])],
)
def test_save_is_trusted_if_every_rich_cell_is(
    marks: tuple[bool, ...], expected: list[bool], server: Server, tree: Path
) -> None:
    cells = [CELL | {"id": f"c{number}", "outputs": [_rich()]} for number in range(2)]
    for cell, trusted in zip(cells, marks, strict=False):
        cell["metadata"] = {"trusted": trusted}
    body = {"type": "notebook", "content": notebook(*cells)}
    assert server.ask("PUT", "api/contents/x.ipynb", json=body).status == 201
    assert _trusted(server, "x.ipynb") == expected
    assert b"trusted" not in (tree / "x.ipynb").read_bytes()


def test_trust_needs_a_credential(server: Server, tree: Path) -> None:
    for token in (None, "wrong"):
        answer = server.ask("POST", "api/contents/n.ipynb/trust", token=token)
        assert (answer.status, answer.kind) == (403, "html")
    assert tree.exists()
