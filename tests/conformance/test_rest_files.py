"""`files` and `view` as browsers use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.differences import differs_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.client import Server


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


def test_range_that_is_none_is_told_how_long_the_file_is(server: Server, tree: Path) -> None:
    answer = server.ask("GET", "files/a.txt", headers={"Range": "bytes=9-"})
    assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */4")
    assert tree.exists()


def test_a_link_has_the_type_of_its_name(server: Server, tree: Path) -> None:
    (tree / "link.html").symlink_to("a.txt")
    found = server.ask("GET", "files/link.html").headers["Content-Type"]
    other = differs_in(server, "the type of a link")
    assert found == ("text/plain; charset=UTF-8" if other else "text/html")


def test_unchanged_file_is_not_sent_again(server: Server, tree: Path) -> None:
    modified = server.ask("GET", "files/a.txt").headers["Last-Modified"]
    answer = server.ask("GET", "files/a.txt", headers={"If-Modified-Since": modified})
    assert (answer.status, answer.body) == (304, b"")
    assert tree.exists()


def test_file_is_viewed_in_a_sandbox(server: Server, tree: Path) -> None:
    (tree / 'a "b".html').write_text("<p>")
    answer = server.ask("GET", "view/a%20%22b%22.html")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert b'sandbox="allow-scripts"' in answer.body
    assert f'src="{server.base}files/a%20%22b%22.html"'.encode() in answer.body
