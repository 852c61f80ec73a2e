"""Ports for servers that are told theirs before they start."""

from __future__ import annotations

import secrets
import socket
from contextlib import closing

_PORTS = range(10_000, 32_000)
"""Below those that systems give to who asks for any, or connects: none of these is taken
by others meanwhile."""


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    while True:
        port = secrets.choice(_PORTS)
        with closing(socket.socket()) as found:
            try:
                found.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
