"""A real JupyterHub starts Perijove for a user, and its users are let in by its word."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import grpc
import psutil
import pytest
from aiohttp import WSMsgType
from perijove.kernels.v1 import kernels_pb2 as pb
from perijove.kernels.v1 import kernels_pb2_grpc

from tests.ports import free_port
from tests.running import GENEROUS_S, until

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).with_name("hub")
HUB = Path(sys.prefix, "identity", "bin", "jupyterhub")
PROXY = HERE / "node_modules" / ".bin" / "configurable-http-proxy"
TOKEN = secrets.token_hex(16)
ADMIN = {"Authorization": f"token {TOKEN}"}


@dataclass(frozen=True)
class RunningHub:
    """A hub, with its proxy."""

    url: str
    output: Path
    runtime: Path

    @property
    def server(self) -> str:
        """Address of the server of `ada`."""
        return f"{self.url}user/ada/"

    def record(self) -> dict[str, Any]:
        """What is known of what runs for her."""
        found: dict[str, Any] = json.loads((self.runtime / "perijove.json").read_text())
        return found


def ports(count: int) -> list[int]:
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return list(found)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with running_hub(tmp_path) as found:
        yield found


@pytest.fixture
def encrypted_hub(tmp_path: Path) -> Iterator[RunningHub]:
    """A hub that speaks https with everybody, and wants to see a certificate of each."""
    with running_hub(tmp_path, inside="https") as found:
        yield found


@contextmanager
def running_hub(tmp_path: Path, inside: str = "http") -> Iterator[RunningHub]:
    if not HUB.exists() or not PROXY.exists() or not shutil.which("node"):
        pytest.skip("`make integration` installs JupyterHub and its proxy")
    port, hub_port, proxy_port = map(str, ports(3))
    runtime = Path(tempfile.mkdtemp(prefix="pjh-", dir="/tmp"))
    (tmp_path / "ada").mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    environment = kept | {
        "TEST_HOME": str(tmp_path),
        "TEST_PORT": port,
        "TEST_HUB_PORT": hub_port,
        "TEST_PROXY_PORT": proxy_port,
        "TEST_PERIJOVE": str(Path(sys.executable).with_name("perijove")),
        "TEST_RUNTIME": str(runtime),
        "TEST_TOKEN": TOKEN,
        "TEST_SCHEME_INSIDE": inside,
    }
    found = RunningHub(f"http://127.0.0.1:{port}/base/", tmp_path / "hub.out", runtime)
    with found.output.open("wb") as output:
        process = subprocess.Popen(
            [HUB, "-f", HERE / "jupyterhub_config.py"],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield found
    finally:
        print(found.output.read_text()[-5000:])  # noqa: T201 - for a test that has failed
        for log in runtime.glob("logs/gateway*.log"):
            print(log.read_text()[-3000:])  # noqa: T201
        family = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        process.wait(GENEROUS_S)
        for one in family:
            if one.is_running():
                one.kill()
        shutil.rmtree(runtime, ignore_errors=True)


def browser() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


async def log_in(http: aiohttp.ClientSession, hub: RunningHub, name: str) -> None:
    async with http.get(f"{hub.url}hub/login") as page:
        xsrf = re.search(r'name="_xsrf" value="([^"]*)"', await page.text())
    assert xsrf
    fields = {"username": name, "password": "x", "_xsrf": xsrf[1]}
    async with http.post(f"{hub.url}hub/login", data=fields, allow_redirects=False) as answer:
        assert answer.status == 302, await answer.text()


async def status(http: aiohttp.ClientSession, url: str, **headers: str) -> int:
    async with http.get(url, headers=headers) as answer:
        return answer.status


async def start(http: aiohttp.ClientSession, hub: RunningHub) -> None:
    async def answers() -> bool:
        try:
            return await status(http, f"{hub.url}hub/api/", **ADMIN) == 200
        except aiohttp.ClientError:
            return False

    await until_true(answers)
    async with http.post(f"{hub.url}hub/api/users/ada", headers=ADMIN) as answer:
        assert answer.status == 201
    async with http.post(f"{hub.url}hub/api/users/ada/server", headers=ADMIN) as answer:
        assert answer.status in (201, 202), await answer.text()

    async def is_ready() -> bool:
        async with http.get(f"{hub.url}hub/api/users/ada", headers=ADMIN) as answer:
            servers = (await answer.json())["servers"]
            return bool(servers and servers[""]["ready"])

    await until_true(is_ready)


async def until_true(condition: Any) -> None:
    async with asyncio.timeout(GENEROUS_S * 2):
        while not await condition():  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.1)


@pytest.mark.timeout(300)
async def test_a_hub_with_internal_ssl_and_its_server_know_each_other_by_certificate(
    encrypted_hub: RunningHub,
) -> None:
    hub = encrypted_hub
    async with browser() as nobody, browser() as ada:
        await start(nobody, hub)
        await log_in(ada, hub, "ada")
        # By way of the proxy, which shows a certificate, too; the browser comes by http.
        assert await status(ada, f"{hub.server}lab") == 200
        async with ada.get(f"{hub.server}api/me") as answer:
            assert (await answer.json())["identity"]["username"] == "ada"
        # The server has told the hub of activity, and asked it whose the login is.
        said = hub.output.read_text()
        assert "200 POST /base/hub/api/users/ada/activity" in said
        assert re.search(r"200 GET /base/hub/api/user \(ada@", said)
        inside = json.loads((hub.runtime / "perijove.json").read_text())["url"]
        assert inside.startswith("https://")
        # Whoever has no certificate of the hub's gets no answer, whatever else it has.
        with pytest.raises(aiohttp.ClientError):
            await nobody.get(f"{inside}api", ssl=False)


@pytest.mark.timeout(300)
async def test_the_users_of_a_hub_are_let_in_by_its_word(hub: RunningHub) -> None:
    async with browser() as nobody, browser() as ada, browser() as eve:
        await start(nobody, hub)
        async with nobody.get(f"{hub.server}api") as answer:
            assert re.fullmatch(r"[\d.]+", answer.headers["X-JupyterHub-Version"])
        assert await status(nobody, f"{hub.server}api/me") == 403
        assert await status(nobody, f"{hub.server}api/me", Authorization="token wrong") == 403
        # A program with a token of the hub.
        async with nobody.get(f"{hub.server}api/me", headers=ADMIN) as answer:
            assert (await answer.json())["identity"]["username"] == "service/test"
        # Somebody else, who has a login at the hub.
        await log_in(eve, hub, "eve")
        assert await status(eve, f"{hub.server}lab") == 403
        assert await status(eve, f"{hub.server}api/me") == 403
        await log_in(ada, hub, "ada")
        async with ada.get(f"{hub.server}lab/tree/x?y=1") as page:
            assert page.status == 200
            assert str(page.url) == f"{hub.server}lab/tree/x?y=1"
            config = re.search(
                r'id="jupyter-config-data"[^>]*>(.*?)</script>', await page.text(), re.DOTALL
            )
        assert config
        told = json.loads(config[1])
        expected = {
            "baseUrl": "/base/user/ada/",
            "hubHost": "",
            "hubPrefix": "/base/hub/",
            "hubServerName": "",
            "hubUser": "ada",
            "shareUrl": "/base/hub/user-redirect",
            "token": "",
        }
        assert {name: told[name] for name in expected} == expected
        async with ada.get(hub.server, allow_redirects=False) as answer:
            assert answer.headers["Location"] == "/base/user/ada/tree"
        await use_and_log_out(ada, hub)
        assert "/hub/api/users/ada/activity" in hub.output.read_text()
        async with nobody.delete(f"{hub.url}hub/api/users/ada/server", headers=ADMIN) as answer:
            assert answer.status in (202, 204)
        await until(lambda: not (hub.runtime / "perijove.json").exists())


async def use_and_log_out(ada: aiohttp.ClientSession, hub: RunningHub) -> None:
    path = "/base/user/ada"
    cookies = {one.key: one.value for one in ada.cookie_jar if one["path"].rstrip("/") == path}
    headers = {"X-XSRFToken": cookies["_xsrf"]}
    async with ada.post(f"{hub.server}api/kernels", json={}, headers=headers) as answer:
        assert answer.status == 201, await answer.text()
        kernel_id = (await answer.json())["id"]
    record = hub.record()
    async with grpc.aio.insecure_channel(record["targets"]["kernels"]) as channel:
        stub: Any = kernels_pb2_grpc.KernelsServiceStub(channel)
        metadata = (("authorization", f"Bearer {record['api_token']}"),)
        (kernel,) = (await stub.ListKernels(pb.ListKernelsRequest(), metadata=metadata)).kernels
    assert (kernel.kernel_id, kernel.owner) == (kernel_id, "ada")
    kept = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    async with ada.ws_connect(f"{hub.server}api/events/subscribe") as events:
        async with ada.get(f"{hub.server}logout", allow_redirects=False) as answer:
            assert answer.headers["Location"] == "/base/hub/logout"
        async with browser() as thief:
            assert await status(thief, f"{hub.server}api/me", **kept) == 200
            assert await status(ada, f"{hub.url}hub/logout") == 200

            async def is_out() -> bool:
                return await status(thief, f"{hub.server}api/me", **kept) == 403

            await until_true(is_out)
        async with asyncio.timeout(GENEROUS_S):
            while (await events.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
                pass
        assert events.close_code == 1008
