"""How the HTTP socket is opened to clients, of the command line of `perijove up`."""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perijove_local.terminal import Failure

if TYPE_CHECKING:
    from perijove_local.layers import Add

_MOST_BYTES = 103
"""Bytes of a unix socket's path that every system takes."""
# Whoever serves it must be able to use it.
_MODE = re.compile(r"0*[67][0-7]{2}")


@dataclass(frozen=True, slots=True)
class DoorOptions:
    """What clients meet."""

    sock: Path | None = None
    """Unix socket in place of a port, absolute; None for a port."""
    sock_mode: int = 0o600
    """Its permissions."""
    certfile: Path | None = None
    """Certificate to speak https with, absolute; None for http."""
    keyfile: Path | None = None
    """Its private key, if that is in another file."""
    client_ca: Path | None = None
    """Roots of the certificates that clients must show; None if they need none."""

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        return "https" if self.certfile else "http"

    def told(self) -> dict[str, str]:
        """Return what the gateway is told."""
        given = {
            "SOCK": self.sock,
            "CERTFILE": self.certfile,
            "KEYFILE": self.keyfile,
            "CLIENT_CA": self.client_ca,
        }
        return {name: str(value) for name, value in given.items() if value}


def add_door(add: Add) -> None:
    """Add the arguments to those of `perijove up`."""
    add("--sock", metavar="PATH", help="listen on a unix socket instead of a port")
    help_ = "its permissions (0600: this user alone)"
    add("--sock-mode", type=_mode, default=0o600, metavar="MODE", help=help_)
    add("--certfile", metavar="FILE", help="speak https with this certificate (PEM)")
    add("--keyfile", metavar="FILE", help="its private key (default: in the same file)")
    help_ = "let in only clients with a certificate of these roots (PEM)"
    add("--client-ca", metavar="FILE", help=help_)


def door_options(found: argparse.Namespace) -> DoorOptions:
    """Return what the user asked for.

    Raises:
        Failure: if it cannot be used.
    """
    if (found.keyfile or found.client_ca) and not found.certfile:
        raise Failure("--keyfile and --client-ca need a --certfile")
    sock = _absolute(found.sock)
    if sock and len(os.fsencode(sock)) > _MOST_BYTES:
        raise Failure(f"--sock {sock} is too long: at most {_MOST_BYTES} bytes")
    return DoorOptions(
        sock=sock,
        sock_mode=found.sock_mode,
        certfile=_readable(found.certfile, "--certfile"),
        keyfile=_readable(found.keyfile, "--keyfile"),
        client_ca=_readable(found.client_ca, "--client-ca"),
    )


def _readable(given: str | None, option: str) -> Path | None:
    path = _absolute(given)
    if path and not (path.is_file() and os.access(path, os.R_OK)):
        raise Failure(f"{option} {given} is not a file that can be read")
    return path


def _absolute(text: str | None) -> Path | None:
    return Path(text).expanduser().absolute() if text else None


def _mode(text: str) -> int:
    if not _MODE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text} is no mode such as 0600")
    return int(text, 8)
