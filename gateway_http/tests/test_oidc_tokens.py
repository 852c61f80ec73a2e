"""What a provider says of a user holds only if it signed it, for this site and this login."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey
from perijove_chassis.settings import Secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conftest import MakeEdge

CLIENT = "perijove"
KEY = RSAKey.generate_key(2048, {"kid": "first"})
OTHER = RSAKey.generate_key(2048, {"kid": "second"})


@dataclass
class Provider:
    """One that says whatever a test wants."""

    url: str = ""
    keys: list[RSAKey] = field(default_factory=lambda: [KEY])
    claims: dict[str, Any] = field(default_factory=dict)
    signed: str = ""
    """The token, if it is not made of the claims."""
    asked_for_keys: int = 0
    form: dict[str, Any] = field(default_factory=dict)
    authorization: str = ""

    async def describe(self, _request: web.Request) -> web.Response:
        found = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        for name in ("authorization", "token", "userinfo"):
            found[f"{name}_endpoint"] = f"{self.url}/{name}"
        return web.json_response(found)

    async def tell_keys(self, _request: web.Request) -> web.Response:
        self.asked_for_keys += 1
        return web.json_response({"keys": [key.as_dict(private=False) for key in self.keys]})

    async def give_token(self, request: web.Request) -> web.Response:
        self.form = dict(await request.post())
        self.authorization = request.headers.get("Authorization", "")
        token = self.signed or jwt.encode({"alg": "RS256", "kid": KEY.kid}, self.claims, KEY)
        return web.json_response({"id_token": token, "access_token": "at"})

    async def tell_more(self, _request: web.Request) -> web.Response:
        return web.json_response({"sub": "somebody else", "email": "a@b", "email_verified": True})


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    found = Provider()
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", found.describe)
    app.router.add_get("/keys", found.tell_keys)
    app.router.add_post("/token", found.give_token)
    app.router.add_get("/userinfo", found.tell_more)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


@dataclass
class Site:
    """An edge whose users the provider names."""

    edge: Any
    provider: Provider

    cookies: list[str] = field(default_factory=list)
    """What the last login has left."""

    async def log_in(self, **claims: Any) -> tuple[int, bytes]:
        """Go there and come back; return the status of the end of the way."""
        left, _ = await self.edge.ask("GET", "/oauth_login?next=/lab", token=None)
        asked = dict(parse_qsl(urlsplit(left.headers["Location"]).query))
        self.provider.claims = {
            "iss": self.provider.url,
            "aud": CLIENT,
            "sub": "ada",
            "nonce": asked["nonce"],
            "exp": int(time.time()) + 60,
            **claims,
        }
        cookie = left.headers["Set-Cookie"].partition(";")[0]
        target = f"/oauth_callback?code=c&state={asked['state']}"
        back, body = await self.edge.ask("GET", target, token=None, headers={"Cookie": cookie})
        self.cookies = back.headers.getall("Set-Cookie", [])
        return back.status, body


@pytest.fixture
async def site(provider: Provider, make_edge: MakeEdge) -> Site:
    edge = await make_edge(
        token=Secret(""),
        oidc_issuer=provider.url,
        oidc_client_id=CLIENT,
        oidc_client_secret=Secret("s"),
        oidc_allowed_users="*",
    )
    return Site(edge, provider)


async def test_what_holds_lets_in(site: Site) -> None:
    assert (await site.log_in())[0] == 302
    assert (await site.log_in(aud=[CLIENT, "x"], azp=CLIENT))[0] == 302
    assert len(site.provider.form["code_verifier"]) == 43
    assert site.provider.authorization.startswith("Basic ")
    assert site.provider.asked_for_keys == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": [CLIENT, "x"], "azp": "x"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "token"},
        {"sub": "x" * 300},
        {"sub": ["ada"]},
        {"iat": time.time() + 86_400},
    ],
)
async def test_what_is_for_somebody_or_something_else_does_not(
    wrong: dict[str, Any], site: Site
) -> None:
    status, _ = await site.log_in(**wrong)
    assert status == 403


def signed_with_the_public_key(claims: dict[str, Any]) -> str:
    """Make what holds for whoever lets the token say how it is checked."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "kid": "first"}, claims)
    ]
    digest = hmac.digest(KEY.as_pem(private=False), b".".join(parts), hashlib.sha256)
    return b".".join([*parts, base64.urlsafe_b64encode(digest).rstrip(b"=")]).decode()


@pytest.mark.parametrize("kind", ["none", "public key as secret", "other key", "garbage", "empty"])
async def test_what_the_provider_has_not_signed_does_not(kind: str, site: Site) -> None:
    await site.log_in()
    claims = {**site.provider.claims, "nonce": "x"}
    site.provider.signed = {
        "none": "eyJhbGciOiJub25lIiwia2lkIjoiZmlyc3QifQ.e30.",
        "public key as secret": signed_with_the_public_key(claims),
        "other key": jwt.encode({"alg": "RS256", "kid": "first"}, claims, OTHER),
        "garbage": "a.b.c",
        "empty": "x",
    }[kind]
    status, body = await site.log_in()
    assert status == 403
    assert b"does not hold" in body


async def test_a_new_key_is_asked_for_once_and_an_unknown_one_not_again(site: Site) -> None:
    provider = site.provider
    await site.log_in()
    for _ in range(3):
        provider.signed = jwt.encode({"alg": "RS256", "kid": "second"}, provider.claims, OTHER)
        assert (await site.log_in())[0] == 403
    # Within half a minute of the first time.
    assert provider.asked_for_keys == 1


async def test_an_address_of_mail_is_a_name_only_if_it_was_verified_and_is_the_users(
    provider: Provider, make_edge: MakeEdge
) -> None:
    edge = await make_edge(
        token=Secret(""),
        oidc_issuer=provider.url,
        oidc_client_id=CLIENT,
        oidc_username_claim="email",
        oidc_allowed_users="a@b",
    )
    site = Site(edge, provider)
    assert (await site.log_in(email="a@b", email_verified=True))[0] == 302
    assert (await site.log_in(email="a@b"))[0] == 403
    assert (await site.log_in(email="a@b", email_verified="true"))[0] == 403
    # It is told elsewhere, of somebody else.
    assert (await site.log_in())[0] == 403
    assert provider.authorization == ""


async def test_what_ends_a_login_comes_with_the_logout_alone_and_fits_a_cookie(
    site: Site,
) -> None:
    for claims, fits in (({}, True), ({"more": "x" * 4000}, False)):
        assert (await site.log_in(**claims))[0] == 302
        (kept,) = (cookie for cookie in site.cookies if "-hint=" in cookie)
        attributes = set(kept.lower().split("; ")[1:])
        assert {"httponly", "path=/logout", "samesite=strict"} <= attributes
        assert ("max-age=0" in attributes) is not fits
        assert len(kept.partition(";")[0]) < 4096
        login = next(cookie for cookie in site.cookies if cookie not in (kept, ""))
        assert len(login) < 600
    # This provider has no place where logins end.
    headers = {"Cookie": "; ".join(cookie.partition(";")[0] for cookie in site.cookies)}
    answer, body = await site.edge.ask("GET", "/logout", token=None, headers=headers)
    assert (answer.status, b"Successfully logged out" in body) == (200, True)


async def test_logins_under_way_do_not_pile_up(site: Site) -> None:
    cookies: dict[str, str] = {}
    for _ in range(12):
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        answer, _ = await site.edge.ask("GET", "/oauth_login", token=None, headers=headers)
        for given in answer.headers.getall("Set-Cookie"):
            name, _, value = given.partition(";")[0].partition("=")
            cookies[name] = value
            if "Max-Age=0" in given:
                del cookies[name]
    assert len(cookies) <= 5
