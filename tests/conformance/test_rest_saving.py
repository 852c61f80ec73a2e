"""What a save does to a file, besides what it is for, and what is too much."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.differences import differs_in
from tests.conformance.samples import NOTEBOOK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.client import Server

TEXT = {"type": "file", "format": "text", "content": "new"}
NEW: dict[str, dict[str, Any]] = {
    "a.txt": TEXT,
    "n.ipynb": {"type": "notebook", "content": NOTEBOOK},
}


@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_a_save_keeps_the_mode_of_a_file(name: str, mode: int, server: Server, tree: Path) -> None:
    (tree / name).chmod(mode)
    assert server.ask("PUT", f"api/contents/{name}", json=NEW[name]).status == 200
    assert (tree / name).stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("name", NEW)
def test_a_save_leaves_nothing_beside_a_file(name: str, server: Server, tree: Path) -> None:
    for _ in range(2):
        assert server.ask("PUT", f"api/contents/{name}", json=NEW[name]).status == 200
    here = {"a.txt", "bin.dat", "d", ".hidden.txt", "n.ipynb", "broken.ipynb"}
    assert {path.name for path in tree.iterdir()} - {".ipynb_checkpoints"} == here


def test_a_second_name_of_a_file_keeps_the_old_content(server: Server, tree: Path) -> None:
    os.link(tree / "a.txt", tree / "second.txt")
    assert server.ask("PUT", "api/contents/a.txt", json=TEXT).status == 200
    other = differs_in(server, "a second name of a file")
    assert (tree / "second.txt").read_text() == ("new" if other else "abc\n")


def test_a_checkpoint_is_as_old_as_what_it_holds(server: Server, tree: Path) -> None:
    os.utime(tree / "a.txt", (1_000_000_000.5, 1_000_000_000.5))
    made = server.ask("POST", "api/contents/a.txt/checkpoints").json
    assert made["last_modified"] == "2001-09-09T01:46:40.500000Z"
    assert server.ask("GET", "api/contents/a.txt/checkpoints").json == [made]


def test_a_directory_that_is_too_large_is_not_copied(server: Server, tree: Path) -> None:
    with (tree / "d" / "large.bin").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 501 * 1024 * 1024)  # room, and nothing in it
    answer = server.ask("POST", "api/contents", json={"copy_from": "d"})
    assert answer.status == (400 if differs_in(server, "a directory that is too large") else 413)
    assert answer.kind == "json"
    assert not (tree / "d-Copy1").exists()


def test_what_is_not_there_is_told_to_pages_of_other_sites(server: Server, tree: Path) -> None:
    site = "http://other.example"
    for name in ("a.txt", "nope.txt", ".hidden.txt"):
        answer = server.ask("GET", f"api/contents/{name}", headers={"Origin": site})
        assert answer.headers["Access-Control-Allow-Origin"] == site
    assert tree.exists()


def test_letters_are_sent_as_they_are(server: Server, tree: Path) -> None:
    (tree / "\u00e9.txt").write_text("\u20ac\U0001f600")
    answer = server.ask("GET", "api/contents/%C3%A9.txt")
    assert answer.json["content"] == "\u20ac\U0001f600"
    assert answer.body.isascii() == differs_in(server, "letters in JSON")
