"""The deployment's side of joining: its certificates, its tokens, and where to join."""

from __future__ import annotations

import socket
import sys
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perijove_chassis.settings import Secret

from perijove_local.process import ask

if TYPE_CHECKING:
    from pathlib import Path

    from perijove_local.joining_options import PoolOptions

DIRECTORY = "pool"
"""Name of its directory in the runtime directory."""

_ANY = ("", "0.0.0.0", "::", "[::]")
_NOWHERE = ("192.0.2.1", 9)
"""An address that nobody has; nothing is sent to it."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Where runners of other machines join, and what that needs."""

    directory: Path
    listen: str
    """Host and port."""
    reachable: str
    """Host and port for other machines."""

    @classmethod
    def made(cls, options: PoolOptions, runtime: Path) -> Pool:
        """Make what is missing of it in a runtime directory.

        By a process of its own: what makes certificates is large, and this one stays.

        Raises:
            Failure: if that cannot be.
        """
        host, _, port = options.listen.rpartition(":")
        reachable = options.advertise or (f"{_own_address()}:{port}" if host in _ANY else "")
        pool = cls(runtime / DIRECTORY, options.listen, reachable or options.listen)
        run("init", str(pool.directory))
        return pool

    def service_key(self) -> Secret:
        """Return the key of all services: kept, so that those who have joined stay members."""
        return Secret((self.directory / "service.key").read_text())

    def told_to_listen(self) -> dict[str, str]:
        """Return what the kernels service is told."""
        return {"POOL_LISTEN": self.listen, "POOL_DIR": str(self.directory)}

    def told_to_dial(self) -> dict[str, str]:
        """Return what those are told who dial runners."""
        return {
            "TLS_DIAL_CA": str(self.directory / "ca.crt"),
            "TLS_DIAL_CERT": str(self.directory / "services.crt"),
            "TLS_DIAL_KEY": str(self.directory / "services.key"),
        }

    def invitation(self, hours: float = 1.0, uses: int = 1) -> str:
        """Return a command that joins, with a new token."""
        return invitation(self.directory, self.reachable, hours, uses)


def invitation(directory: Path, reachable: str, hours: float, uses: int) -> str:
    """Return a command that joins where others reach the deployment, with a new token."""
    chosen = ("--hours", str(hours), "--uses", str(uses))
    token = run("create-token", *chosen, str(directory)).strip()
    return f"perijove runner --join {reachable} --token {token}"


def run(*arguments: str) -> str:
    """Have something done with a pool's directory, and return what comes of it.

    Raises:
        Failure: if it cannot be done.
    """
    return ask((sys.executable, "-m", "perijove_kernels.joining", *arguments))


def _own_address() -> str:
    """Return this machine's address on the way out; its name if it has none."""
    with suppress(OSError), closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as asking:
        asking.connect(_NOWHERE)
        return str(asking.getsockname()[0])
    return socket.gethostname()
