"""More gateways before the services of one Perijove."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

from tests.ports import free_port
from tests.running import GENEROUS_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.running import RunningPerijove


@contextmanager
def another_gateway(perijove: RunningPerijove, **told: str) -> Iterator[int]:
    """Run another gateway as the launcher runs the first, and yield its port.

    Args:
        perijove: What it stands before.
        told: Settings that are other ones, by their names in capitals.
    """
    port = free_port()
    told = {"LISTEN_FD": "-1", "PORT": str(port), **told}
    environment = psutil.Process(perijove.pid("gateway_http")).environ()
    environment |= {f"PERIJOVE_GATEWAY_HTTP_{name}": value for name, value in told.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "perijove_gateway_http"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: _listens(port, process))
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(GENEROUS_S) == 0


def _listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the gateway ended"
    try:
        socket.create_connection(("127.0.0.1", port), timeout=GENEROUS_S).close()
    except ConnectionError:
        return False
    return True
