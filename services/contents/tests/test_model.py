"""Paths and names."""

import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from perijove_chassis.errors import DomainError, InvalidArgument
from perijove_contents import naming
from perijove_contents.backends.tree import Tree
from perijove_contents.content import Write
from perijove_contents.model import (
    ContentFormat,
    EntryPath,
    EntryType,
    WritePart,
    guess_mime_type,
)
from perijove_contents.naming import AS_JUPYTER

SEGMENTS = st.one_of(
    st.sampled_from(["..", ".", "", "...", "..\0", "\0", "..\\", "~", "-", "C:", " ", "\n"]),
    st.sampled_from(["%2e%2e", "%2f", "..%2f", "\u2025", "\uff0e\uff0e", "\ud800"]),
    st.sampled_from(["a" * 255, "a" * 256, "é" * 128, "root", "root2", "secret"]),
    st.text(max_size=8),
)
PATHS = st.lists(SEGMENTS, max_size=6).map("/".join)


@given(PATHS)
def test_no_path_leads_out_of_the_root(text: str) -> None:
    try:
        path = EntryPath.parse(text)
    except InvalidArgument:
        return
    for root in ("/srv/root", "/"):
        tree = Tree(root, file_mode=0, directory_mode=0)
        location = Path(tree.root.locate(path))
        assert location.is_relative_to(root)
        assert ".." not in location.parts
        assert len(location.parts) == len(Path(root).parts) + len(path.parts)
    assert EntryPath.parse(str(path)) == path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=PATHS)
def test_nothing_outside_the_root_is_reached(tmp_path: Path, text: str) -> None:
    root = tmp_path / "root"
    root.mkdir(exist_ok=True)
    (tmp_path / "root2").mkdir(exist_ok=True)
    (tmp_path / "secret").write_text("secret")
    tree = Tree(str(root), file_mode=0o600, directory_mode=0o700)
    try:
        path = EntryPath.parse(text)
        entry = tree.get(path)
    except (DomainError, OSError):
        return
    assert entry.type is EntryType.DIRECTORY
    assert not path.parts


@pytest.mark.parametrize(
    "text", ["..", "a/../b", "./a", "a/.", "a\0", "\0", "a" * 256, "é" * 128, "a/" * 3000, "\ud800"]
)
def test_a_malformed_path_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        EntryPath.parse(text)
    assert caught.value.reason == "BAD_PATH"
    assert len(str(caught.value)) < 300


def test_slashes_too_many_mean_nothing() -> None:
    assert EntryPath.parse("/a//b/") == EntryPath.parse("a/b") == EntryPath(("a", "b"))
    assert EntryPath.parse("/").is_root


@pytest.mark.parametrize("name", ["", "a/b", "/", "..", ".", "\0", "a" * 256])
def test_a_child_has_a_name(name: str) -> None:
    with pytest.raises(InvalidArgument):
        EntryPath(("a",)).child(name)


def test_a_segment_with_a_dot_in_front_hides() -> None:
    assert EntryPath.parse("a/.b/c").is_hidden
    assert not EntryPath.parse("a/b.c").is_hidden


def test_holding_goes_by_segments() -> None:
    assert EntryPath.parse("a").holds(EntryPath.parse("a/b"))
    assert not EntryPath.parse("a").holds(EntryPath.parse("ab"))


def first(names: object, count: int = 3) -> list[str]:
    return list(itertools.islice(names, count))  # type: ignore[call-overload]


def test_untitled_names_are_those_of_jupyter() -> None:
    assert first(AS_JUPYTER.names(EntryType.FILE, ".txt")) == [
        "untitled.txt",
        "untitled1.txt",
        "untitled2.txt",
    ]
    assert first(AS_JUPYTER.names(EntryType.FILE, "txt"), 2) == ["untitledtxt", "untitledtxt1"]
    assert first(AS_JUPYTER.names(EntryType.FILE, ".a.b"), 2) == [
        "untitled.a.b",
        "untitled1.a.b",
    ]
    assert first(AS_JUPYTER.names(EntryType.NOTEBOOK, ""), 2) == [
        "Untitled.ipynb",
        "Untitled1.ipynb",
    ]
    assert first(AS_JUPYTER.names(EntryType.DIRECTORY, ""), 2) == [
        "Untitled Folder",
        "Untitled Folder 1",
    ]


@pytest.mark.parametrize(
    ("name", "copies"),
    [
        ("a.txt", ["a.txt", "a-Copy1.txt"]),
        ("a-Copy2.txt", ["a.txt", "a-Copy1.txt"]),
        ("archive.tar.gz", ["archive.tar.gz", "archive-Copy1.tar.gz"]),
        ("a.b.ipynb", ["a.b.ipynb", "a.b-Copy1.ipynb"]),
        ("a.b-Copy7.ipynb", ["a.b.ipynb", "a.b-Copy1.ipynb"]),
        ("dir", ["dir", "dir-Copy1"]),
        ("-Copy1", ["-Copy1", "-Copy1-Copy1"]),
    ],
)
def test_copies_are_numbered_as_jupyter_does(name: str, copies: list[str]) -> None:
    assert first(naming.copy_names(name), 2) == copies


def test_names_end_after_a_while() -> None:
    assert len(list(naming.copy_names("a"))) == naming.MAX_TRIES


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("a.txt", "text/plain"),
        ("a.tar.gz", "application/x-tar"),
        ("a.PNG", "image/png"),
        ("data:text.html", "text/html"),
        ("a", ""),
        ("a.unknown", ""),
        (".html", ""),
    ],
)
def test_a_name_suggests_a_mime_type(name: str, mime_type: str) -> None:
    assert guess_mime_type(name) == mime_type


@pytest.mark.parametrize(
    ("kind", "form", "part"),
    [
        (EntryType.FILE, ContentFormat.NOTEBOOK, WritePart.WHOLE),
        (EntryType.FILE, ContentFormat.ENTRIES, WritePart.WHOLE),
        (EntryType.NOTEBOOK, ContentFormat.TEXT, WritePart.WHOLE),
        (EntryType.NOTEBOOK, None, WritePart.FIRST),
        (EntryType.DIRECTORY, ContentFormat.BINARY, WritePart.WHOLE),
        (EntryType.DIRECTORY, None, WritePart.LAST),
    ],
)
def test_a_write_that_cannot_be_meant_is_refused(
    kind: EntryType, form: ContentFormat | None, part: WritePart
) -> None:
    with pytest.raises(InvalidArgument):
        Write.plan(EntryPath(("a",)), type=kind, format=form, part=part)
