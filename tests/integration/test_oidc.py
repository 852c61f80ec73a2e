"""Logins by OpenID Connect, with a real provider."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit

import aiohttp
import pytest
from aiohttp import web
from perijove_chassis.settings import Secret
from perijove_gateway_http.app import build_app
from perijove_gateway_http.routes import ROUTES
from perijove_gateway_http.settings import Settings
from yarl import URL

from tests.running import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

COMMAND = Path(sys.prefix, "identity", "bin", "oidc-provider-mock")
USERS = [
    {"sub": "1", "preferred_username": "ada", "name": "Ada L", "groups": ["staff", "x"]},
    {"sub": "2", "preferred_username": "eve", "groups": ["others"]},
    {"sub": "3", "preferred_username": "token", "groups": ["staff"]},
    {"sub": "4", "groups": ["staff"]},
]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    if not COMMAND.exists():
        pytest.skip("`make integration` installs the provider")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    users = [part for user in USERS for part in ("--user-claims", json.dumps(user))]
    command = [COMMAND, "--port", str(port), "--require-nonce", "true", *users]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: _answers(port, process))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionError:
        return False
    return True


@dataclass
class Browser:
    """What a browser does: it follows, and brings the cookies of each site."""

    http: aiohttp.ClientSession
    url: str
    cookies: dict[str, str]

    async def get(self, url: str, **options: Any) -> tuple[int, str, bytes]:
        """Return status, the `Location` and the page."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        async with self.http.request(
            options.pop("method", "GET"),
            URL(url, encoded=True),
            headers=headers if url.startswith(self.url) else {},
            allow_redirects=False,
            **options,
        ) as answer:
            for given in answer.headers.getall("Set-Cookie", []):
                for name, morsel in SimpleCookie(given).items():
                    self.cookies[name] = morsel.value
                    if morsel["max-age"] == "0":
                        del self.cookies[name]
            return answer.status, answer.headers.get("Location", ""), await answer.read()

    async def leave(self, asked: str = "/lab") -> str:
        """Go to log in; return the address at the provider."""
        status, there, _ = await self.get(f"{self.url}/oauth_login?next={quote(asked, safe='')}")
        assert status == 302
        return there

    async def log_in(self, there: str, sub: str) -> str:
        """Log in at the provider; return the address that it sends the browser back to."""
        status, back, page = await self.get(there, method="POST", data={"sub": sub})
        assert status == 302, page
        return back


@asynccontextmanager
async def site(issuer: str, **told: Any) -> AsyncIterator[Browser]:
    """Run an edge whose users log in at the provider, and a browser."""
    nowhere = "unix:/nowhere"
    given: dict[str, Any] = {
        "token": Secret(""),
        "oidc_issuer": issuer,
        "oidc_client_id": "perijove",
        "oidc_client_secret": Secret("s:/ecret"),
        "oidc_username_claim": "preferred_username",
        "oidc_scopes": "openid profile",
        "oidc_allowed_users": "ada,token",
        **told,
    }
    settings = Settings(
        service_key=Secret("k"), contents=nowhere, sessions=nowhere, kernels=nowhere, **given
    ).checked()
    runner = web.AppRunner(build_app(settings, ROUTES, on_loopback=True))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            yield Browser(http, url, {})
    finally:
        await runner.cleanup()


async def test_a_login_leads_to_the_provider_and_back_to_where_it_began(issuer: str) -> None:
    async with site(issuer) as browser:
        status, login, _ = await browser.get(f"{browser.url}/lab/tree/a%20b?x=1")
        assert (status, login.startswith("/login?next=")) == (302, True)
        status, there, _ = await browser.get(browser.url + login)
        assert (status, there.startswith("/oauth_login?next=")) == (302, True)
        status, provider, _ = await browser.get(browser.url + there)
        asked = dict(parse_qsl(urlsplit(provider).query))
        assert (asked["code_challenge_method"], len(asked["code_challenge"])) == ("S256", 43)
        back = await browser.log_in(provider, "1")
        status, after, page = await browser.get(back)
        assert (status, after) == (302, "/lab/tree/a%20b?x=1"), page
        assert len(browser.cookies) == 1
        status, _, body = await browser.get(f"{browser.url}/api/me")
        identity = json.loads(body)["identity"]
        assert (identity["username"], identity["display_name"]) == ("ada", "Ada L")
        assert json.loads(body)["permissions"]["updatable_fields"] == ["color"]
        # The code is good for once, and so is the cookie of the way.
        assert (await browser.get(back))[0] == 403


async def test_only_who_is_allowed_is_let_in(issuer: str) -> None:
    async with site(issuer) as browser:
        for sub, status in (("2", 403), ("3", 403), ("4", 403), ("1", 302)):
            back = await browser.log_in(await browser.leave(), sub)
            assert (await browser.get(back))[0] == status
            expected = 200 if status == 302 else 403
            assert (await browser.get(f"{browser.url}/api/me"))[0] == expected
    async with site(issuer, oidc_allowed_users="", oidc_allowed_groups="others") as browser:
        for sub, status in (("1", 403), ("2", 302)):
            back = await browser.log_in(await browser.leave(), sub)
            assert (await browser.get(back))[0] == status


async def test_groups_count_in_the_policy(issuer: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[groups.staff]\ncontents = ["read"]')
    async with site(issuer, policy_file=str(policy)) as browser:
        await browser.get(await browser.log_in(await browser.leave(), "1"))
        asked = quote('{"contents": ["read", "write"]}')
        _, _, body = await browser.get(f"{browser.url}/api/me?permissions={asked}")
        assert json.loads(body)["permissions"]["contents"] == ["read"]


async def test_who_may_log_in_no_more_is_out(issuer: str) -> None:
    cookies: dict[str, str] = {}
    for told, status in (
        ({"oidc_allowed_users": "", "oidc_allowed_groups": "staff,x"}, 200),
        ({"oidc_allowed_users": "", "oidc_allowed_groups": "x"}, 200),
        ({"oidc_allowed_users": "ada"}, 200),
        ({"oidc_allowed_users": "*"}, 200),
        ({"oidc_allowed_users": "", "oidc_allowed_groups": "others"}, 403),
        ({"oidc_allowed_users": "eve"}, 403),
        ({"oidc_issuer": "", "allow_anyone": True}, 200),
    ):
        async with site(issuer, cookie_name="login", **told) as browser:
            if not cookies:
                await browser.get(await browser.log_in(await browser.leave(), "1"))
                cookies = dict(browser.cookies)
            browser.cookies.update(cookies)
            found, _, body = await browser.get(f"{browser.url}/api/me")
            assert found == status, told
            is_ada = found == 200 and json.loads(body)["identity"]["username"] == "ada"
            assert is_ada == (status == 200 and "oidc_issuer" not in told)


async def test_who_was_not_sent_cannot_come_back(issuer: str) -> None:
    async with site(issuer) as browser:
        back = await browser.log_in(await browser.leave(), "1")
        pending = dict(browser.cookies)
        browser.cookies.clear()
        assert (await browser.get(back))[0] == 403
        # The answer to another login of the same browser, and a forged memory of one.
        other = await browser.log_in(await browser.leave(), "1")
        code = dict(parse_qsl(urlsplit(other).query))["code"]
        state = dict(parse_qsl(urlsplit(back).query))["state"]
        mixed = f"{browser.url}/oauth_callback?code={code}&state={state}"
        assert (await browser.get(mixed))[0] == 403
        browser.cookies.update(pending)
        # Its code was given for the challenge and the nonce of another one.
        assert (await browser.get(mixed))[0] == 403
        # Another state, whose beginning is the same.
        other_state = state[:-1] + ("a" if state[-1] != "a" else "b")
        assert (await browser.get(back.replace(state, other_state)))[0] == 403
        forged = {name: value[:-1] + "0x"[value[-1] == "0"] for name, value in pending.items()}
        browser.cookies.update(forged)
        assert (await browser.get(back))[0] == 403
        assert (await browser.get(f"{browser.url}/api/me"))[0] == 403
        back += "&iss=https%3A%2F%2Fevil.example"
        browser.cookies.update(pending)
        assert (await browser.get(back))[0] == 403


async def test_a_refusal_is_told_and_leads_nowhere_else(issuer: str) -> None:
    async with site(issuer) as browser:
        there = await browser.leave("https://evil.example/")
        state = dict(parse_qsl(urlsplit(there).query))["state"]
        told = f"{browser.url}/oauth_callback?error=access_denied&state={state}"
        status, _, page = await browser.get(told)
        assert (status, b"access_denied" in page) == (403, True)
        there = await browser.leave("https://evil.example/")
        assert (await browser.get(await browser.log_in(there, "1")))[:2] == (302, "/")


async def test_a_provider_that_is_away_is_a_503(issuer: str) -> None:
    del issuer
    async with site("http://127.0.0.1:9") as browser:
        assert (await browser.get(f"{browser.url}/oauth_login"))[0] == 503


async def test_token_and_provider_may_be_offered_together(issuer: str) -> None:
    async with site(issuer, token=Secret("tok"), oidc_name="The <Club>") as browser:
        status, _, page = await browser.get(f"{browser.url}/login?next=/lab")
        assert status == 200
        assert b'href="/oauth_login?next=%2Flab"' in page
        assert b"The &lt;Club&gt;" in page
        assert (await browser.get(f"{browser.url}/api/me?token=tok"))[0] == 200
