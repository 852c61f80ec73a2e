"""The real edge on a real socket, in front of a real contents process."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from perijove_chassis.settings import Secret
from perijove_gateway_http.app import build_app
from perijove_gateway_http.keys import FRONTEND, READINESS
from perijove_gateway_http.lab import apps
from perijove_gateway_http.lab.frontend import Frontend
from perijove_gateway_http.lab.installation import Installation
from perijove_gateway_http.routes import ROUTES, extensions_for
from perijove_gateway_http.settings import Settings
from perijove_gateway_http.starting import Readiness
from yarl import URL

from gateway_http.tests.lab.installing import Packages
from gateway_http.tests.lab.running_edge import SERVICE_KEY, TOKEN, ContentsProcess, Edge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from gateway_http.tests.lab.running_edge import MakeEdge, Write

MAX_SOCKET_PATH = 100


@pytest.fixture(scope="session")
def contents() -> Iterator[ContentsProcess]:
    """Run one contents process for the session."""
    with tempfile.TemporaryDirectory(prefix="pj") as name:
        directory = Path(name)
        (directory / "root").mkdir()
        target = f"unix:{directory}/c.sock"
        assert len(target) < MAX_SOCKET_PATH
        environment = os.environ | {
            "PERIJOVE_CONTENTS_LISTEN": target,
            "PERIJOVE_CONTENTS_SERVICE_KEY": SERVICE_KEY,
            "PERIJOVE_CONTENTS_LOG_LEVEL": "warning",
            "PERIJOVE_CONTENTS_ROOT": str(directory / "root"),
            "PERIJOVE_CONTENTS_SETTINGS_DIR": str(directory / "user-settings"),
            "PERIJOVE_CONTENTS_WORKSPACES_DIR": str(directory / "workspaces"),
            "PERIJOVE_CONTENTS_CONFIG_PATH": str(directory / "config"),
            "PERIJOVE_CONTENTS_DATA_DIR": str(directory / "data"),
        }
        with (directory / "log").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "perijove_contents"],
                env=environment,
                stdout=output,
                stderr=output,
            )
        try:
            yield ContentsProcess(target, directory)
        finally:
            process.terminate()
            process.wait()
            # Shown by pytest if a test failed.
            print((directory / "log").read_text()[-4000:])  # noqa: T201


@pytest.fixture
async def make_edge(
    contents: ContentsProcess,
) -> AsyncIterator[MakeEdge]:
    """Start edges: `base_url=...`, `installation=...`, and what else `Settings` has."""
    runners: list[web.AppRunner] = []
    sessions: list[aiohttp.ClientSession] = []

    async def make(installation: Installation | None = None, **given: Any) -> Edge:
        nowhere = f"unix:{contents.directory}/none.sock"
        settings = Settings(
            service_key=Secret(SERVICE_KEY),
            token=Secret(TOKEN),
            contents=contents.target,
            sessions=nowhere,
            kernels=nowhere,
            **given,
        ).checked()
        app = build_app(settings, ROUTES, on_loopback=True, extensions=extensions_for(settings))
        # There is but one service here.
        app[READINESS] = Readiness({})
        if installation:
            app[FRONTEND] = Frontend(installation)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        sessions.append(aiohttp.ClientSession())
        return Edge(URL(f"http://{host}:{port}{settings.base_url}"), sessions[-1], app)

    yield make
    for session in sessions:
        await session.close()
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def edge(make_edge: MakeEdge) -> Edge:
    """Start an edge in front of the JupyterLab of this environment."""
    return await make_edge()


@pytest.fixture
def installed() -> Installation:
    """Return the JupyterLab of this environment."""
    return Installation.find({})


@pytest.fixture
def empty(tmp_path: Path, installed: Installation) -> Installation:
    """Return an installation of its own without any file yet."""
    return Installation(
        app_dir=tmp_path / "lab",
        labextensions_path=(tmp_path / "user" / "labextensions", tmp_path / "env/labextensions"),
        config_path=(tmp_path / "user-config", tmp_path / "env-config"),
        favicons_dir=installed.favicons_dir,
        custom_dir=tmp_path / "user-config" / "custom",
        prefix=tmp_path,
        lab=apps.lab(tmp_path / "lab"),
        notebook=None,
    )


@pytest.fixture
def write() -> Write:
    """Write files: JSON of a value, or a text as it is."""

    def write_file(path: Path, value: object) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        path.write_text(text)

    return write_file


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Packages]:
    yield Packages(tmp_path, monkeypatch)
    for module in [name for name in sys.modules if name.startswith("extension_of_tests")]:
        del sys.modules[module]
