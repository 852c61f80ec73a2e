"""The process: its socket, its end, its logs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PREFIX = "PERIJOVE_GATEWAY_HTTP_"
CANARY = "canary-token-of-the-edge"
GENEROUS_S = 60.0


def _environment(**given: str) -> dict[str, str]:
    settings = {
        "SERVICE_KEY": "canary-key",
        "TOKEN": CANARY,
        "CONTENTS": "unix:/nowhere/c.sock",
        "SESSIONS": "unix:/nowhere/s.sock",
        "KERNELS": "unix:/nowhere/k.sock",
        **given,
    }
    return os.environ | {PREFIX + name: value for name, value in settings.items()}


@contextmanager
def _edge(listening: socket.socket, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    fd = listening.fileno()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "perijove_gateway_http"],
            env=_environment(LISTEN_FD=str(fd)),
            pass_fds=(fd,),
            stderr=output,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _get(port: int, target: str, headers: dict[str, str] | None = None) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=GENEROUS_S)
    try:
        connection.request("GET", target, headers=headers or {})
        return connection.getresponse().status
    finally:
        connection.close()


def test_connections_wait_while_another_process_takes_the_socket_over(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with _edge(listening, tmp_path / "log") as first:
            assert _get(port, "/api") == 200
            first.send_signal(signal.SIGTERM)
            assert first.wait(GENEROUS_S) == 0
        waiting = socket.create_connection(("127.0.0.1", port), timeout=GENEROUS_S)
        with waiting, _edge(listening, tmp_path / "log"):
            waiting.sendall(b"GET /api HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert waiting.recv(15) == b"HTTP/1.1 200 OK"


def test_logs_hold_no_secret(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with _edge(listening, log) as process:
            assert _get(port, f"/api?token={CANARY}") == 200
            assert _get(port, f"/nope?token={CANARY}") == 404
            assert _get(port, "/api/me", {"Authorization": f"token {CANARY}"}) == 200
            referer = {"Referer": f"http://localhost/lab?token={CANARY}", "Cookie": CANARY}
            assert _get(port, "/api/contents/x?format=bad", referer) == 403
            assert _get(port, f"/lab/?token={CANARY}") in (200, 301, 302)
            process.send_signal(signal.SIGTERM)
            assert process.wait(GENEROUS_S) == 0
    text = log.read_text()
    assert '"route":"api/me"' in text
    assert '"request_id":' in text
    assert "canary" not in text


@pytest.mark.parametrize("name", ["TOKEN", "SERVICE_KEY", "CONTENTS"])
def test_missing_setting_is_named(name: str) -> None:
    environment = _environment()
    del environment[PREFIX + name]
    done = subprocess.run(
        [sys.executable, "-m", "perijove_gateway_http"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=GENEROUS_S,
        check=False,
    )
    assert done.returncode == 2
    assert PREFIX + name in done.stderr
    assert "canary" not in done.stderr
