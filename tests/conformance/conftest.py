"""The servers under test: Perijove, or others.

With `--stock=COMMAND` all tests are run against that jupyter_server. With
`--server=URL --token=T` those are that need no server of their own, against any.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conformance.client import Server
from tests.conformance.given import open_up
from tests.conformance.samples import NOTEBOOK
from tests.conformance.servers import Servers
from tests.running import Home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    StartServer = Callable[..., Server]


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Server:
    """Return the server under test."""
    if url := request.config.getoption("--server", None):
        root = request.config.getoption("--root")
        token = request.config.getoption("--token")
        config = request.config.getoption("--config")
        found = Server(
            url,
            token,
            Path(root) if root else None,
            Path(config) if config else None,
            is_stock=True,
        )
        return replace(found, is_stock=found.ask("GET", "api").headers["Server"] != "Perijove")
    if request.config.getoption("--stock", None):
        shared: StartServer = request.getfixturevalue("start_shared_server")
        return shared()
    running = request.getfixturevalue("shared_perijove")
    config = Path(running.home.environment["JUPYTER_CONFIG_DIR"])
    return Server(running.url, running.token, running.root_dir, config, is_stock=False)


@pytest.fixture(scope="session")
def start_shared_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartServer]:
    """Start servers that live as long as all tests."""
    yield from _starting(request, tmp_path_factory, "start_shared")


@pytest.fixture(scope="module")
def start_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartServer]:
    """Start servers for a module: `start_server(kernelspecs={...}, cull_idle_s=2)`."""
    if request.config.getoption("--server", None):
        pytest.skip("the server cannot be told otherwise")
    yield from _starting(request, tmp_path_factory, "start_for_module")


@pytest.fixture
def tree(server: Server) -> Iterator[Path]:
    """Fill the server's root with a few entries; empty it in the end."""
    if server.root is None:
        pytest.skip("the server's root is out of reach")
    _empty(server.root)
    (server.root.parent / "secret.txt").write_text("CANARY")
    (server.root / "d" / "e").mkdir(parents=True)
    (server.root / "a.txt").write_text("abc\n")
    (server.root / "bin.dat").write_bytes(bytes(range(256)))
    (server.root / "d" / "c.txt").write_text("in d")
    (server.root / ".hidden.txt").write_text("hidden")
    (server.root / "n.ipynb").write_text(json.dumps(NOTEBOOK))
    (server.root / "broken.ipynb").write_text("{")
    yield server.root
    open_up(server.root)
    _empty(server.root)


def _starting(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, perijove: str
) -> Iterator[StartServer]:
    command = request.config.getoption("--stock", None)
    servers = Servers(
        Path(command).absolute() if command else None,
        lambda: Home(tmp_path_factory.mktemp("home")),
        request.getfixturevalue(perijove),
    )
    try:
        yield servers.start
    finally:
        servers.end()


def _empty(root: Path) -> None:
    for path in root.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
