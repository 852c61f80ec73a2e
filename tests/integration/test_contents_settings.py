"""What the owner of a server may settle about contents, seen through HTTP."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from tests.conformance.client import Server
from tests.conformance.given import put

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.running import RunningPerijove

    StartPerijove = Callable[..., RunningPerijove]


def names_in(server: Server, path: str) -> set[str]:
    return {child["name"] for child in server.ask("GET", f"api/contents/{path}").json["content"]}


def server_of(running: RunningPerijove) -> Server:
    return Server(running.url, running.token, running.root_dir, None, is_stock=False)


@pytest.fixture
def fill(tmp_path: Path) -> Callable[[Path], None]:
    del tmp_path

    def fill(root: Path) -> None:
        (root / "full" / "sub").mkdir(parents=True)
        (root / "full" / "sub" / "a.txt").write_text("a")
        (root / "empty").mkdir()
        (root / "kept" / ".ipynb_checkpoints").mkdir(parents=True)
        (root / "kept" / ".ipynb_checkpoints" / "x-checkpoint.txt").write_text("x")
        (root / "a b.txt").write_text("text")

    return fill


def test_what_is_deleted_is_in_the_trash_of_the_desktop(
    start_perijove: StartPerijove, fill: Callable[[Path], None]
) -> None:
    running = start_perijove()
    server, trash = server_of(running), running.home.root.parent / ".local" / "share" / "Trash"
    fill(running.root_dir)
    for target in ("a%20b.txt", "full"):
        assert server.ask("DELETE", f"api/contents/{target}").status == 204
    assert (trash / "files" / "a b.txt").read_text() == "text"
    assert (trash / "files" / "full" / "sub" / "a.txt").read_text() == "a"
    told = (trash / "info" / "a b.txt.trashinfo").read_text()
    assert f"Path={running.root_dir}/a b.txt" in unquote(told)


def test_without_a_trash_only_what_is_empty_is_deleted(
    start_perijove: StartPerijove, fill: Callable[[Path], None]
) -> None:
    running = start_perijove(PERIJOVE_CONTENTS_DELETE_TO_TRASH="false")
    server, root = server_of(running), running.root_dir
    fill(root)
    refused = server.ask("DELETE", "api/contents/full")
    assert (refused.status, refused.json["message"]) == (400, "Directory full not empty")
    assert (root / "full" / "sub" / "a.txt").exists()
    # What nobody sees does not count.
    for target in ("empty", "kept", "a%20b.txt"):
        assert server.ask("DELETE", f"api/contents/{target}").status == 204
    assert [path.name for path in root.iterdir()] == ["full"]
    assert not (root.parent / ".local" / "share" / "Trash").exists()


def test_directories_are_deleted_for_good_if_that_is_wanted(
    start_perijove: StartPerijove, fill: Callable[[Path], None]
) -> None:
    running = start_perijove(
        PERIJOVE_CONTENTS_DELETE_TO_TRASH="false",
        PERIJOVE_CONTENTS_ALWAYS_DELETE_DIRECTORIES="true",
        PERIJOVE_CONTENTS_MAX_COPY_BYTES="3",
    )
    server, root = server_of(running), running.root_dir
    fill(root)
    (root / "large").mkdir()
    (root / "large" / "x.bin").write_bytes(b"1234")
    refused = server.ask("POST", "api/contents/empty", json={"copy_from": "large"})
    assert refused.status == 413
    assert not list((root / "empty").iterdir())
    small = server.ask("POST", "api/contents/empty", json={"copy_from": "full"})
    assert (small.status, small.json["path"]) == (201, "empty/full")
    assert server.ask("DELETE", "api/contents/full").status == 204
    assert not (root / "full").exists()


def test_hidden_entries_are_like_others_if_that_is_wanted(start_perijove: StartPerijove) -> None:
    running = start_perijove(
        PERIJOVE_CONTENTS_ALLOW_HIDDEN="true", PERIJOVE_CONTENTS_HIDE_GLOBS="*.log, t?p"
    )
    server, root = server_of(running), running.root_dir
    put(root, {".d/.a.txt": "a", "x.log": "", "top": "", "x.pyc": "", ".~perijove-1": ""})
    assert names_in(server, "") == {".d", "x.pyc"}
    assert names_in(server, ".d") == {".a.txt"}
    assert server.ask("GET", "api/contents/.d/.a.txt").json["content"] == "a"
    assert server.ask("GET", "files/.d/.a.txt").body == b"a"
    text = {"type": "file", "format": "text", "content": "b"}
    assert server.ask("PUT", "api/contents/.d/.b.txt", json=text).status == 201
    assert server.ask("PATCH", "api/contents/.d/.b.txt", json={"path": ".b.txt"}).status == 200
    copied = server.ask("POST", "api/contents/.d", json={"copy_from": ".b.txt"})
    assert (copied.status, copied.json["path"]) == (201, ".d/.b.txt")
    assert server.ask("POST", "api/contents/.d/.b.txt/checkpoints").status == 201
    assert names_in(server, ".d") == {".a.txt", ".b.txt", ".ipynb_checkpoints"}
    assert server.ask("DELETE", "api/contents/.b.txt").status == 204
    assert b'"allow_hidden_files":true' in server.ask("GET", "lab").body.replace(b" ", b"")


def test_owner_says_what_untitled_entries_are_called(start_perijove: StartPerijove) -> None:
    running = start_perijove(
        PERIJOVE_CONTENTS_UNTITLED_NOTEBOOK="Ohne Titel",
        PERIJOVE_CONTENTS_UNTITLED_FILE="ohne.titel",
        PERIJOVE_CONTENTS_UNTITLED_DIRECTORY="Neu",
        PERIJOVE_CONTENTS_CHECKPOINT_DIR=".kept",
        PERIJOVE_CONTENTS_DELETE_TO_TRASH="false",
    )
    server, root = server_of(running), running.root_dir

    def post(target: str, **body: str) -> str:
        return str(server.ask("POST", f"api/contents{target}", json=body).json["path"])

    assert [post("", type="directory") for _ in range(2)] == ["Neu", "Neu 1"]
    assert [post("/Neu", ext=".py") for _ in range(2)] == [
        "Neu/ohne.titel.py",
        "Neu/ohne1.titel.py",
    ]
    assert [post("/Neu", type="notebook") for _ in range(2)] == [
        "Neu/Ohne Titel.ipynb",
        "Neu/Ohne Titel1.ipynb",
    ]
    assert (root / "Neu" / ".kept" / "Ohne Titel-checkpoint.ipynb").is_file()
    assert not (root / "Neu" / ".ipynb_checkpoints").exists()
    # A directory that holds nothing else is empty.
    for name in ("ohne.titel.py", "ohne1.titel.py", "Ohne%20Titel.ipynb", "Ohne%20Titel1.ipynb"):
        assert server.ask("DELETE", f"api/contents/Neu/{name}").status == 204
    assert server.ask("DELETE", "api/contents/Neu").status == 204
    assert b'"delete_to_trash":false' in server.ask("GET", "lab").body.replace(b" ", b"")


def test_server_without_its_root_says_so_and_recovers(start_perijove: StartPerijove) -> None:
    running = start_perijove()
    server, root = server_of(running), running.root_dir
    moved = root.with_name("moved")
    root.rename(moved)
    assert server.ask("GET", "api/contents").status == 404
    assert server.ask("POST", "api/contents", json={}).status == 404
    shutil.move(moved, root)
    assert server.ask("POST", "api/contents", json={}).status == 201
