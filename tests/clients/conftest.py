"""Clients that others have written, from their registries, in environments of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conformance.servers import RunningStock
from tests.running import Home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.running import RunningPerijove

    StartStock = Callable[..., RunningStock]
    RunProgram = Callable[..., str]

HERE = Path(__file__).parent
ENVIRONMENT = Path(sys.prefix, "clients")
"""`make clients` makes it."""
LIMIT_S = 110.0


@pytest.fixture(scope="session")
def node() -> Path:
    """Return the folder with the packages of npm."""
    return _made(HERE / "node" / "node_modules").parent


@pytest.fixture(scope="session")
def programs() -> Path:
    """Return the directory of commands with the packages of Python."""
    return _made(ENVIRONMENT / "bin")


@pytest.fixture
def run_program(programs: Path, perijove: RunningPerijove) -> RunProgram:
    """Run a program of `programs/` to its end, and return what it prints."""

    def run(name: str, *arguments: str, **environment: str) -> str:
        done = subprocess.run(
            [programs / "python", HERE / "programs" / name, *arguments],
            env=perijove.home.environment | environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def drive(node: Path, perijove: RunningPerijove) -> Callable[..., None]:
    """Have a file of tests in Node drive a server."""

    def drive(file: Path, url: str, token: str, **environment: str) -> None:
        told = {"PERIJOVE_URL": url, "PERIJOVE_TOKEN": token, **environment}
        done = subprocess.run(
            # Polls of the client go on after a test.
            ["node", "--test-force-exit", "--test-reporter=spec", file],
            cwd=node,
            env=perijove.home.environment | told,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        assert "tests 0" not in done.stdout

    return drive


@pytest.fixture(scope="module")
def start_stock(
    programs: Path, tmp_path_factory: pytest.TempPathFactory, shared_perijove: RunningPerijove
) -> Iterator[StartStock]:
    """Start jupyter_servers whose gateway is the folder's stack.

    They are told values of traits, and variables.
    """
    started: list[RunningStock] = []

    def start(traits: Mapping[str, object] | None = None, **environment: str) -> RunningStock:
        home = Home(tmp_path_factory.mktemp("home"))
        home.environment.update(environment)
        gateway = {
            "GatewayClient.url": shared_perijove.url,
            "GatewayClient.auth_token": shared_perijove.token,
        }
        running = RunningStock(programs / "jupyter-server", home, {**gateway, **(traits or {})})
        started.append(running)
        running.server()
        return running

    try:
        yield start
    finally:
        for running in started:
            running.end()


def _made(directory: Path) -> Path:
    missing = not directory.exists()
    if missing and os.environ.get("CI") != "true":
        pytest.skip("`make clients` installs what this needs")
    assert not missing, f"{directory} is missing"
    return directory
