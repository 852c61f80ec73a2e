"""Who is let in, and what other sites may do."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.conformance.client import Answer, cookie_header
from tests.conformance.differences import differs_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.client import Answer, Server


@pytest.mark.parametrize("scheme", ["token", "Bearer", "TOKEN", "bearer  "])
def test_token_in_a_header_lets_in(scheme: str, server: Server) -> None:
    headers = {"Authorization": f"{scheme} {server.token}"}
    assert server.ask("GET", "api/status", headers=headers, token=None).status == 200


def test_token_leaves_a_cookie_that_keeps_the_user(server: Server) -> None:
    first = server.ask("GET", "api/me")
    name = "username-" + re.sub(r"[^A-Za-z0-9]", "-", server.netloc)
    cookie = cookie_header(first)
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
    headers = {"Cookie": cookie_header(changed)}
    again = server.ask("GET", "api/me", headers=headers, token=None)
    assert again.json["identity"]["display_name"] == "Ada"


def test_login_by_form_leads_on_and_leaves_a_cookie(server: Server) -> None:
    after = server.base + "lab/tree/a%20b"
    page = server.ask("GET", "login?next=" + quote(after, safe=""), token=None)
    assert page.status == 200
    xsrf = page.cookies()["_xsrf"]
    answer = _log_in(server, xsrf, server.token, "?next=" + quote(after))
    assert answer.status == 302
    assert answer.headers["Location"] == after
    cookie = cookie_header(answer)
    inside = server.ask("GET", "api/status", headers={"Cookie": cookie}, token=None)
    assert inside.status == 200
    target = "login?next=" + quote(server.base + "x")
    again = server.ask("GET", target, headers={"Cookie": cookie}, token=None)
    assert (again.status, again.headers["Location"]) == (302, server.base + "x")


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
    if differs_in(server, "where a login leads"):
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


def test_token_opens_the_api_to_other_sites(server: Server) -> None:
    headers = {"Origin": "http://other.example"}
    answer = server.ask("GET", "api/status", headers=headers)
    assert answer.headers["Access-Control-Allow-Origin"] == "http://other.example"
    assert server.ask("GET", "api/status").headers["Access-Control-Allow-Origin"] == ""
    refused = server.ask("GET", f"api/kernels/{uuid.uuid4()}", headers=headers)
    assert refused.status == 404
    assert "Access-Control-Allow-Origin" not in refused.headers


def test_cookie_does_not_open_the_api_to_other_sites(server: Server) -> None:
    cookie = cookie_header(server.ask("GET", "api/me"))
    headers = {"Cookie": cookie, "Origin": "http://other.example"}
    answer = server.ask("GET", "api/me", headers=headers, token=None)
    assert answer.status == 404
    assert answer.json == {"message": "Not Found", "reason": None}
    own = {"Cookie": cookie, "Origin": f"http://{server.netloc.upper()}"}
    assert server.ask("GET", "api/me", headers=own, token=None).status == 200


def test_cookie_needs_proof_for_changes(server: Server) -> None:
    page = server.ask("GET", "login", token=None)
    xsrf = page.cookies()["_xsrf"]
    cookie = cookie_header(server.ask("GET", "api/me")) + f"; _xsrf={xsrf}"

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
    cookie = cookie_header(server.ask("GET", "api/me"))

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


def _log_in(server: Server, xsrf: str, token: str, query: str) -> Answer:
    headers = {
        "Cookie": f"_xsrf={xsrf}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    body = f"_xsrf={quote(xsrf)}&password={quote(token)}".encode()
    return server.ask("POST", "login" + query, body=body, headers=headers, token=None)
