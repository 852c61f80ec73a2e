"""Logins by OpenID Connect, with a real provider."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from perijove_chassis.settings import Secret

from tests.integration.openid import provider, site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider() as address:
        yield address


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
        # The login, and what ends it at the provider.
        assert len(browser.cookies) == 2
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


async def test_who_logs_out_is_logged_out_at_the_provider_and_comes_back(issuer: str) -> None:
    async with site(issuer) as browser:
        await browser.get(await browser.log_in(await browser.leave(), "1"))
        (name,) = (name for name in browser.cookies if name.endswith("-hint"))
        hint = browser.cookies[name]
        status, there, _ = await browser.get(f"{browser.url}/logout")
        assert (status, browser.cookies) == (302, {})
        where = urlsplit(there)
        assert dict(parse_qsl(where.query)) == {
            "client_id": "perijove",
            "id_token_hint": hint,
            "post_logout_redirect_uri": f"{browser.url}/logout",
        }
        status, _, page = await browser.get(there)
        assert status == 200
        fields = re.findall(rb'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
        (confirm,) = re.findall(r'action="([^"]*)"', page.decode())
        data = {name.decode(): html.unescape(value.decode()) for name, value in fields}
        status, back, _ = await browser.get(issuer + confirm, method="POST", data=data)
        assert (status, back) == (302, f"{browser.url}/logout")
        # Which ends there: it does not send the browser on again.
        status, _, page = await browser.get(back)
        assert (status, b"Successfully logged out" in page) == (200, True)
        assert (await browser.get(f"{browser.url}/api/me"))[0] == 403


async def test_a_logout_goes_where_it_is_told_to_or_stays(issuer: str) -> None:
    after = "https://club.example/bye?x=1"
    for told, status in (
        ({"oidc_logout_redirect_url": after}, 302),
        ({"oidc_logout": False}, 200),
        # A provider that says nothing of it, or nothing at all.
        ({"oidc_issuer": "http://127.0.0.1:9"}, 200),
    ):
        async with site(issuer, cookie_name="login") as browser:
            await browser.get(await browser.log_in(await browser.leave(), "1"))
            cookies = browser.cookies
        async with site(issuer, cookie_name="login", **told) as browser:
            browser.cookies.update(cookies)
            found, there, _ = await browser.get(f"{browser.url}/logout")
            assert (found, browser.cookies) == (status, {})
            if there:
                asked = dict(parse_qsl(urlsplit(there).query))
                assert asked["post_logout_redirect_uri"] == after


async def test_a_logout_that_another_site_asks_for_shows_the_provider_nothing(
    issuer: str,
) -> None:
    async with site(issuer) as browser:
        await browser.get(await browser.log_in(await browser.leave(), "1"))
        # Browsers keep what is `SameSite=Strict` to themselves then.
        browser.cookies = {
            name: value for name, value in browser.cookies.items() if not name.endswith("-hint")
        }
        status, there, _ = await browser.get(f"{browser.url}/logout")
        assert (status, "id_token_hint" in there) == (302, False)


async def test_who_has_no_login_of_the_provider_is_not_sent_there(issuer: str) -> None:
    async with site(issuer, token=Secret("tok")) as browser:
        assert (await browser.get(f"{browser.url}/logout"))[0] == 200
        assert (await browser.get(f"{browser.url}/api/me?token=tok"))[0] == 200
        assert len(browser.cookies) == 1
        assert (await browser.get(f"{browser.url}/logout"))[0] == 200
        assert not browser.cookies


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
