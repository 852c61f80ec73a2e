"""The table: which row a raw path is for, and what it captures."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from perijove_gateway_http.routing import Guard, Match, Route, Table


async def _handler(_request: web.Request) -> web.Response:
    return web.Response()


def _table(*patterns: str, base_url: str = "/") -> Table:
    return Table(base_url, [Route("GET", pattern, _handler) for pattern in patterns])


PATTERNS = (
    "",
    "api",
    "api/contents/{path...}/checkpoints/{checkpoint_id:[\\w-]+}",
    "api/contents/{path...}/checkpoints",
    "api/contents/{path...}",
    "api/kernels/{kernel_id:\\w+-\\w+}",
    "specs/{name}/{file}",
    "lab/{rest*}",
    "{anything}/end",
)


@pytest.mark.parametrize(
    ("raw_path", "pattern", "params"),
    [
        ("/", "", {}),
        ("/api", "api", {}),
        ("/api/contents", PATTERNS[4], {"path": ""}),
        ("/api/contents/", PATTERNS[4], {"path": ""}),
        ("/api/contents/a/b.txt", PATTERNS[4], {"path": "a/b.txt"}),
        ("/api/contents/a%2Fb.txt", PATTERNS[4], {"path": "a/b.txt"}),
        ("/api/contents/%2e%2e/b", PATTERNS[4], {"path": "../b"}),
        ("/api/contents/a%252Fb", PATTERNS[4], {"path": "a%2Fb"}),
        ("/api/contents/a+b", PATTERNS[4], {"path": "a+b"}),
        ("/api/contents/a%0Ab", PATTERNS[4], {"path": "a\nb"}),
        ("/api/contents/checkpoints", PATTERNS[3], {"path": ""}),
        ("/api/contents/d/f/checkpoints", PATTERNS[3], {"path": "d/f"}),
        ("/api/contents/d%2Fcheckpoints", PATTERNS[4], {"path": "d/checkpoints"}),
        ("/api/contents/f/checkpoints/x-1", PATTERNS[2], {"path": "f", "checkpoint_id": "x-1"}),
        ("/api/contents/f/checkpoints/x.1", PATTERNS[4], {"path": "f/checkpoints/x.1"}),
        ("/api/kernels/a-b", PATTERNS[5], {"kernel_id": "a-b"}),
        ("/specs/p/l.png", PATTERNS[6], {"name": "p", "file": "l.png"}),
        ("/lab", PATTERNS[7], {"rest": ""}),
        ("/lab/a//b/", PATTERNS[7], {"rest": "a//b/"}),
        ("/x%20y/end", PATTERNS[8], {"anything": "x y"}),
    ],
)
def test_path_finds_its_row(raw_path: str, pattern: str, params: dict[str, str]) -> None:
    match = _table(*PATTERNS).match("GET", raw_path)
    assert match is not None
    assert match.row.pattern == pattern
    assert match.params() == params


@pytest.mark.parametrize(
    "raw_path",
    [
        *("/api/", "//api", "/ap", "/api/kernels/ab", "/api/kernels/a-b/", "/%61pi"),
        *("/api/contents//a", "/api/contents/a/", "/api/contents/a//b", "/api%2Fcontents"),
        *("/specs/p", "/specs//l", "/specs/p/l/", "/end", "//end", "api", "", "*"),
    ],
)
def test_path_of_another_shape_finds_nothing(raw_path: str) -> None:
    assert _table(*PATTERNS).match("GET", raw_path) is None


@pytest.mark.parametrize("base_url", ["/a%40b/", "/user/ada/"])
def test_base_url_is_part_of_the_path(base_url: str) -> None:
    table = _table(*PATTERNS, base_url=base_url)
    found = table.match("GET", base_url + "api")
    assert found is not None
    assert found.row.pattern == "api"
    assert table.match("GET", "/api") is None
    assert table.match("GET", base_url.rstrip("/")) is None
    root = table.match("GET", base_url)
    assert root is not None
    assert root.row.pattern == ""


def test_base_url_is_known_in_any_spelling() -> None:
    table = _table("api", base_url="/a%40b/")
    assert table.match("GET", "/a@b/api")
    assert table.match("GET", "/%61%40b/api")


def test_row_without_the_method_has_no_route() -> None:
    match = _table("api").match("POST", "/api")
    assert match is not None
    assert match.route is None
    assert match.row.guard is Guard.API


def test_part_that_is_no_utf_8_is_told() -> None:
    match = _table("{name}").match("GET", "/%ff")
    assert match is not None
    with pytest.raises(UnicodeDecodeError):
        match.params()


def test_two_routes_for_the_same_are_refused() -> None:
    with pytest.raises(ValueError, match="two routes for GET api"):
        _table("api", "api")


@given(st.lists(st.text(min_size=1).filter(lambda text: max(text) < "\ud800"), max_size=4))
def test_any_path_arrives_as_it_was_encoded(parts: list[str]) -> None:
    raw = "/".join(quote(part, safe="") for part in parts)
    match = _table("api/contents/{path...}").match("GET", f"/api/contents/{raw}")
    assert isinstance(match, Match)
    assert match.params() == {"path": "/".join(parts)}


@pytest.mark.parametrize("patterns", [("{any}/one", "two/one"), ("two/one", "{any}/one")])
def test_an_earlier_pattern_wins_over_a_literal_one(patterns: tuple[str, str]) -> None:
    match = _table(*patterns).match("GET", "/two/one")
    assert match
    assert match.row.pattern == patterns[0]
