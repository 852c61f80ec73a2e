"""Every REST route, asked wrongly: the right refusal, nothing changed, never a 5xx."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.conformance.client import cookie_header
from tests.conformance.differences import NEVER, differs_in, expected
from tests.conformance.given import put, snapshot
from tests.conformance.messages import MESSAGES
from tests.conformance.permissions import FORBIDDEN
from tests.conformance.routes import (
    API_METHODS,
    EVERY_METHOD,
    HANDSHAKE,
    KERNEL,
    NOT_OBJECTS,
    PAGES,
    TAKES_JSON,
)
from tests.conformance.wrong_bodies import WRONG_BODIES
from tests.conformance.wrong_kernels import WRONG_KERNELS
from tests.conformance.wrong_lab import WRONG_LAB
from tests.conformance.wrong_paths import WRONG_PATHS
from tests.conformance.wrong_services import WRONG_SERVICES
from tests.conformance.wrong_texts import WRONG_TEXTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.client import Answer, Server
    from tests.conformance.row import Row

ROWS = (
    *WRONG_PATHS,
    *WRONG_BODIES,
    *WRONG_KERNELS,
    *WRONG_SERVICES,
    *WRONG_TEXTS,
    *WRONG_LAB,
    *FORBIDDEN,
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_wrong_request_is_refused_and_changes_nothing(row: Row, server: Server, tree: Path) -> None:
    row = expected(server, row.id, row)
    if row.status == NEVER:
        return
    put(tree, row.given)
    before = snapshot(tree)
    answer = server.ask(row.method, row.target, json=row.json, body=row.raw, headers=row.headers)
    assert answer.status == row.status, answer.body
    _expect_no_secret(server, answer)
    if row.kind is not None and row.status >= 400 and row.status != 500:
        assert answer.kind == row.kind, answer.body
        assert answer.phrase == row.phrase or row.phrase is None
        assert snapshot(tree) == before
        _expect_error_of_kind(row, answer)
        if row.id in MESSAGES:
            assert re.fullmatch(MESSAGES[row.id], answer.json["message"]), answer.body


def test_every_message_is_that_of_a_request() -> None:
    forbidden = {"read-forbidden", "write-read-only"}  # to all but the superuser
    assert MESSAGES.keys() - {row.id for row in ROWS} <= forbidden


@pytest.mark.parametrize("name", NOT_OBJECTS)
@pytest.mark.parametrize("route", TAKES_JSON, ids=" ".join)
def test_body_that_is_no_object_is_refused(
    route: tuple[str, str], name: str, server: Server, tree: Path
) -> None:
    before = snapshot(tree)
    answer = server.ask(*route, body=NOT_OBJECTS[name])
    if differs_in(server, "bodies that are no objects"):
        return
    assert answer.status == 400, answer.body
    assert answer.kind == "json"
    assert set(answer.json) >= {"message", "reason"}
    assert snapshot(tree) == before


@pytest.mark.parametrize("token", [None, "wrong", "\u00fc"])
@pytest.mark.parametrize(
    ("method", "target"),
    [(method, target) for target, methods in API_METHODS.items() for method in sorted(methods)],
)
def test_api_refuses_who_has_no_credential(
    method: str, target: str, token: str | None, server: Server, tree: Path
) -> None:
    before = snapshot(tree)
    answer = server.ask(method, target, token=token)
    assert answer.status == 403
    assert answer.kind == "json"
    assert snapshot(tree) == before


@pytest.mark.parametrize("target", PAGES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_page_sends_who_has_no_credential_to_the_login(
    method: str, target: str, server: Server, tree: Path
) -> None:
    headers = {"Referer": server.url}  # as from a link on a page of the server
    answer = server.ask(method, target + "?a=b", token=None, headers=headers)
    assert answer.status == 302
    where = f"{server.base}{target}?a=b"
    quoted = quote(where, safe="")
    assert answer.headers["Location"] == f"{server.base}login?next={quoted}"
    assert tree.exists()


def test_wrong_token_in_the_query_is_not_saved_by_a_right_header(server: Server) -> None:
    assert server.ask("GET", "api/status?token=wrong").status == 403
    assert server.ask("GET", f"api/status?token={server.token}", token="wrong").status == 200


@pytest.mark.parametrize(
    ("method", "target"),
    [
        (method, target)
        for target, methods in API_METHODS.items()
        for method in EVERY_METHOD
        if method not in methods
    ],
)
def test_api_refuses_other_methods(method: str, target: str, server: Server, tree: Path) -> None:
    before = snapshot(tree)
    answer = server.ask(method, target)
    assert answer.status == 405
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.kind == ("empty" if method == "HEAD" else "json")
    assert "Allow" not in answer.headers
    assert snapshot(tree) == before


@pytest.mark.parametrize("target", API_METHODS)
def test_preflight_needs_no_credential(target: str, server: Server) -> None:
    answer = server.ask("OPTIONS", target, token=None)
    assert answer.status == 200
    assert answer.body == b""
    assert answer.headers["Access-Control-Allow-Headers"] == (
        "accept, content-type, authorization, x-xsrftoken"
    )
    assert answer.headers["Access-Control-Allow-Methods"] == (
        "GET, PUT, POST, PATCH, DELETE, OPTIONS"
    )


@pytest.mark.parametrize("target", [f"{KERNEL}/channels", "api/events/subscribe"])
def test_websocket_is_refused_before_the_upgrade(target: str, server: Server) -> None:
    for token in (None, "wrong"):
        assert server.ask("GET", target, headers=HANDSHAKE, token=token).status == 403
    cookie = cookie_header(server.ask("GET", "api/me"))
    for origin in ("http://other.example", f"http://{server.netloc}.evil.example"):
        headers = {**HANDSHAKE, "Cookie": cookie, "Origin": origin}
        answer = server.ask("GET", target, headers=headers, token=None)
        assert answer.status == 403 or differs_in(server, "a socket of no kernel")


def test_websocket_of_no_kernel_is_refused(server: Server) -> None:
    assert server.ask("GET", f"{KERNEL}/channels", headers=HANDSHAKE).status == 404
    assert server.ask("GET", f"{KERNEL}/channels").status in (400, 404)


@pytest.mark.parametrize("token", ["", None])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"])
@pytest.mark.parametrize("target", ["nope", "api/nope", "api/kernels/bogus", "api/contents//x"])
def test_unknown_address_is_unknown_to_everybody(
    method: str, target: str, token: str | None, server: Server
) -> None:
    answer = server.ask(method, target, token=token)
    # Who changes things without a token must first show that no foreign page asks.
    is_proven = token == "" or method in ("GET", "HEAD")
    assert answer.status == (404 if is_proven else 403)
    assert answer.headers["Content-Type"].startswith("text/html")


def _expect_error_of_kind(row: Row, answer: Answer) -> None:
    if row.status == 501:
        return  # it says more
    if row.kind in ("json", "html"):
        told = {"Location", "Last-Modified", "Access-Control-Allow-Origin"}
        assert not told & set(answer.headers)
    if row.kind == "json":
        assert set(answer.json) == {"message", "reason"}
        assert answer.json["reason"] in (None, answer.phrase)


def _expect_no_secret(server: Server, answer: Answer) -> None:
    assert b"CANARY" not in answer.body
    if not differs_in(server, "places"):
        assert answer.status < 500 or answer.status == 501
        assert str(server.root).encode() not in answer.body
        assert b"Traceback" not in answer.body
