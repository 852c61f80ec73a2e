"""What clients meet at the door: https, a unix socket, and the way to end it all."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp
import pytest

from services.chassis.tests.certificates import CLIENT, Root
from tests.jupyter_ws import JupyterClient
from tests.running import GENEROUS_S, Home, RunningPerijove

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import StartPerijove


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    return Root(tmp_path_factory.mktemp("root"))


@pytest.fixture(scope="module")
def encrypted(root: Root, start_for_module: StartPerijove) -> RunningPerijove:
    certificate, key = root.sign("edge", "edge", names=("localhost",))
    return start_for_module(
        *("--certfile", str(certificate), "--keyfile", str(key)),
        *("--client-ca", str(root.certificate), "--ip", "localhost"),
    )


@pytest.fixture
def make_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Home]:
    return lambda: Home(tmp_path_factory.mktemp("home"))


@pytest.fixture
def trusting(root: Root) -> ssl.SSLContext:
    """What a client trusts, and shows."""
    context = ssl.create_default_context(cafile=root.certificate)
    context.load_cert_chain(*root.sign("ada", "ada", CLIENT))
    return context


def listed(home: Home) -> dict[str, Any]:
    """Return what Jupyter knows of the only server that runs."""
    output = run_jupyter(home, "list", "--json")
    (found,) = map(json.loads, output.splitlines())
    return dict(found)


def run_jupyter(home: Home, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "server", *arguments],
        env=home.environment,
        capture_output=True,
        text=True,
        timeout=GENEROUS_S,
        check=True,
    )
    return done.stdout


def stop(home: Home) -> None:
    command = [sys.executable, "-m", "perijove_local", "stop"]
    subprocess.run(command, env=home.environment, timeout=GENEROUS_S, check=True)


async def test_a_kernel_is_used_over_https(
    encrypted: RunningPerijove, trusting: ssl.SSLContext
) -> None:
    assert f"{encrypted.url}lab?token={encrypted.token}" in encrypted.said
    assert encrypted.url.startswith("https://localhost:")
    headers = {"Authorization": f"token {encrypted.token}"}
    connector = aiohttp.TCPConnector(ssl=trusting)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as http:
        jupyter = JupyterClient(http, encrypted.url)
        async with http.get(f"{encrypted.url}api/me") as response:
            assert "secure" in response.headers["Set-Cookie"].lower()
        session = await jupyter.new_session("a.ipynb")
        async with jupyter.kernel(session["kernel"]["id"]) as kernel:
            assert await kernel.run("print('x' * 1_000_000)") == "x" * 1_000_000 + "\n"
        content = {"type": "file", "format": "text", "content": "y" * 1_000_000}
        await jupyter.call("PUT", "api/contents/large.txt", content, expect=201)
        async with http.get(f"{encrypted.url}files/large.txt") as response:
            assert await response.text() == "y" * 1_000_000


async def test_https_asks_for_a_certificate_and_then_for_a_token(
    encrypted: RunningPerijove, root: Root, trusting: ssl.SSLContext
) -> None:
    nameless = ssl.create_default_context(cafile=root.certificate)
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientConnectionError):
            await http.get(f"{encrypted.url}api/status", ssl=nameless)
        async with http.get(f"{encrypted.url}api/status", ssl=trusting) as response:
            assert response.status == 403


def test_jupyter_knows_that_it_speaks_https(encrypted: RunningPerijove) -> None:
    found = listed(encrypted.home)
    assert found["url"] == encrypted.url
    assert found["secure"] is True


async def test_a_killed_gateway_comes_back_with_its_certificate(
    encrypted: RunningPerijove, trusting: ssl.SSLContext
) -> None:
    await encrypted.wait_restarted("gateway_http", encrypted.kill("gateway_http"))
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{encrypted.url}api", ssl=trusting) as response,
    ):
        assert response.status == 200


async def test_a_unix_socket_is_served_and_found_and_leaves_nothing(
    start_perijove: StartPerijove, make_home: Callable[[], Home]
) -> None:
    home = make_home()
    path = home.runtime / "http.sock"
    perijove = start_perijove("--sock", str(path), home=home)
    assert path.stat().st_mode & 0o777 == 0o600
    headers = {"Authorization": f"token {perijove.token}"}
    connector = aiohttp.UnixConnector(str(path))
    async with aiohttp.ClientSession(headers=headers, connector=connector) as http:
        jupyter = JupyterClient(http, "http://localhost/")
        session = await jupyter.new_session("a.ipynb")
        async with jupyter.kernel(session["kernel"]["id"]) as kernel:
            assert await kernel.run("print(6 * 7)") == "42\n"
    found = listed(home)
    assert found["sock"] == str(path)
    assert found["url"] == f"http+unix://{quote(str(path), safe='')}/"
    # As `jupyter server stop` begins, which then sends a signal.
    async with (
        aiohttp.ClientSession(headers=headers, connector=aiohttp.UnixConnector(str(path))) as http,
        http.post("http://localhost/", allow_redirects=False) as response,
    ):
        assert response.status == 302
    stop(home)
    assert perijove.process.wait(GENEROUS_S) == 0
    assert not path.exists()
    perijove.expect_nothing_left()


async def test_a_request_ends_it_with_all_that_it_started(start_perijove: StartPerijove) -> None:
    perijove = start_perijove()
    below = perijove.descendants()
    async with JupyterClient.http(perijove.token) as http:
        jupyter = JupyterClient(http, perijove.url)
        await jupyter.new_session("a.ipynb")
        async with http.post(f"{perijove.url}api/shutdown") as response:
            assert (response.status, await response.read()) == (200, b"")
    assert perijove.process.wait(GENEROUS_S) == 0
    assert not [process for process in below if process.is_running()]
    perijove.expect_nothing_left()


async def test_unused_it_ends_and_a_kernel_is_use(start_perijove: StartPerijove) -> None:
    perijove = start_perijove(PERIJOVE_GATEWAY_HTTP_SHUTDOWN_NO_ACTIVITY_TIMEOUT="2")
    async with JupyterClient.http(perijove.token) as http:
        jupyter = JupyterClient(http, perijove.url)
        session = await jupyter.new_session("a.ipynb")
        # Longer than the limit: that a kernel keeps it is seen by its being there then.
        async with jupyter.kernel(session["kernel"]["id"]) as kernel:
            await kernel.run("import time; time.sleep(4)")
        assert perijove.process.poll() is None
        await jupyter.call("DELETE", f"api/sessions/{session['id']}", expect=204)
    assert perijove.process.wait(GENEROUS_S) == 0
    assert "stopping" in perijove.said
    perijove.expect_nothing_left()


def test_a_certificate_that_is_none_is_said_with_the_end_of_the_log(
    start_perijove: StartPerijove, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("CANARY")
    perijove = start_perijove("--certfile", str(wrong), ready=False)
    assert perijove.process.wait(GENEROUS_S) == 1
    assert "CERTFILE" in perijove.said
    assert "CANARY" not in perijove.said
