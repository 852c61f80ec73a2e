"""`nbconvert`: what notebooks become, and what does not."""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.client import cookie_header
from tests.conformance.differences import differs_in, expected
from tests.conformance.row import Row
from tests.conformance.samples import NOTEBOOK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.client import Answer, Server

MIME_TYPES = {
    "asciidoc": "text/asciidoc",
    "custom": "",
    "html": "text/html",
    "latex": "text/latex",
    "markdown": "text/markdown",
    "notebook": "application/json",
    "pdf": "application/pdf",
    "python": "text/x-python",
    "rst": "text/x-rst",
    "script": "",
    "slides": "text/html",
}
"""What every nbconvert 7 has."""

NO_STORE = "no-store, no-cache, must-revalidate, max-age=0"
SANDBOX = re.compile(
    r"frame-ancestors 'self'; report-uri /\S*api/security/csp-report; sandbox allow-scripts"
)
HTTP_DATE = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
PICTURE = {
    "output_type": "display_data",
    "metadata": {},
    "data": {"image/png": "iVBORw0KGgo=", "text/plain": "a picture"},
}

REFUSED = (
    Row("nbconvert-missing", "GET", "nbconvert/html/nope.ipynb", 404, "html"),
    Row(
        "nbconvert-hidden",
        "GET",
        "nbconvert/html/.hidden.ipynb",
        404,
        "html",
        given={".hidden.ipynb": NOTEBOOK},
    ),
    Row("nbconvert-outside", "GET", "nbconvert/html/..%2fsecret.txt", 404, "html"),
    Row("nbconvert-absolute", "GET", "nbconvert/html/%2fetc%2fpasswd", 404, "html"),
    Row("nbconvert-no-utf-8", "GET", "nbconvert/html/%ff.ipynb", 400, None),
    Row("nbconvert-empty-segment", "GET", "nbconvert/html//n.ipynb", 404, "html"),
    Row("nbconvert-unreadable", "GET", "nbconvert/html/broken.ipynb", 400, "html"),
    Row("nbconvert-format", "GET", "nbconvert/nope/n.ipynb", 404, "html"),
    Row("nbconvert-format-and-entry", "GET", "nbconvert/nope/nope.ipynb", 404, "html"),
    Row("nbconvert-format-dotted", "GET", "nbconvert/os.path/n.ipynb", 404, "html"),
    Row("nbconvert-without-path", "GET", "nbconvert/html", 405, None),
    Row("nbconvert-head", "HEAD", "nbconvert/html/n.ipynb", 405, None),
    Row("nbconvert-post-to-path", "POST", "nbconvert/html/n.ipynb", 405, None),
    Row("nbconvert-delete", "DELETE", "nbconvert/html/n.ipynb", 405, None),
    Row("nbconvert-post-nothing", "POST", "nbconvert/html", 400, "html"),
    Row("nbconvert-post-list", "POST", "nbconvert/html", 400, "html", json=[]),
    Row("nbconvert-post-no-content", "POST", "nbconvert/html", 400, "html", json={"name": "x"}),
    Row("nbconvert-post-text", "POST", "nbconvert/html", 400, "html", json={"content": "x"}),
    Row("nbconvert-post-empty", "POST", "nbconvert/html", 400, "html", json={"content": {}}),
    Row(
        "nbconvert-post-name",
        "POST",
        "nbconvert/html",
        400,
        "html",
        json={"name": 5, "content": NOTEBOOK},
    ),
    Row("nbconvert-post-format", "POST", "nbconvert/nope", 404, "html", json={"content": NOTEBOOK}),
)


def with_outputs(*outputs: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    notebook = deepcopy(NOTEBOOK)
    notebook["cells"][0]["outputs"] = list(outputs)
    notebook["metadata"] = metadata
    return notebook


def lay(tree: Path, name: str, notebook: dict[str, Any]) -> None:
    (tree / name).write_text(json.dumps(notebook))


def disposition(answer: Answer) -> str | None:
    return answer.headers.get("Content-Disposition")


def test_exporters_are_listed_with_their_types(server: Server) -> None:
    answer = server.ask("GET", "api/nbconvert")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert all(set(exporter) == {"output_mimetype"} for exporter in answer.json.values())
    found = {name: exporter["output_mimetype"] for name, exporter in answer.json.items()}
    assert found == found | MIME_TYPES
    assert server.ask("GET", "api/nbconvert").json == answer.json


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.id)
def test_what_cannot_be_converted_is_refused(row: Row, server: Server, tree: Path) -> None:
    for name, notebook in row.given.items():
        lay(tree, name, notebook)
    row = expected(server, row.id, row)
    answer = server.ask(row.method, row.target, json=row.json)
    assert answer.status == row.status, answer.body
    assert row.kind in (answer.kind, None), answer.body
    assert str(tree).encode() not in answer.body or differs_in(server, "places")
    assert b"CANARY" not in answer.body


def test_a_notebook_becomes_a_page_in_a_sandbox(server: Server, tree: Path) -> None:
    lay(tree, "d/é moons.ipynb", NOTEBOOK)
    answer = server.ask("GET", "nbconvert/html/d/%C3%A9%20moons.ipynb")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert SANDBOX.fullmatch(answer.headers["Content-Security-Policy"])
    assert answer.headers["Cache-Control"] == NO_STORE
    assert HTTP_DATE.fullmatch(answer.headers["Last-Modified"])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert disposition(answer) is None
    assert "<title>é moons</title>" in answer.body.decode()


@pytest.mark.parametrize("value", ["true", "TRUE", "1", "", "false", "yes"])
def test_only_the_word_true_makes_a_download(value: str, server: Server, tree: Path) -> None:
    lay(tree, "é.ipynb", NOTEBOOK)
    answer = server.ask("GET", f"nbconvert/python/%C3%A9.ipynb?download={value}")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/x-python; charset=utf-8"
    wanted = "attachment; filename*=utf-8''%C3%A9.py" if value.lower() == "true" else None
    assert disposition(answer) == wanted


@pytest.mark.parametrize(
    ("exporter", "content_type", "name", "part"),
    [
        ("html", "text/html; charset=utf-8", "n.html", b"<html"),
        ("markdown", "text/markdown; charset=utf-8", "n.md", b"```python"),
        ("notebook", "application/json; charset=utf-8", "n.ipynb", b'"nbformat": 4'),
        ("python", "text/x-python; charset=utf-8", "n.py", b"#!/usr/bin/env python"),
        ("script", "text/x-python; charset=utf-8", "n.py", b"1 +"),
        ("slides", "text/html; charset=utf-8", "n.slides.html", b"reveal"),
    ],
)
def test_a_notebook_becomes(
    exporter: str, content_type: str, name: str, part: bytes, server: Server, tree: Path
) -> None:
    language = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}
    lay(tree, "n.ipynb", with_outputs(language_info=language))
    answer = server.ask("GET", f"nbconvert/{exporter}/n.ipynb?download=true")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == content_type
    assert disposition(answer) == f"attachment; filename*=utf-8''{name}"
    assert part in answer.body
    assert SANDBOX.fullmatch(answer.headers["Content-Security-Policy"])


def test_several_files_are_an_archive(server: Server, tree: Path) -> None:
    lay(tree, "n.ipynb", with_outputs(PICTURE))
    got = server.ask("GET", "nbconvert/markdown/n.ipynb")
    sent = server.ask(
        "POST",
        "nbconvert/markdown",
        json=server.ask("GET", "api/contents/n.ipynb").json,
    )
    assert got.headers["Cache-Control"] == NO_STORE
    for answer in (got, sent):
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/zip")
        assert disposition(answer) == "attachment; filename*=utf-8''n.zip"
        with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
            assert sorted(archive.namelist()) == ["n.md", "output_0_0.png"]
            assert b"output_0_0.png" in archive.read("n.md")
            assert archive.read("output_0_0.png").startswith(b"\x89PNG")


def test_a_notebook_that_is_sent_becomes_the_same(server: Server, tree: Path) -> None:
    lay(tree, "n.ipynb", NOTEBOOK)
    got = server.ask("GET", "nbconvert/python/n.ipynb")
    model = server.ask("GET", "api/contents/n.ipynb").json
    sent = server.ask("POST", "nbconvert/python?download=true", json=model)
    assert (sent.status, sent.body) == (200, got.body)
    assert sent.headers["Content-Type"] == got.headers["Content-Type"]
    assert SANDBOX.fullmatch(sent.headers["Content-Security-Policy"])
    assert disposition(sent) is None
    assert "Last-Modified" not in sent.headers
    assert "Cache-Control" not in sent.headers
    page = server.ask("POST", "nbconvert/html", json={"content": model["content"]})
    assert b"<title>notebook</title>" in page.body


def test_an_old_notebook_is_converted_too(server: Server, tree: Path) -> None:
    cell = {"cell_type": "code", "input": "x = 3", "outputs": [], "metadata": {}}
    old = {
        "worksheets": [{"cells": [cell | {"language": "python"}]}],
        "metadata": {},
        "nbformat": 3,
        "nbformat_minor": 0,
    }
    lay(tree, "old.ipynb", old)
    answer = server.ask("GET", "nbconvert/python/old.ipynb")
    assert answer.status == 200
    assert b"x = 3" in answer.body


def test_html_is_sanitized_on_request(server: Server, tree: Path) -> None:
    evil = {**PICTURE, "data": {"text/html": "<script>steal()</script>"}}
    lay(tree, "n.ipynb", with_outputs(evil))
    page = server.ask("GET", "nbconvert/html/n.ipynb")
    assert b"<script>steal()" in page.body
    assert b"<script>steal()" in server.ask("GET", "nbconvert/html/n.ipynb?sanitize_html=no").body
    clean = server.ask("GET", "nbconvert/html/n.ipynb?sanitize_html=TRUE")
    assert clean.status == 200
    assert b"<script>steal()" not in clean.body


@pytest.mark.parametrize(
    ("path", "leads_to"), [("a.txt", "files/a.txt"), ("d", "lab/tree/d"), ("", "lab/tree")]
)
def test_what_is_no_notebook_is_shown_elsewhere(
    path: str, leads_to: str, server: Server, tree: Path
) -> None:
    answer = server.ask("GET", f"nbconvert/html/{path}")
    assert answer.body == b""
    assert tree.exists()
    if not differs_in(server, "nbconvert-no-notebook"):
        assert (answer.status, answer.headers["Location"]) == (302, server.base + leads_to)


def test_a_format_says_which_program_is_missing(server: Server, tree: Path) -> None:
    text = {"cell_type": "markdown", "source": "x", "id": "m", "metadata": {}}
    lay(tree, "n.ipynb", {**NOTEBOOK, "cells": [text]})
    answer = server.ask("GET", "nbconvert/latex/n.ipynb")
    if shutil.which("pandoc"):
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/latex; charset=utf-8")
        return
    assert (answer.status, answer.kind) == (500, "html")
    assert b"nbconvert failed" in answer.body
    assert b"andoc" in answer.body


def test_a_foreign_page_gets_no_notebook_of_a_user(server: Server, tree: Path) -> None:
    cookie = cookie_header(server.ask("GET", "api/me"))

    def status(**headers: str) -> int:
        given = {"Cookie": cookie, **headers}
        return server.ask("GET", "nbconvert/python/n.ipynb", headers=given, token=None).status

    assert tree.exists()
    assert status() == 403
    assert status(Referer="http://other.example/") == 403
    assert status(Referer=f"http://{server.netloc}/lab") == 200


def test_a_stranger_is_sent_to_the_login(server: Server, tree: Path) -> None:
    answer = server.ask("GET", "nbconvert/html/n.ipynb", token=None)
    assert answer.status == 302
    assert answer.headers["Location"].startswith(f"{server.base}login?next=")
    assert server.ask("POST", "nbconvert/html", json={}, token=None).status == 403
    assert server.ask("GET", "api/nbconvert", token=None).status == 403
    assert tree.exists()
