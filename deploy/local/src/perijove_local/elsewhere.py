"""Commands that other programs do: the launcher stays small."""

from __future__ import annotations

import os
import sys

from perijove_local.configuration import find
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


OF_CONFIGURATION = {
    "config": "show or check the settings: where each is from, and what is wrong",
    "migrate-config": "turn the configuration of jupyter_server into Perijove's",
}
"""Commands of `perijove_config`, which knows the settings of all processes."""


def become(arguments: list[str]) -> None:
    """Become the program that does a command; return if it is none of these."""
    command = arguments[0] if arguments else ""
    if command in OF_POOL:
        _become("perijove_pool", *arguments)
    if command in OF_CONFIGURATION:
        _become("perijove_config", *arguments)
    if command in OF_EDGE:
        in_file = find(None, os.environ).of("up").get("password_file", "")
        named = os.environ.get("PERIJOVE_PASSWORD_FILE") or in_file
        os.environ.setdefault(VARIABLE, str(PasswordFiles.find(named, os.environ).file))
        _become("perijove_gateway_http.identity", *arguments[1:])


def _become(module: str, *arguments: str) -> None:
    os.execv(sys.executable, (sys.executable, "-m", module, *arguments))  # noqa: S606
