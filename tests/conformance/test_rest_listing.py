"""What directories hold, as clients are told."""

from __future__ import annotations

import os
import time
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from tests.conformance.client import TIME
from tests.conformance.differences import differs_in
from tests.conformance.given import Kind, Link, Mode, put
from tests.conformance.rule import CONTENTS_KEYS
from tests.conformance.samples import NOTEBOOK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.client import Server


def test_directory_lists_models_without_content(server: Server, tree: Path) -> None:
    for target in ("api/contents", "api/contents/"):
        model = server.ask("GET", target).json
        assert (model["name"], model["path"], model["type"]) == ("", "", "directory")
        assert (model["format"], model["size"], model["mimetype"]) == ("json", None, None)
        children = {child["name"]: child for child in model["content"]}
        assert set(children) == {"a.txt", "bin.dat", "broken.ipynb", "d", "n.ipynb"}
        for child in children.values():
            assert set(child) == CONTENTS_KEYS
            assert TIME.fullmatch(child["last_modified"])
            assert (child["content"], child["format"], child["hash"]) == (None, None, None)
            assert child["writable"] is True
        told = {
            name: (child["type"], child["mimetype"], child["size"])
            for name, child in children.items()
        }
        size = (tree / "n.ipynb").stat().st_size
        assert told == {
            "a.txt": ("file", "text/plain", 4),
            "bin.dat": ("file", told["bin.dat"][1], 256),
            "broken.ipynb": ("notebook", None, 1),
            "d": ("directory", None, None),
            "n.ipynb": ("notebook", None, size),
        }


def test_children_are_told_as_they_are_told_alone(server: Server, tree: Path) -> None:
    put(
        tree,
        {
            "d/link.txt": Link("c.txt"),
            "d/n.ipynb": NOTEBOOK,
            "d/x.zzz": "x",
            "d/r.txt": Mode(0o444),
            "d/broken.txt": Link("nowhere"),
            "d/below.ipynb": Link("c.txt/x"),
        },
    )
    for child in server.ask("GET", "api/contents/d").json["content"]:
        alone = server.ask("GET", f"api/contents/{child['path']}?content=0").json
        assert child == alone


def test_children_come_in_order_of_their_names(server: Server, tree: Path) -> None:
    put(tree, {f"d/{name}": "" for name in ("z", "B", "a", "10", "9", "e.x")})
    names = [child["name"] for child in server.ask("GET", "api/contents/d").json["content"]]
    assert sorted(names) == ["10", "9", "B", "a", "c.txt", "e", "e.x", "z"]
    assert names == sorted(names) or differs_in(server, "the order of a listing")


def test_large_directory_is_listed_whole(server: Server, tree: Path) -> None:
    names = {f"f{number:04}.txt" for number in range(2500)}
    for name in names:
        (tree / "d" / "e" / name).touch()
    model = server.ask("GET", "api/contents/d/e").json
    assert {child["name"] for child in model["content"]} == names


def test_what_cannot_be_shown_is_left_out(server: Server, tree: Path) -> None:
    put(
        tree,
        {
            "d/pipe": Kind.FIFO,
            "d/socket": Kind.SOCKET,
            "d/broken": Link("nowhere"),
            "d/device": Link("/dev/null"),
            "d/.hidden": "x",
            "d/.h/x": "x",
            "d/.ipynb_checkpoints/c-checkpoint.txt": "x",
            "d/__pycache__/x": "x",
            "d/m.pyc": "x",
            "d/m.pyo": "x",
            "d/m.txt~": "x",
            "d/.DS_Store": "x",
            "d/good": Link("../a.txt"),
            "d/out": Link("../../secret.txt"),
            "d/~": Kind.DIRECTORY,
        },
    )
    model = server.ask("GET", "api/contents/d").json
    expected = {"c.txt", "e", "good", "out", "broken", "device"}
    assert {child["name"] for child in model["content"]} == expected
    links = [child for child in model["content"] if child["name"] in ("broken", "device")]
    assert {(child["type"], child["size"]) for child in links} == {
        ("file", len("nowhere")),
        ("file", len("/dev/null")),
    }


def test_link_to_itself_does_not_stop_a_listing(server: Server, tree: Path) -> None:
    put(tree, {"d/loop": Link("loop")})
    names = {child["name"] for child in server.ask("GET", "api/contents/d").json["content"]}
    assert names == {"c.txt", "e"}


def test_name_that_is_no_utf_8_does_not_stop_a_listing(server: Server, tree: Path) -> None:
    place = os.fsencode(tree / "d") + b"/caf\xe9.txt"
    os.close(os.open(place, os.O_CREAT | os.O_WRONLY))
    answer = server.ask("GET", "api/contents/d")
    assert answer.status == 200
    names = {child["name"] for child in answer.json["content"]}
    assert names - {"caf\udce9.txt"} == {"c.txt", "e"}
    assert len(names) == (3 if differs_in(server, "names that are no UTF-8") else 2)


@pytest.mark.parametrize("seconds", [0, 1_000_000_000, 1_700_000_000.5])
def test_times_have_six_digits_whatever_they_are(
    seconds: float, server: Server, tree: Path
) -> None:
    os.utime(tree / "a.txt", (seconds, seconds))
    answer = server.ask("GET", "api/contents/a.txt")
    found = answer.json["last_modified"]
    fraction = f"{seconds % 1:.6f}"[1:]
    expected = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f"{fraction}Z"
    if differs_in(server, "times on the second"):
        expected = expected.replace(".000000Z", "Z")
    assert found == expected
    created = datetime.fromisoformat(answer.json["created"]).timestamp()
    assert abs(created - (tree / "a.txt").stat().st_ctime) < 0.001
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(seconds))
    assert answer.headers["Last-Modified"] == date
