"""Passwords: their forms, their file, and what a change of them does."""

from __future__ import annotations

import hashlib
import json
import stat
from typing import TYPE_CHECKING

import pytest
from perijove_gateway_http.identity import password_hash
from perijove_gateway_http.identity.password_file import PasswordFile
from perijove_gateway_http.identity.passwords import Passwords
from perijove_gateway_http.problems import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeEdge, RunningEdge

PASSWORD = "corr\u00e9ct horse"
SALT = "0123456789ab"
STORED = f"sha256:{SALT}:{hashlib.sha256((PASSWORD + SALT).encode()).hexdigest()}"
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": "_xsrf=x"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "private" / "password"


def test_both_forms_match_their_password_and_no_other() -> None:
    for stored in (STORED, password_hash.make(PASSWORD)):
        assert password_hash.matches(stored, PASSWORD)
        assert not password_hash.matches(stored, PASSWORD + "x")
        assert not password_hash.matches(stored, "")


@pytest.mark.parametrize(
    "stored",
    ["", ":", "::", "x", "sha1:salt:", "nope:salt:00", "argon2:", "argon2:$argon2id$v=19$x", "md5"],
)
def test_what_is_no_password_matches_nothing(stored: str) -> None:
    assert not password_hash.matches(stored, "")
    assert not password_hash.matches(stored, "x")


@pytest.mark.parametrize(
    ("section", "trait"),
    [
        ("IdentityProvider", "hashed_password"),
        ("PasswordIdentityProvider", "hashed_password"),
        ("ServerApp", "password"),
        ("NotebookApp", "password"),
    ],
)
def test_the_configuration_of_jupyter_is_read(section: str, trait: str, tmp_path: Path) -> None:
    file = tmp_path / "jupyter_server_config.json"
    file.write_text(json.dumps({section: {trait: STORED}}, indent=2))
    assert PasswordFile("", str(file)).read() == STORED
    assert PasswordFile(str(file)).read() == STORED


def test_a_file_of_its_own_goes_before_that_of_jupyter(tmp_path: Path, path: Path) -> None:
    fallback = tmp_path / "jupyter_server_config.json"
    fallback.write_text(json.dumps({"IdentityProvider": {"hashed_password": STORED}}))
    file = PasswordFile(str(path), str(fallback))
    before = file.version()
    assert file.read() == STORED
    file.write("argon2:x")
    assert file.read() == "argon2:x"
    assert file.version() != before
    file.write("")
    assert file.read() == ""


def test_the_file_is_for_its_owner_alone(path: Path) -> None:
    PasswordFile(str(path)).write("argon2:x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


async def test_a_change_elsewhere_is_seen_and_one_that_cannot_be_stored_is_refused(
    path: Path,
) -> None:
    file = PasswordFile(str(path))
    one, other = Passwords(file, may_change=True), Passwords(file, may_change=True)
    await one.change("new")
    await other.refresh()
    assert await other.check("new")
    await other.change("newer")
    await one.refresh()
    assert not await one.check("new")
    assert await one.check("newer")
    with pytest.raises(Problem, match="cannot be changed here"):
        await Passwords(file, may_change=False).change("newest")
    path.unlink()
    path.parent.rmdir()
    path.parent.write_text("in the way")
    with pytest.raises(Problem, match="read-only"):
        await one.change("newest")
    for text in ("", "x" * 1025):
        with pytest.raises(Problem):
            await one.change(text)
    assert await one.check("newer")


async def test_a_file_that_cannot_be_read_for_a_while_changes_nothing(path: Path) -> None:
    PasswordFile(str(path)).write(STORED)
    passwords = Passwords(PasswordFile(str(path)), may_change=True)
    path.unlink()
    path.mkdir()
    await passwords.refresh()
    assert await passwords.check(PASSWORD)


async def log_in(edge: RunningEdge, **fields: str) -> tuple[int, str, bytes]:
    """Send the form; return the status, the login cookie as it is sent back, and the page."""
    response, body = await edge.ask(
        "POST", "/login", token=None, headers=FORM, data={"_xsrf": "x", **fields}
    )
    cookies = [
        cookie.partition(";")[0]
        for cookie in response.headers.getall("Set-Cookie", [])
        if not cookie.startswith("_xsrf")
    ]
    return response.status, cookies[0] if cookies else "", body


async def who(edge: RunningEdge, cookie: str) -> int:
    response, _ = await edge.ask("GET", "/api/me", token=None, headers={"Cookie": cookie})
    return response.status


async def test_a_change_of_the_password_ends_every_login(make_edge: MakeEdge, path: Path) -> None:
    PasswordFile(str(path)).write(STORED)
    told = {"password_file": str(path), "cookie_name": "login"}
    one, other = await make_edge(**told), await make_edge(**told)
    status, before, _ = await log_in(one, password=PASSWORD)
    assert (status, await who(one, before), await who(other, before)) == (302, 200, 200)
    assert (await log_in(one, password="wrong", new_password="n"))[0] == 401
    assert (await log_in(one, new_password="n"))[0] == 401
    status, after, _ = await log_in(one, password=PASSWORD, new_password="new")
    # At once: a cookie that is not known yet is not thrown away.
    assert (status, await who(other, after), await who(one, after)) == (302, 200, 200)
    assert (await who(one, before), await who(other, before)) == (403, 403)
    assert (await log_in(other, password=PASSWORD))[0] == 401
    assert (await log_in(other, password="new"))[0] == 302


async def test_a_password_that_is_mounted_to_be_read_cannot_be_changed(
    make_edge: MakeEdge, path: Path
) -> None:
    PasswordFile(str(path)).write(STORED)
    edge = await make_edge(password_file=str(path), allow_password_change=False)
    response, page = await edge.ask("GET", "/login", token=None)
    assert b"new_password" not in page
    status, cookie, page = await log_in(edge, password=PASSWORD, new_password="new")
    assert (status, cookie) == (403, "")
    assert b"cannot be changed here" in page
    assert (await log_in(edge, password=PASSWORD))[0] == 302
    assert response.status == 200


async def test_with_a_password_nobody_is_let_in_without(make_edge: MakeEdge, path: Path) -> None:
    from perijove_chassis.settings import Secret

    edge = await make_edge(token=Secret(""), allow_anyone=True, password_file=str(path))
    assert (await edge.ask("GET", "/api/me", token=None))[0].status == 200
    PasswordFile(str(path)).write(STORED)
    cookie = (await log_in(edge, password="x"))[1]
    while (await edge.ask("GET", "/api/me", token=None))[0].status == 200:
        pass
    assert await who(edge, cookie or "a=b") == 403
    status, cookie, _ = await log_in(edge, password=PASSWORD)
    assert (status, await who(edge, cookie)) == (302, 200)


async def test_a_cookie_that_does_not_hold_is_taken_away(make_edge: MakeEdge) -> None:
    edge = await make_edge(cookie_name="login", cookie_options='{"SameSite": "Strict"}')
    response, _ = await edge.ask("GET", "/api/me", token=None, headers={"Cookie": "login=x.y"})
    assert response.status == 403
    (cookie,) = response.headers.getall("Set-Cookie")
    assert cookie.startswith('login="";')
    assert "Max-Age=0" in cookie
    response, _ = await edge.ask("GET", "/api/me")
    (cookie,) = response.headers.getall("Set-Cookie")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))


async def test_a_token_in_a_form_lets_in(make_edge: MakeEdge) -> None:
    edge = await make_edge()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for token, status in (("a-token", 200), ("wrong", 403)):
        response, _ = await edge.ask(
            "POST",
            "/api/security/csp-report",
            token=None,
            headers=headers,
            data=f"token={token}",
        )
        assert response.status == status
