"""A real OpenID provider, sites whose users it names, and what a browser does with both."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web
from perijove_chassis.settings import Secret
from perijove_gateway_http.app import build_app
from perijove_gateway_http.routes import ROUTES
from perijove_gateway_http.settings import Settings
from yarl import URL

from tests.ports import free_port
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


@contextmanager
def provider() -> Iterator[str]:
    """Run a provider; give its address."""
    if not COMMAND.exists():
        pytest.skip("`make integration` installs the provider")
    port = free_port()
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
