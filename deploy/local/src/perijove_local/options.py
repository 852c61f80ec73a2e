"""The command line, parsed into values."""

from __future__ import annotations

import enum
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from perijove_local import hub, joining_options
from perijove_local.arguments import DEFAULT_PAGE, DEFAULT_PORT, LAST_PORT, CommandLine
from perijove_local.configuration import Configuration, find
from perijove_local.door_options import DoorOptions, door_options
from perijove_local.layers import Origin, origins
from perijove_local.passwords import VARIABLE as PASSWORD_VARIABLE
from perijove_local.passwords import PasswordFiles
from perijove_local.terminal import Failure

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from perijove_local.joining_options import PoolOptions, RunnerOptions, TokenOptions
    from perijove_local.layers import Flags

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
NO_DOOR: Final = DoorOptions()
NO_FILE: Final = Configuration()

OF_JUPYTER: Final = {
    "JUPYTER_TOKEN": "token",
    "JUPYTER_PORT": "port",
    "JUPYTER_PORT_RETRIES": "port_retries",
    PASSWORD_VARIABLE: "password_file",
}
"""Variables that mean an option of `perijove up`, too."""

_EVEN_EMPTY: Final = ("JUPYTER_TOKEN",)
_NOWHERE: Final = Origin("", "")


class Command(enum.Enum):
    """What to do."""

    UP = "up"
    LIST = "list"
    STOP = "stop"
    RUNNER = "runner"
    CAST_OUT = "cast-out"
    TOKEN = "token"  # noqa: S105 - the name of a command


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    root: Path
    """Directory that is served, absolute."""
    ip: str
    """Address to listen on; empty for all."""
    ports: range
    """Ports to try in order."""
    token: str
    """What clients must present; empty if nothing, or a password."""
    anyone: bool
    """Whether whoever reaches the port may do everything."""
    password: PasswordFiles
    """Where the password is stored, if there is one."""
    base_url: str
    """Path under which everything is served; begins and ends with a slash."""
    default_url: str
    """Where `base_url` leads to, below it: the front end that people see first."""
    custom_css: bool
    """Whether JupyterLab, too, comes with the user's own style."""
    redis_url: str
    """Where Redis is; empty to start one."""
    warm: str
    """Kernels to keep started beforehand; empty for none."""
    external: Path | None
    """Directory of connection files of kernels that others start, absolute; None for none."""
    max_kernels: int
    """Most kernels in all; any number if zero."""
    max_kernels_per_user: int
    """Most kernels of one user; any number if zero."""
    pool: PoolOptions | None
    """Where runners of other machines may join; None if nowhere."""
    browser: bool
    """Whether to open a browser."""
    runtime: Path | None
    """Private directory for sockets, state and logs; None to make one."""
    log_level: str
    """Least severe level that the services log."""
    debug: bool
    """Whether to show the services' logs on the terminal."""
    door: DoorOptions = NO_DOOR
    """What clients meet."""
    of_hub: bool = False
    """Whether a JupyterHub says who may come in."""
    file: Configuration = NO_FILE
    """What is said in the file, of the processes too."""


def parse(
    arguments: Sequence[str],
) -> tuple[Command, Options | RunnerOptions | TokenOptions]:
    """Parse the command line and the environment.

    Exits with status 2 on a malformed command line, as argparse does.

    Raises:
        Failure: if the values cannot be used.
    """
    if arguments[:1] == [hub.COMMAND]:
        arguments = ["up", *hub.as_options(os.environ), *arguments[1:]]
    line = CommandLine()
    found = line.parse([*arguments])
    command = Command(found.command)
    if command in (Command.UP, Command.RUNNER):
        file = find(found.config, os.environ)
        flags, table = (line.up, "up") if command is Command.UP else (line.join, "join")
        flags.set_defaults(said(flags, table, file, os.environ))
        found = line.parse([*arguments])
        if command is Command.UP:
            return command, _options(found, file)
        return command, joining_options.runner_options(found, file)
    if command is Command.CAST_OUT:
        return command, joining_options.cast_out_options(found)
    if command is Command.TOKEN:
        return command, joining_options.token_options(found)
    port = found.port if command is Command.STOP and found.port else 0
    return command, Options(
        Path(),
        "",
        range(port, port + bool(port)),
        "",
        False,
        PasswordFiles(Path(), None),
        "/",
        DEFAULT_PAGE,
        False,
        "",
        "",
        None,
        0,
        0,
        None,
        False,
        None,
        "info",
        False,
    )


def said(
    flags: Flags, table: str, file: Configuration, environ: Mapping[str, str]
) -> dict[str, Origin]:
    """Return what variables, Jupyter's too, and the file say of options.

    Raises:
        Failure: if the file has an option that there is not, or another cannot be read.
    """
    of_jupyter = OF_JUPYTER if table == "up" else {}
    also = {
        seen: name for seen, name in of_jupyter.items() if seen in _EVEN_EMPTY or environ.get(seen)
    }
    found = origins(flags.names, table, file, environ, also)
    if table == "up" and found.get("token", _NOWHERE).place in ("", file.place("up", "token")):
        found |= _token_file(environ)
    return found


def _options(found: argparse.Namespace, file: Configuration) -> Options:
    root = Path(found.root_dir).expanduser()
    if not root.is_dir():
        raise Failure(f"--root-dir {found.root_dir} is not a directory")
    ip = "" if found.ip == "*" else found.ip
    password = PasswordFiles.find(found.password_file, os.environ)
    known_otherwise = found.hub or password.has_one()
    made = "" if known_otherwise else secrets.token_hex(24)
    token = made if found.token is None or found.hub else found.token
    anyone = not token and not known_otherwise
    door = door_options(found)
    if anyone and ip not in LOOPBACK and not door.sock:
        raise Failure("without a token only this machine may connect: drop --ip, or set --token")
    return Options(
        root=root.resolve(),
        ip=ip,
        ports=_ports(found.port, found.port_retries),
        token=token,
        anyone=anyone,
        password=password,
        base_url=_base_url(found.base_url),
        default_url=unquote(found.default_url).strip("/"),
        custom_css=found.custom_css,
        redis_url=found.redis_url,
        warm=found.warm,
        external=_absolute(found.external_kernels),
        max_kernels=found.max_kernels,
        max_kernels_per_user=found.max_kernels_per_user,
        pool=joining_options.pool_options(found),
        browser=found.browser,
        runtime=_absolute(found.runtime_dir),
        log_level="debug" if found.debug else found.log_level,
        debug=found.debug,
        door=door,
        of_hub=found.hub,
        file=file,
    )


def _absolute(text: str | None) -> Path | None:
    return Path(text).expanduser().absolute() if text else None


def _base_url(text: str) -> str:
    parts = [quote(unquote(part), safe="@~") for part in text.split("/") if part]
    return "/".join(["", *parts, ""])


def _token_file(environ: Mapping[str, str]) -> dict[str, Origin]:
    path = environ.get("JUPYTER_TOKEN_FILE")
    if not path:
        return {}
    try:
        return {"token": Origin(Path(path).read_text().strip(), "JUPYTER_TOKEN_FILE")}
    except OSError as error:
        raise Failure(f"JUPYTER_TOKEN_FILE cannot be read: {error.strerror}") from None


def _ports(given: int | None, retries: int | None) -> range:
    # Whoever names a port wants that one.
    more = (50 if given is None else 0) if retries is None else retries
    first = DEFAULT_PORT if given is None else given
    return range(first, min(first + more, LAST_PORT) + 1) if first else range(1)
