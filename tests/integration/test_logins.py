"""Logins over several gateways: a change of the password ends them everywhere, at once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import WSMsgType
from yarl import URL

from tests.gateways import another_gateway
from tests.running import GENEROUS_S, Home

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.conftest import StartPerijove
    from tests.running import RunningPerijove

PASSWORD = "correct horse"
SOON_S = 5.0
COMMAND = str(Path(sys.executable).with_name("perijove"))


@dataclass(frozen=True, slots=True)
class Site:
    """One gateway, and a client that keeps no cookies."""

    url: str
    http: aiohttp.ClientSession

    async def log_in(self, password: str, new: str = "") -> str:
        """Return the login cookie, as it is sent back; empty if there is none."""
        fields = {"_xsrf": "x", "password": password, **({"new_password": new} if new else {})}
        async with self.http.post(
            f"{self.url}/login", data=fields, headers={"Cookie": "_xsrf=x"}, allow_redirects=False
        ) as answer:
            given = answer.headers.getall("Set-Cookie", [])
            return next((one.partition(";")[0] for one in given if one.startswith("user")), "")

    async def status(self, cookie: str) -> int:
        async with self.http.get(f"{self.url}/api/me", headers=self._as(cookie)) as answer:
            return answer.status

    async def connect(self, target: str, cookie: str) -> aiohttp.ClientWebSocketResponse:
        return await self.http.ws_connect(f"{self.url}{target}", headers=self._as(cookie))

    def _as(self, cookie: str) -> dict[str, str]:
        # All gateways are one site to the browser; here they have ports of their own.
        return {"Cookie": cookie, "Host": "localhost:1"}


def set_password(home: Home) -> None:
    """Do what people do who set the password."""
    subprocess.run(
        [COMMAND, "password"], input=PASSWORD + "\n", text=True, env=home.environment, check=True
    )


@contextmanager
def password_of(perijove: RunningPerijove) -> Iterator[None]:
    """Let there be a password for a while."""
    home = perijove.home
    set_password(home)
    yield
    subprocess.run([COMMAND, "password", "--remove"], env=home.environment, check=True)


@pytest.fixture
async def sites(perijove: RunningPerijove) -> AsyncIterator[tuple[Site, Site]]:
    with password_of(perijove), another_gateway(perijove) as port:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            yield Site(perijove.url.rstrip("/"), http), Site(f"http://127.0.0.1:{port}", http)


async def closing(socket: aiohttp.ClientWebSocketResponse) -> int:
    """Read to the end, and return the code that it was closed with."""
    while (await socket.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
        pass
    return socket.close_code or 0


async def logged_in(site: Site, password: str) -> str:
    # The gateway sees a new password within a second.
    async with asyncio.timeout(GENEROUS_S):
        while not (cookie := await site.log_in(password)):
            pass
    return cookie


async def test_a_new_password_ends_every_login_and_closes_its_sockets_at_every_gateway(
    sites: tuple[Site, Site], perijove: RunningPerijove, kernel_id: str
) -> None:
    one, other = sites
    cookie = (await logged_in(one, PASSWORD)).partition("=")[2]
    cookie = f"username-localhost-1={cookie}"
    headers = {"Authorization": f"token {perijove.token}"}
    async with one.http.post(f"{one.url}/api/terminals", headers=headers) as answer:
        terminal = (await answer.json())["name"]
    targets = [
        "/api/events/subscribe",
        f"/api/kernels/{kernel_id}/channels",
        f"/terminals/websocket/{terminal}",
    ]
    sockets = [await site.connect(target, cookie) for site in (one, other) for target in targets]
    by_token = await other.http.ws_connect(f"{other.url}{targets[0]}", headers=headers)
    fresh = (await one.log_in(perijove.token, new="new")).partition("=")[2]
    async with asyncio.timeout(SOON_S):
        codes = await asyncio.gather(*map(closing, sockets))
    assert codes == [1008] * len(sockets)
    for site in (one, other):
        assert await site.status(cookie) == 403
        assert await site.status(f"username-localhost-1={fresh}") == 200
        assert not await site.log_in(PASSWORD)
        assert await site.log_in("new")
    # Who has the token has it still.
    await by_token.ping()
    assert not by_token.closed
    await by_token.close()
    async with one.http.delete(f"{one.url}/api/terminals/{terminal}", headers=headers) as answer:
        assert answer.status == 204


async def test_with_a_password_there_is_no_token(
    start_perijove: StartPerijove, tmp_path: Path
) -> None:
    home = Home(tmp_path)
    set_password(home)
    running = start_perijove(home=home)
    assert running.token == ""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        site = Site(running.url.rstrip("/"), http)
        assert await site.status("a=b") == 403
        cookie = await site.log_in(PASSWORD)
        async with http.get(f"{site.url}/api/me", headers={"Cookie": cookie}) as answer:
            assert answer.status == 200
    # What looks after it has a credential of its own.
    top = [COMMAND, "top", "--json", "--port", str(URL(running.url).port)]
    await asyncio.to_thread(
        subprocess.run, top, env=home.environment, check=True, capture_output=True
    )
