"""The HTTP socket: opened here, and kept open while the gateway restarts."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from perijove_local.terminal import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perijove_local.options import Options

_BACKLOG = 1024


def listen(options: Options) -> socket.socket:
    """Return a socket that listens on the path, or the first free port of those, asked for.

    Raises:
        Failure: if there is none, somebody serves the path, or the address is none of this
            machine's.
    """
    if options.door.sock:
        return _listen_on_path(options.door.sock, options.door.sock_mode)
    family, address = _resolve(options.ip)
    for port in options.ports:
        try:
            return _bind(family, address, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            where = f"{options.ip or '*'} port {port}"
            raise Failure(f"cannot listen on {where}: {error.strerror}") from None
    if len(options.ports) == 1:
        raise Failure(f"port {options.ports[0]} is in use; choose another one with --port")
    raise Failure(f"ports {options.ports[0]} to {options.ports[-1]} are in use; choose with --port")


def check_free(address: str, option: str) -> None:
    """Check that a process to be started can listen on a host and port.

    Raises:
        Failure: if it cannot; it names the option that said so.
    """
    host, _, port = address.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        family, _, _, _, where = found[0]
        _bind(family, str(where[0]), int(port)).close()
    except OSError as error:
        raise Failure(f"{option} {address}: {error.strerror}; choose another one") from None


@contextmanager
def listening_on(options: Options) -> Iterator[socket.socket]:
    """Hold the socket that `listen` returns; remove its path in the end, if it has one.

    Raises:
        Failure: if there is none.
    """
    with listen(options) as listening:
        yield listening
    if options.door.sock:
        options.door.sock.unlink(missing_ok=True)


def _listen_on_path(path: Path, mode: int) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    try:
        if path.is_socket() and not _is_served(path):
            path.unlink()  # left by one that was killed
        # Until it has its permissions nobody but this user may connect.
        before = os.umask(0o177)
        try:
            listening.bind(str(path))
        finally:
            os.umask(before)
        path.chmod(mode)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise Failure(f"cannot listen on --sock {path}: {error.strerror}") from None
    return listening


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asking:
        return asking.connect_ex(str(path)) != errno.ECONNREFUSED


def _resolve(ip: str) -> tuple[socket.AddressFamily, str]:
    if not ip:
        return socket.AF_INET, ""
    try:
        found = socket.getaddrinfo(ip, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise Failure(f"--ip {ip} is no address: {error.strerror}") from None
    # Where a name has both, IPv4 is what people mean by `localhost`.
    family, _, _, _, address = min(found, key=lambda row: row[0] != socket.AF_INET)
    return family, str(address[0])


def _bind(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening
