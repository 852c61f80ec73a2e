"""What people see of the tree, and what they may have otherwise."""

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from perijove_chassis.errors import InvalidArgument, NotFound
from perijove_contents.model import EntryPath
from perijove_contents.visibility import UNLISTED, USUAL, Visibility

NAMES = st.text("ab.~*?[]_py", min_size=1, max_size=8)


@pytest.mark.parametrize("name", ["a.txt", "é", "a~b", "pyc", "__pycache__2", "a.pycx"])
def test_what_is_called_as_usual_is_listed(name: str) -> None:
    assert USUAL.lists(name)


@pytest.mark.parametrize("name", [".a", "__pycache__", "a.pyc", ".pyo", ".DS_Store", "a~", "~"])
def test_what_is_left_behind_is_not_listed(name: str) -> None:
    assert not USUAL.lists(name)


def test_what_cannot_travel_is_not_listed() -> None:
    assert not USUAL.lists("\udcff")


def test_who_shows_hidden_entries_may_read_and_change_them() -> None:
    path, open_ = EntryPath.parse("a/.b/c"), Visibility(shows_hidden=True)
    with pytest.raises(NotFound):
        USUAL.require(path)
    with pytest.raises(InvalidArgument):
        USUAL.require_changeable("delete", EntryPath.parse("a"), path)
    open_.require(path)
    open_.require_changeable("delete", path)
    assert open_.lists(".b")
    assert not open_.lists(".DS_Store")


def test_who_leaves_out_nothing_lists_everything() -> None:
    assert all(Visibility(shows_hidden=True, unlisted=()).lists(glob) for glob in UNLISTED)


@given(st.lists(NAMES), NAMES)
def test_patterns_are_those_of_a_shell(patterns: list[str], name: str) -> None:
    seen = Visibility(shows_hidden=True, unlisted=patterns)
    assert seen.lists(name) == (not any(fnmatch.fnmatchcase(name, one) for one in patterns))
