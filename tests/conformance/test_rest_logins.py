"""Logins by password, what the cookie is like, and a server without any credential."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.conformance.client import cookie_header
from tests.conformance.differences import differs_in

if TYPE_CHECKING:
    from tests.conformance.client import Answer, Server
    from tests.conformance.conftest import StartServer

PASSWORD = "correct horse"
SALT = "0123456789ab"
TOKEN = "a-token"
DIGEST = hashlib.sha256((PASSWORD + SALT).encode()).hexdigest()
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def with_password(start_server: StartServer) -> Server:
    return start_server(
        hashed_password=f"sha256:{SALT}:{DIGEST}",
        token=TOKEN,
        cookie_name="my-login",
        cookie_options={"SameSite": "Strict"},
    )


@pytest.fixture(scope="module")
def without_anything(start_server: StartServer) -> Server:
    return start_server(token="")


def log_in(server: Server, **fields: str) -> Answer:
    page = server.ask("GET", "login", token=None)
    xsrf = page.cookies()["_xsrf"]
    given = {"_xsrf": xsrf, **fields}
    body = "&".join(f"{name}={quote(value)}" for name, value in given.items()).encode()
    headers = {"Cookie": f"_xsrf={xsrf}", "Content-Type": FORM}
    return server.ask("POST", "login", body=body, headers=headers, token=None)


def status_with(server: Server, cookie: str) -> int:
    return server.ask("GET", "api/me", headers={"Cookie": cookie}, token=None).status


def test_login_takes_the_token_and_the_password(with_password: Server) -> None:
    page = with_password.ask("GET", "login", token=None)
    assert b'name="password"' in page.body
    for secret in (PASSWORD, TOKEN):
        answer = log_in(with_password, password=secret)
        assert (answer.status, answer.headers["Location"]) == (302, with_password.base)
        assert status_with(with_password, cookie_header(answer)) == 200
    for wrong in ("", "wrong", PASSWORD + "x", f"sha256:{SALT}:{DIGEST}"):
        answer = log_in(with_password, password=wrong)
        assert answer.status == 401
        assert b'name="password"' in answer.body
        assert "my-login" not in answer.cookies()


def test_cookie_is_as_it_was_asked_for(with_password: Server) -> None:
    given = log_in(with_password, password=PASSWORD).headers.get_all("Set-Cookie") or []
    (cookie,) = (one for one in given if one.startswith("my-login="))
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "path=/", "samesite=strict"} <= attributes
    assert "secure" not in attributes


def test_cookie_that_does_not_hold_is_taken_away(with_password: Server) -> None:
    answer = with_password.ask("GET", "api/me", headers={"Cookie": "my-login=x"}, token=None)
    assert answer.status == 403
    assert answer.cookies()["my-login"] == ""


def test_token_in_the_address_goes_before_that_in_the_header(server: Server) -> None:
    assert server.ask("GET", "api/me?token=wrong").status == 403
    right = f"api/me?token={server.token}"
    wrong = {"Authorization": "token wrong"}
    assert server.ask("GET", right, headers=wrong, token=None).status == 200
    assert server.ask("GET", f"api/me?token=wrong&token={server.token}").status == 200


def test_token_in_a_form_lets_in(server: Server) -> None:
    for token, status in ((server.token, 200), ("wrong", 403)):
        body = f"token={token}".encode()
        headers = {"Content-Type": FORM}
        answer = server.ask(
            "POST", "api/security/csp-report", body=body, headers=headers, token=None
        )
        assert answer.status == status


def test_page_leads_who_is_not_logged_in_to_the_login_and_back(server: Server) -> None:
    answer = server.ask("GET", "lab/tree/a%20b?x=1&y=%2F", token=None)
    assert answer.status == 302
    asked = quote(server.base + "lab/tree/a%20b?x=1&y=%2F", safe="")
    assert answer.headers["Location"] == f"{server.base}login?next={asked}"
    assert server.ask("POST", "api/contents/x.ipynb/trust", token=None).status == 403


@pytest.mark.parametrize("target", ["", "api", "login", "logout", "favicon.ico", "api/notebooks/x"])
def test_a_few_addresses_are_for_everybody(target: str, server: Server) -> None:
    answer = server.ask("GET", target, token=None)
    assert answer.status in (200, 302)
    assert "login?" not in answer.headers.get("Location", "")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("[1]", "[1]"),
        ("{", "{"),
        ('{"a": "b"}', '{"a": "b"}'),
        ('{"a": [1]}', '{"a": [1]}'),
    ],
)
def test_wrong_question_for_permissions_is_repeated(
    query: str, message: str, server: Server
) -> None:
    answer = server.ask("GET", "api/me?permissions=" + quote(query))
    assert answer.status == 400
    expected = (
        f'permissions should be a JSON dict of {{"resource": ["action",]}}, got \'{message}\''
    )
    assert answer.json["message"] == expected


def test_identity_that_is_changed_says_what_is_wrong(server: Server) -> None:
    assert server.ask("PATCH", "api/me", json={}).json["message"] == "Invalid or missing JSON body"
    answer = server.ask("PATCH", "api/me", json={"username": "root"})
    assert (answer.status, answer.json["message"]) == (400, "Field username is not updatable")
    me = server.ask("GET", "api/me?permissions=" + quote(json.dumps({"x": ["y", "z"], "c": []})))
    permissions = me.json["permissions"]
    fields = ["name", "display_name", "initials", "avatar_url", "color"]
    assert permissions == {"x": ["y", "z"], "c": [], "updatable_fields": fields}


def test_without_any_credential_everybody_is_a_user(without_anything: Server) -> None:
    first = without_anything.ask("GET", "api/me", token=None)
    assert first.status == 200
    name = f"username-{without_anything.netloc.replace('.', '-').replace(':', '-')}"
    assert name in first.cookies()
    headers = {"Cookie": cookie_header(first)}
    again = without_anything.ask("GET", "api/me", headers=headers, token=None)
    assert again.json["identity"] == first.json["identity"]


def test_without_any_credential_another_server_may_use_it_and_no_page_may(
    without_anything: Server,
) -> None:
    def put(**headers: str) -> int:
        given = {"Authorization": "token ", **headers}
        address = "api/config/gateway"
        return without_anything.ask("PUT", address, json={}, headers=given, token=None).status

    allowed = not differs_in(without_anything, "who shows an empty token")
    assert put() == (204 if allowed else 403)
    for elsewhere in ({"Origin": "http://evil.example"}, {"Authorization": "Basic dTpw"}):
        assert put(**elsewhere) in (403, 404)


def test_new_password_ends_the_logins_of_before(with_password: Server) -> None:
    before = cookie_header(log_in(with_password, password=PASSWORD))
    assert log_in(with_password, password="wrong", new_password="new").status == 401
    assert log_in(with_password, password=TOKEN, new_password="new").status == 302
    expected = 200 if differs_in(with_password, "a change of the password") else 403
    assert status_with(with_password, before) == expected
    assert log_in(with_password, password=PASSWORD).status == 401
    after = log_in(with_password, password="new")
    assert after.status == 302
    assert status_with(with_password, cookie_header(after)) == 200
