"""Fixtures for tests over the whole stack: the real command, with all its processes."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

import grpc
import pytest

from tests.executions import Program, program_at
from tests.jupyter_ws import JupyterClient
from tests.running import Home, RunningPerijove

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    StartPerijove = Callable[..., RunningPerijove]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the folders that speak plain Jupyter test any other server."""
    parser.addoption("--stock", help="command of a jupyter_server to test in place of Perijove")
    parser.addoption("--server", help="URL of a running server to test in place of Perijove")
    parser.addoption("--token", default="", help="its token")
    parser.addoption("--root", help="its root directory; conformance empties it")
    parser.addoption("--config", help="its user's Jupyter configuration directory")
    parser.addoption("--duration", type=float, default=25.0, help="seconds of made-up requests")
    parser.addoption("--runs", type=int, default=1, help="how often the chaos of replicas is run")
    parser.addoption("--seed", type=int, help="what its first run begins with; else a random one")


@pytest.fixture(scope="session")
def start_shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartPerijove]:
    """Start stacks that live as long as the folder's tests."""
    yield from _starting(lambda: Home(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def start_for_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartPerijove]:
    """Start stacks that live as long as the tests of one file."""
    yield from _starting(lambda: Home(tmp_path_factory.mktemp("home")))


@pytest.fixture
def start_perijove(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartPerijove]:
    """Start stacks for one test: as on the command line, `ready=False` to not wait."""
    yield from _starting(lambda: Home(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def shared_perijove(start_shared: StartPerijove) -> RunningPerijove:
    """Run one stack for all tests of a folder."""
    return start_shared()


@pytest.fixture
def perijove(
    shared_perijove: RunningPerijove, request: pytest.FixtureRequest
) -> Iterator[RunningPerijove]:
    """Return the folder's stack; show its logs if the test fails."""
    before = request.session.testsfailed
    yield shared_perijove
    if request.session.testsfailed > before:
        print(shared_perijove.report())  # noqa: T201


@pytest.fixture
async def jupyter(perijove: RunningPerijove) -> AsyncIterator[JupyterClient]:
    """Return a client of the folder's stack."""
    async with JupyterClient.http(perijove.token) as http:
        yield JupyterClient(http, perijove.url)


@pytest.fixture
async def program(perijove: RunningPerijove) -> AsyncIterator[Program]:
    """Return a program that uses the folder's stack over gRPC."""
    async with program_at(perijove.target("kernels"), perijove.token) as program:
        yield program


@pytest.fixture
async def kernel_id(program: Program) -> AsyncIterator[str]:
    """Start a kernel for a program."""
    kernel_id = await program.start_kernel()
    yield kernel_id
    with suppress(grpc.aio.AioRpcError):  # a test may have shut it down
        await program.shutdown(kernel_id)


def _starting(make_home: Callable[[], Home]) -> Iterator[StartPerijove]:
    started: list[RunningPerijove] = []

    def start(
        *arguments: str, ready: bool = True, home: Home | None = None, **environment: str
    ) -> RunningPerijove:
        found = RunningPerijove(home or make_home(), *arguments, **environment)
        started.append(found)
        return found.wait_ready() if ready else found

    try:
        yield start
        for running in started:
            running.stop()
    finally:
        for running in started:
            running.end()
            shutil.rmtree(running.runtime_dir, ignore_errors=True)
