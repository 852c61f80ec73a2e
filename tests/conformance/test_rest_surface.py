"""The REST API as clients use it: statuses, models and headers."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.conformance.client import GENEROUS_S
from tests.conformance.conftest import NOTEBOOK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conformance.client import Answer, Server

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
CONTENTS_KEYS = {
    *("name", "path", "last_modified", "created", "content", "format", "mimetype", "size"),
    *("writable", "hash", "hash_algorithm", "type"),
}
KERNEL_KEYS = {"id", "name", "last_activity", "execution_state", "connections"}


# Headers and addresses


def test_version_is_public_and_says_nothing_of_the_software(server: Server) -> None:
    answer = server.ask("GET", "api", token=None)
    assert answer.status == 200
    assert set(answer.json) == {"version"}
    assert answer.headers["Content-Type"] == "application/json"
    if not server.is_stock:
        assert not re.search(r"\d|aiohttp|Python", answer.headers["Server"])


@pytest.mark.parametrize(
    ("target", "extra"),
    [
        ("api/status", "; default-src 'none'"),
        ("api", "; default-src 'none'"),
        ("files/a.txt", "; sandbox allow-scripts"),
        ("login", ""),
        ("nope", ""),
    ],
)
def test_every_answer_has_a_policy(target: str, extra: str, server: Server, tree: Path) -> None:
    answer = server.ask("GET", target)
    report = f"report-uri {server.base}api/security/csp-report"
    assert answer.headers["Content-Security-Policy"] == f"frame-ancestors 'self'; {report}{extra}"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert tree.exists()


def test_trailing_slashes_are_taken_off(server: Server) -> None:
    for target in ("/foo/", "//foo///", "////foo/?a=b%20c"):
        answer = server.ask("GET", target, token=None)
        assert answer.status == 302
        expected = "/foo?a=b%20c" if "?" in target else "/foo"
        assert answer.headers["Location"] == expected


def test_redirect_of_slashes_stays_on_the_host(server: Server) -> None:
    answer = server.ask("GET", "//evil.example//", token=None)
    assert answer.headers["Location"] == "/evil.example"


def test_root_leads_to_the_front_end_with_its_query(server: Server) -> None:
    answer = server.ask("GET", "?token=abc", token=None)
    if server.is_stock:
        return
    assert answer.status == 302
    assert answer.headers["Location"] == f"{server.base}lab?token=abc"


def test_tag_spares_an_answer_that_the_client_has(server: Server) -> None:
    answer = server.ask("GET", "api/kernelspecs")
    again = server.ask("GET", "api/kernelspecs", headers={"If-None-Match": answer.headers["Etag"]})
    assert again.status == 304
    assert again.body == b""
    assert "Content-Type" not in again.headers


# Credentials


@pytest.mark.parametrize("scheme", ["token", "Bearer", "TOKEN", "bearer  "])
def test_token_in_a_header_lets_in(scheme: str, server: Server) -> None:
    headers = {"Authorization": f"{scheme} {server.token}"}
    assert server.ask("GET", "api/status", headers=headers, token=None).status == 200


def test_token_leaves_a_cookie_that_keeps_the_user(server: Server) -> None:
    first = server.ask("GET", "api/me")
    name = "username-" + re.sub(r"[^A-Za-z0-9]", "-", server.netloc)
    cookie = _cookie_header(first)
    assert name in first.cookies()
    again = server.ask("GET", "api/me", headers={"Cookie": cookie}, token=None)
    assert again.status == 200
    assert again.json["identity"] == first.json["identity"]
    assert "Set-Cookie" not in again.headers
    other = server.ask("GET", "api/me")
    assert other.json["identity"]["username"] != first.json["identity"]["username"]


def test_forged_cookie_is_nothing(server: Server) -> None:
    name, value = next(iter(server.ask("GET", "api/me").cookies().items()))
    forged = [value[:-1] + ("0" if value[-1] != "0" else "1"), "", "x", "a.b", "." + value]
    for text in forged:
        headers = {"Cookie": f'{name}="{text}"'}
        assert server.ask("GET", "api/me", headers=headers, token=None).status == 403


def test_identity_has_all_fields_and_can_be_changed(server: Server) -> None:
    answer = server.ask("GET", "api/me?permissions=" + quote('{"contents": ["read"]}'))
    assert set(answer.json["identity"]) == {
        *("username", "name", "display_name", "initials", "avatar_url", "color"),
    }
    assert answer.json["permissions"]["contents"] == ["read"]
    changed = server.ask("PATCH", "api/me", json={"display_name": "Ada"})
    assert changed.status == 200
    assert changed.json["status"] == "success"
    assert changed.json["identity"]["display_name"] == "Ada"
    headers = {"Cookie": _cookie_header(changed)}
    again = server.ask("GET", "api/me", headers=headers, token=None)
    assert again.json["identity"]["display_name"] == "Ada"


def test_login_by_form_leads_on_and_leaves_a_cookie(server: Server) -> None:
    page = server.ask("GET", "login?next=%2Flab%2Ftree%2Fa%2520b", token=None)
    assert page.status == 200
    xsrf = page.cookies()["_xsrf"]
    answer = _log_in(server, xsrf, server.token, "?next=" + quote("/lab/tree/a%20b"))
    assert answer.status == 302
    assert answer.headers["Location"] == "/lab/tree/a%20b"
    cookie = _cookie_header(answer)
    inside = server.ask("GET", "api/status", headers={"Cookie": cookie}, token=None)
    assert inside.status == 200
    again = server.ask("GET", "login?next=%2Fx", headers={"Cookie": cookie}, token=None)
    assert (again.status, again.headers["Location"]) == (302, "/x")


def test_wrong_login_shows_the_form_again(server: Server) -> None:
    xsrf = server.ask("GET", "login", token=None).cookies()["_xsrf"]
    answer = _log_in(server, xsrf, "wrong", "")
    assert answer.status == 401
    assert b"<form" in answer.body
    assert not any(name.startswith("username") for name in answer.cookies())
    assert _log_in(server, "", server.token, "").status == 403


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "https:///evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "\x00//evil.example",
        "http://[::1",
        "//evil.example\\@127.0.0.1/",
    ],
)
def test_login_leads_nowhere_outside(target: str, server: Server) -> None:
    xsrf = server.ask("GET", "login", token=None).cookies()["_xsrf"]
    answer = _log_in(server, xsrf, server.token, "?next=" + quote(target, safe=""))
    if server.is_stock:
        return
    assert answer.status == 302
    location = answer.headers["Location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))
    assert not re.search(r"[\s\x00-\x1f\\]", location)


def test_logout_takes_the_cookie_away(server: Server) -> None:
    answer = server.ask("GET", "logout", token=None)
    assert answer.status == 200
    cookies = answer.headers.get_all("Set-Cookie") or []
    assert any(cookie.startswith("username-") for cookie in cookies)


# Origins


def test_token_opens_the_api_to_other_sites(server: Server) -> None:
    headers = {"Origin": "http://other.example"}
    answer = server.ask("GET", "api/status", headers=headers)
    assert answer.headers["Access-Control-Allow-Origin"] == "http://other.example"
    assert server.ask("GET", "api/status").headers["Access-Control-Allow-Origin"] == ""
    refused = server.ask("GET", f"api/kernels/{uuid.uuid4()}", headers=headers)
    assert refused.status == 404
    assert "Access-Control-Allow-Origin" not in refused.headers


def test_cookie_does_not_open_the_api_to_other_sites(server: Server) -> None:
    cookie = _cookie_header(server.ask("GET", "api/me"))
    headers = {"Cookie": cookie, "Origin": "http://other.example"}
    answer = server.ask("GET", "api/me", headers=headers, token=None)
    assert answer.status == 404
    assert answer.json == {"message": "Not Found", "reason": None}
    own = {"Cookie": cookie, "Origin": f"http://{server.netloc.upper()}"}
    assert server.ask("GET", "api/me", headers=own, token=None).status == 200


def test_cookie_needs_proof_for_changes(server: Server) -> None:
    page = server.ask("GET", "login", token=None)
    xsrf = page.cookies()["_xsrf"]
    cookie = _cookie_header(server.ask("GET", "api/me")) + f"; _xsrf={xsrf}"

    def patch(target: str, **headers: str) -> Answer:
        given = {"Cookie": cookie, **headers}
        return server.ask("PATCH", target, json={"color": "red"}, headers=given, token=None)

    missing = patch("api/me")
    assert missing.status == 403
    assert missing.json["message"] == "'_xsrf' argument missing from POST"
    assert patch("api/me", **{"X-XSRFToken": "0" * 32}).status == 403
    assert patch("api/me", **{"X-XSRFToken": xsrf}).status == 200
    assert patch(f"api/me?_xsrf={quote(xsrf)}").status == 200


def test_foreign_page_gets_no_file(server: Server, tree: Path) -> None:
    cookie = _cookie_header(server.ask("GET", "api/me"))

    def get(**headers: str) -> int:
        given = {"Cookie": cookie, **headers}
        return server.ask("GET", "files/a.txt", headers=given, token=None).status

    assert get() == 403
    assert get(Referer="http://other.example/page") == 403
    assert get(Referer=f"http://{server.netloc}/lab") == 200
    assert tree.exists()


def test_foreign_name_of_this_host_is_refused(server: Server) -> None:
    for host, status in (("evil.example", 403), ("localhost:1", 200), ("[::1]:8888", 200)):
        assert server.ask("GET", "api", headers={"Host": host}).status == status


# Contents


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


def test_directory_lists_models_without_content(server: Server, tree: Path) -> None:
    for target in ("api/contents", "api/contents/"):
        model = server.ask("GET", target).json
        assert (model["name"], model["path"], model["type"]) == ("", "", "directory")
        assert (model["format"], model["size"], model["mimetype"]) == ("json", None, None)
        children = {child["name"]: child for child in model["content"]}
        assert set(children) == {"a.txt", "bin.dat", "broken.ipynb", "d", "n.ipynb"}
        assert all(set(child) == CONTENTS_KEYS for child in children.values())
        assert all(child["content"] is None for child in children.values())
        assert children["n.ipynb"]["type"] == "notebook"
        assert children["a.txt"]["mimetype"] == "text/plain"
    assert tree.exists()


def test_large_directory_is_listed_whole(server: Server, tree: Path) -> None:
    names = {f"f{number:04}.txt" for number in range(2500)}
    for name in names:
        (tree / "d" / "e" / name).touch()
    model = server.ask("GET", "api/contents/d/e").json
    assert {child["name"] for child in model["content"]} == names


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


# Files


def test_files_are_served_in_a_sandbox(server: Server, tree: Path) -> None:
    (tree / "p.html").write_text("<script>1</script>")
    answer = server.ask("GET", "files/p.html")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html")
    assert answer.headers["Content-Security-Policy"].endswith("; sandbox allow-scripts")
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert "Etag" not in answer.headers
    head = server.ask("HEAD", "files/p.html")
    assert (head.status, head.headers["Content-Length"], head.body) == (200, "18", b"")


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.txt", "text/plain; charset=UTF-8"),
        ("n.ipynb", "application/x-ipynb+json"),
        ("x.tar.gz", "application/gzip"),
        ("x.json", "application/json"),
        ("x.svg", "image/svg+xml"),
        ("x.zzz", "application/octet-stream"),
    ],
)
def test_files_have_the_type_of_their_name(
    name: str, content_type: str, server: Server, tree: Path
) -> None:
    (tree / name).write_text("x")
    answer = server.ask("GET", f"files/{name}")
    assert answer.headers["Content-Type"] == content_type
    is_download = "Content-Disposition" in answer.headers
    assert is_download == name.endswith(".ipynb")


def test_download_names_the_file(server: Server, tree: Path) -> None:
    (tree / "é.txt").write_text("x")
    answer = server.ask("GET", "files/%C3%A9.txt?download=1")
    assert answer.headers["Content-Disposition"] == "attachment; filename*=utf-8''%C3%A9.txt"


@pytest.mark.parametrize(
    ("asked", "content_range", "first", "last"),
    [
        ("bytes=0-0", "bytes 0-0/4000000", 0, 0),
        ("bytes=1048570-1048580", "bytes 1048570-1048580/4000000", 1048570, 1048580),
        ("bytes=3999990-", "bytes 3999990-3999999/4000000", 3999990, 3999999),
        ("bytes=-5", "bytes 3999995-3999999/4000000", 3999995, 3999999),
        ("bytes=5-99999999", "bytes 5-3999999/4000000", 5, 3999999),
    ],
)
def test_range_of_a_file(
    asked: str, content_range: str, first: int, last: int, server: Server, tree: Path
) -> None:
    data = bytes(range(250)) * 16_000
    (tree / "r.bin").write_bytes(data)
    answer = server.ask("GET", "files/r.bin", headers={"Range": asked})
    assert answer.status == 206
    assert answer.headers["Content-Range"] == content_range
    assert answer.body == data[first : last + 1]


def test_unchanged_file_is_not_sent_again(server: Server, tree: Path) -> None:
    modified = server.ask("GET", "files/a.txt").headers["Last-Modified"]
    answer = server.ask("GET", "files/a.txt", headers={"If-Modified-Since": modified})
    assert (answer.status, answer.body) == (304, b"")
    assert tree.exists()


# Kernels, kernelspecs, sessions


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


# Small services


def test_configuration_is_replaced_and_merged(server: Server) -> None:
    section = f"api/config/t{uuid.uuid4().hex}"
    assert server.ask("GET", section).json == {}
    put = server.ask("PUT", section, json={"a": {"b": 1}, "c": 2})
    assert (put.status, put.body) == (204, b"")
    merged = server.ask("PATCH", section, json={"a": {"b": None, "d": 3}, "c": None})
    assert (merged.status, merged.json) == (200, {"a": {"d": 3}})
    assert server.ask("GET", section).json == {"a": {"d": 3}}


def test_path_that_output_names_is_found(server: Server, tree: Path) -> None:
    for path in ("d/c.txt", "/d/c.txt", str(tree / "d" / "c.txt")):
        answer = server.ask("GET", f"api/resolvePath?path={quote(path)}")
        assert answer.json == {"resolved": [{"scope": "server", "path": "d/c.txt"}]}
    for path in ("nope", "../secret.txt", "/etc/passwd"):
        answer = server.ask("GET", f"api/resolvePath?path={path}")
        assert (answer.status, answer.json) == (200, {"resolved": []})
    answer = server.ask("GET", f"api/resolvePath?path=nope&kernel={uuid.uuid4()}")
    assert answer.json["unresolved"][0]["scope"] == "kernel"


def test_file_is_viewed_in_a_sandbox(server: Server, tree: Path) -> None:
    (tree / 'a "b".html').write_text("<p>")
    answer = server.ask("GET", "view/a%20%22b%22.html")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert b'sandbox="allow-scripts"' in answer.body
    assert f'src="{server.base}files/a%20%22b%22.html"'.encode() in answer.body


def test_violated_policy_is_reported(server: Server) -> None:
    headers = {"Origin": "http://other.example"}
    answer = server.ask(
        "POST", "api/security/csp-report", body=b'{"csp-report": {}}', headers=headers
    )
    assert (answer.status, answer.body) == (200, b"")


def test_metrics_need_a_credential(server: Server) -> None:
    assert server.ask("GET", "metrics", token=None).status == 403
    answer = server.ask("GET", "metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert server.token.encode() not in answer.body


def _settled(server: Server, target: str) -> Answer:
    deadline = time.monotonic() + GENEROUS_S
    while (answer := server.ask("GET", target)).status == 503 and time.monotonic() < deadline:
        time.sleep(float(answer.headers["Retry-After"]) / 10)
    return answer


def _ids(answer: Answer) -> set[str]:
    return {model["id"] for model in answer.json}


def _log_in(server: Server, xsrf: str, token: str, query: str) -> Answer:
    headers = {
        "Cookie": f"_xsrf={xsrf}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    body = f"_xsrf={quote(xsrf)}&password={quote(token)}".encode()
    return server.ask("POST", "login" + query, body=body, headers=headers, token=None)


def _cookie_header(answer: Answer) -> str:
    pairs = (f'{name}="{value}"' for name, value in answer.cookies().items())
    return "; ".join(pairs)
