"""`api/contents` as clients use it."""

from __future__ import annotations

import base64
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.conformance.client import TIME, Answer
from tests.conformance.differences import differs_in
from tests.conformance.rule import CONTENTS_KEYS
from tests.conformance.samples import NOTEBOOK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.client import Answer, Server


def test_file_model_has_every_key(server: Server, tree: Path) -> None:
    answer = server.ask("GET", "api/contents/d/c.txt?1700000000000")
    assert answer.status == 200
    assert set(answer.json) == CONTENTS_KEYS
    model = answer.json
    assert TIME.fullmatch(model.pop("last_modified"))
    assert TIME.fullmatch(model.pop("created"))
    assert model == {
        "name": "c.txt",
        "path": "d/c.txt",
        "content": "in d",
        "format": "text",
        "mimetype": "text/plain",
        "size": 4,
        "writable": True,
        "hash": None,
        "hash_algorithm": None,
        "type": "file",
    }
    assert answer.headers["Last-Modified"].endswith("GMT")
    assert server.ask("GET", "api/contents/d%2Fc.txt").json["content"] == "in d"
    assert tree.exists()


def test_model_without_content_and_with_hash(server: Server, tree: Path) -> None:
    model = server.ask("GET", "api/contents/a.txt?content=0&hash=1").json
    assert set(model) == CONTENTS_KEYS
    assert (model["content"], model["format"], model["mimetype"]) == (None, None, "text/plain")
    assert model["hash_algorithm"] == "sha256"
    assert model["hash"] == hashlib.sha256((tree / "a.txt").read_bytes()).hexdigest()
    assert server.ask("GET", "api/contents/a.txt?hash=1").json["hash"] == model["hash"]


def test_binary_file_is_base64_in_lines(server: Server, tree: Path) -> None:
    model = server.ask("GET", "api/contents/bin.dat").json
    assert model["format"] == "base64"
    assert model["mimetype"] == "application/octet-stream"
    assert model["content"] == base64.encodebytes((tree / "bin.dat").read_bytes()).decode()
    forced = server.ask("GET", "api/contents/a.txt?format=base64").json
    assert forced["content"] == base64.encodebytes(b"abc\n").decode()


@pytest.mark.parametrize("fmt", ["text", "base64"])
def test_large_file_arrives_unchanged_whatever_the_chunks_cut(
    fmt: str, server: Server, tree: Path
) -> None:
    data = ('äöü€😀\x01"\\\n' * 300_000).encode()
    (tree / "big.txt").write_bytes(data)
    model = server.ask("GET", f"api/contents/big.txt?format={fmt}").json
    if fmt == "text":
        assert model["content"].encode() == data
    else:
        assert model["content"] == base64.encodebytes(data).decode()


def test_notebook_content_is_an_object_with_joined_lines(server: Server, tree: Path) -> None:
    model = server.ask("GET", "api/contents/n.ipynb").json
    assert (model["type"], model["format"], model["mimetype"]) == ("notebook", "json", None)
    assert model["content"]["cells"][0]["source"] == "1 +\n1"
    as_file = server.ask("GET", "api/contents/n.ipynb?type=file").json
    assert as_file["type"] == "file"
    assert json.loads(as_file["content"]) == NOTEBOOK
    assert tree.exists()


def test_large_notebook_passes_both_ways(server: Server, tree: Path) -> None:
    content = {**NOTEBOOK, "metadata": {"big": "é" * 3_000_000}}
    body = {"type": "notebook", "format": "json", "content": content}
    assert server.ask("PUT", "api/contents/big.ipynb", json=body).status == 201
    assert server.ask("GET", "api/contents/big.ipynb").json["content"]["metadata"] == {
        "big": "é" * 3_000_000
    }
    assert tree.exists()


def test_missing_file_is_told_in_text_under_the_name_of_json(server: Server, tree: Path) -> None:
    answer = server.ask("GET", "api/contents/nope.txt")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.body == b"file or directory '/nope.txt' does not exist"
    assert tree.exists()


def test_put_creates_then_replaces(server: Server, tree: Path) -> None:
    body = {"type": "file", "format": "text", "content": "ä\r\n"}
    created = server.ask("PUT", "api/contents/d/x%20y.txt", json=body)
    assert created.status == 201
    assert created.headers["Location"] == f"{server.base}api/contents/d/x%20y.txt"
    assert created.headers["Last-Modified"].endswith("GMT")
    assert set(created.json) == CONTENTS_KEYS
    assert (created.json["content"], created.json["format"]) == (None, None)
    assert (tree / "d" / "x y.txt").read_bytes() == "ä\r\n".encode()
    replaced = server.ask("PUT", "api/contents/d/x%20y.txt", json={**body, "content": "z"})
    assert replaced.status == 200
    shown = server.ask("GET", "api/contents/d/x%20y.txt?content=0").json
    assert shown["last_modified"] == replaced.json["last_modified"]
    assert (tree / "d" / "x y.txt").read_text() == "z"


def test_put_base64_ignores_what_stands_between(server: Server, tree: Path) -> None:
    text = base64.encodebytes(bytes(range(256))).decode()
    body = {"type": "file", "format": "base64", "content": text}
    assert server.ask("PUT", "api/contents/b.dat", json=body).status == 201
    assert (tree / "b.dat").read_bytes() == bytes(range(256))


def test_put_creates_directories_and_notebooks(server: Server, tree: Path) -> None:
    assert server.ask("PUT", "api/contents/new", json={"type": "directory"}).status == 201
    assert (tree / "new").is_dir()
    body = {"type": "notebook", "content": NOTEBOOK}
    answer = server.ask("PUT", "api/contents/new/x.ipynb", json=body)
    assert (answer.status, answer.json["type"]) == (201, "notebook")
    invalid = {**NOTEBOOK, "cells": [{**NOTEBOOK["cells"][0], "odd": 1}]}
    answer = server.ask("PUT", "api/contents/new/x.ipynb", json={**body, "content": invalid})
    assert answer.status == 200
    assert answer.json["message"]


def test_put_in_chunks(server: Server, tree: Path) -> None:
    def put(number: int, text: str) -> Answer:
        content = base64.b64encode(text.encode()).decode()
        body = {"type": "file", "format": "base64", "content": content, "chunk": number}
        return server.ask("PUT", "api/contents/chunks.txt", json=body)

    assert [put(1, "one ").status, put(2, "two ").status, put(-1, "three").status] == [
        201,
        200,
        200,
    ]
    assert (tree / "chunks.txt").read_text() == "one two three"


def test_put_of_nothing_creates_an_untitled_file(server: Server, tree: Path) -> None:
    answer = server.ask("PUT", "api/contents/d", json={})
    assert (answer.status, answer.json["path"]) == (201, "d/untitled")
    assert (tree / "d" / "untitled").exists()


def test_post_chooses_a_free_name(server: Server, tree: Path) -> None:
    def post(**body: Any) -> str:
        answer = server.ask("POST", "api/contents/d", json=body)
        assert answer.status == 201
        assert set(answer.json) == CONTENTS_KEYS
        where = f"{server.base}api/contents/{quote(answer.json['path'])}"
        assert answer.headers["Location"] == where
        return str(answer.json["name"])

    assert [post(), post()] == ["untitled", "untitled1"]
    assert [post(ext=".py"), post(type="file", ext=".py")] == ["untitled.py", "untitled1.py"]
    assert [post(type="notebook"), post(ext=".ipynb")] == ["Untitled.ipynb", "Untitled1.ipynb"]
    assert [post(type="directory") for _ in range(2)] == ["Untitled Folder", "Untitled Folder 1"]
    assert [post(copy_from="/a.txt/") for _ in range(2)] == ["a.txt", "a-Copy1.txt"]
    assert server.ask("POST", "api/contents").json["path"] == "untitled"
    assert tree.exists()


@pytest.mark.parametrize("body", [{}, {"type": "directory"}, {"copy_from": "a.txt"}], ids=str)
def test_names_are_chosen_once_under_haste(
    body: dict[str, Any], server: Server, tree: Path
) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: server.ask("POST", "api/contents/d", json=body), range(24))
        )
    if differs_in(server, "names under haste"):
        return
    assert {answer.status for answer in answers} == {201}
    paths = {answer.json["path"] for answer in answers}
    assert len(paths) == 24
    assert all((tree / path).exists() for path in paths)


def test_front_end_sees_no_conflict_after_its_own_save(server: Server, tree: Path) -> None:
    notebook = {"type": "notebook", "content": NOTEBOOK}
    text = {"type": "file", "format": "text", "content": "x"}
    for path, body in (("n.ipynb", notebook), ("a.txt", text)):
        saved = server.ask("PUT", f"api/contents/{path}", json=body).json
        shown = server.ask("GET", f"api/contents/{path}?content=0&hash=1").json
        assert shown["last_modified"] == saved["last_modified"]
        assert shown["hash"] == hashlib.sha256((tree / path).read_bytes()).hexdigest()
        assert server.ask("GET", f"api/contents/{path}?hash=1").json["hash"] == shown["hash"]


def test_entry_may_be_called_checkpoints(server: Server, tree: Path) -> None:
    if differs_in(server, "an entry called checkpoints"):
        return
    text = {"type": "file", "format": "text", "content": "x"}
    for above in ("", "d/"):
        one = f"api/contents/{above}checkpoints"
        assert server.ask("PUT", one, json={"type": "directory"}).status == 201
        assert server.ask("POST", one, json={}).json["path"] == f"{above}checkpoints/untitled"
        assert server.ask("PUT", f"{one}/model-1", json=text).status == 201
        assert server.ask("GET", f"{one}/model-1").json["content"] == "x"
        listed = {child["name"] for child in server.ask("GET", one).json["content"]}
        assert listed == {"untitled", "model-1"}
        moved = server.ask("PATCH", f"{one}/model-1", json={"path": f"{above}checkpoints/m"})
        assert (moved.status, moved.json["path"]) == (200, f"{above}checkpoints/m")
        kept = server.ask("POST", f"{one}/m/checkpoints")
        assert kept.status == 201
        assert kept.headers["Location"] == f"{server.base}{one}/m/checkpoints/checkpoint"
        assert server.ask("DELETE", f"{one}/untitled").status == 204
        assert server.ask("DELETE", one).status == 204
        assert not (tree / above / "checkpoints").exists()


def test_patch_moves(server: Server, tree: Path) -> None:
    answer = server.ask("PATCH", "api/contents/a.txt", json={"path": "/d/b c.txt"})
    assert (answer.status, answer.json["path"]) == (200, "d/b c.txt")
    assert answer.headers["Location"] == f"{server.base}api/contents/d/b%20c.txt"
    assert (tree / "d" / "b c.txt").read_text() == "abc\n"
    same = server.ask("PATCH", "api/contents/d/b%20c.txt", json={"path": "d/b c.txt"})
    assert same.status == 200


def test_delete_says_nothing(server: Server, tree: Path) -> None:
    answer = server.ask("DELETE", "api/contents/a.txt")
    assert (answer.status, answer.body) == (204, b"")
    assert "Content-Type" not in answer.headers
    assert not (tree / "a.txt").exists()


def test_checkpoints_keep_and_bring_back(server: Server, tree: Path) -> None:
    target = "api/contents/d/c.txt/checkpoints"
    assert server.ask("GET", target).json == []
    created = server.ask("POST", target)
    assert created.status == 201
    assert set(created.json) == {"id", "last_modified"}
    one = f"{target}/{created.json['id']}"
    assert created.headers["Location"] == server.base + one
    (tree / "d" / "c.txt").write_text("changed")
    assert server.ask("POST", one).status == 204
    assert (tree / "d" / "c.txt").read_text() == "in d"
    assert server.ask("GET", target).json == [created.json]
    assert server.ask("DELETE", one).status == 204
    assert server.ask("DELETE", one).status == 404
