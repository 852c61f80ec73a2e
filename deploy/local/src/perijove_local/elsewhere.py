"""Commands that other programs do: the launcher stays small."""

from __future__ import annotations

import os
import sys

from perijove_local.passwords import VARIABLE, PasswordFiles

OF_POOL = {
    "top": "show the runners and how full they are",
    "kernels": "show the kernels, and whose they are",
    "drain": "let a runner take no new kernels, and leave",
    "undrain": "let a runner take kernels again",
}
"""Commands of `perijove_pool`, which asks the services."""

OF_EDGE = {"password": "set the password, or remove it"}
"""Commands of the gateway, which knows how passwords are stored."""


def become(arguments: list[str]) -> None:
    """Become the program that does a command; return if it is none of these."""
    command = arguments[0] if arguments else ""
    if command in OF_POOL:
        _become("perijove_pool", *arguments)
    if command in OF_EDGE:
        os.environ.setdefault(VARIABLE, str(PasswordFiles.find("", os.environ).file))
        _become("perijove_gateway_http.identity", *arguments[1:])


def _become(module: str, *arguments: str) -> None:
    os.execv(sys.executable, (sys.executable, "-m", module, *arguments))  # noqa: S606
