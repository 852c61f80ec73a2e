"""`perijove list` and `perijove stop`."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from perijove_local.directory import is_in_use
from perijove_local.options import Command
from perijove_local.records import with_token
from perijove_local.terminal import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perijove_local.options import Options
    from perijove_local.terminal import Terminal

_STOP_LIMIT_S = 20.0


class Server(msgspec.Struct, frozen=True):
    """What is read of a `jpserver-<pid>.json`."""

    pid: int
    port: int
    url: str
    token: str
    root_dir: str
    perijove_runtime_dir: str
    """Other Jupyter servers have none."""


def run(command: Command, options: Options, directory: Path, terminal: Terminal) -> int:
    """Show, or stop, what runs for this user; return the exit status.

    Raises:
        Failure: if it is not clear what to stop, or it does not stop.
    """
    found = tuple(running(directory))
    if command is Command.LIST:
        for server in found:
            terminal.result(f"{with_token(server.url, server.token)} :: {server.root_dir}")
        return 0
    _stop(_one(found, options.ports, "stop"))
    return 0


def the_one(directory: Path, ports: range) -> Path:
    """Return the runtime directory of what runs for this user.

    Args:
        directory: Where Jupyter's tools look for running servers.
        ports: The port it serves; may be empty if only one runs.

    Raises:
        Failure: if it is not clear which one is meant.
    """
    return Path(_one(tuple(running(directory)), ports, "use").perijove_runtime_dir)


def _one(found: tuple[Server, ...], ports: range, purpose: str) -> Server:
    if ports:
        found = tuple(server for server in found if server.port in ports)
    if not found:
        raise Failure(f"nothing to {purpose}: `perijove list` shows what runs")
    if len(found) > 1:
        raise Failure(
            f"several run: say the port of the one to {purpose} (`perijove list` shows them)"
        )
    return found[0]


def running(directory: Path) -> Iterator[Server]:
    """Return what of Perijove runs for this user."""
    for path in sorted(directory.glob("jpserver-*.json")):
        try:
            server = msgspec.json.decode(path.read_bytes(), type=Server)
        except (OSError, msgspec.MsgspecError):
            continue
        if is_in_use(Path(server.perijove_runtime_dir)):
            yield server


def _stop(server: Server) -> None:
    os.kill(server.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_LIMIT_S
    while is_in_use(Path(server.perijove_runtime_dir)):
        if time.monotonic() > deadline:
            raise Failure(f"the process {server.pid} did not stop")
        time.sleep(0.05)
