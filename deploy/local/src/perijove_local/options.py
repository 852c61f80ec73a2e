"""The command line, parsed into values."""

from __future__ import annotations

import argparse
import enum
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from perijove_local import hub, joining_options
from perijove_local.door_options import DoorOptions, add_door, door_options
from perijove_local.elsewhere import OF_EDGE, OF_POOL
from perijove_local.passwords import VARIABLE as PASSWORD_VARIABLE
from perijove_local.passwords import PasswordFiles
from perijove_local.terminal import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perijove_local.joining_options import PoolOptions, RunnerOptions, TokenOptions

DEFAULT_PORT = 8888
DEFAULT_PAGE = "lab"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LAST_PORT = 65535


NO_DOOR = DoorOptions()


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
    found = _parser().parse_args(arguments)
    command = Command(found.command)
    if command is Command.UP:
        return command, _options(found)
    if command is Command.RUNNER:
        return command, joining_options.runner_options(found)
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


def _options(found: argparse.Namespace) -> Options:
    root = Path(found.root_dir).expanduser()
    if not root.is_dir():
        raise Failure(f"--root-dir {found.root_dir} is not a directory")
    ip = "" if found.ip == "*" else found.ip
    password = PasswordFiles.find(found.password_file, os.environ)
    known_otherwise = found.hub or password.has_one()
    token = "" if found.hub else _token(found.token, has_password=known_otherwise)
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
    )


def _absolute(text: str | None) -> Path | None:
    return Path(text).expanduser().absolute() if text else None


def _base_url(text: str) -> str:
    parts = [quote(unquote(part), safe="@~") for part in text.split("/") if part]
    return "/".join(["", *parts, ""])


def _token(given: str | None, *, has_password: bool) -> str:
    if given is not None:
        return given
    if "JUPYTER_TOKEN" in os.environ:
        return os.environ["JUPYTER_TOKEN"]
    if path := os.environ.get("JUPYTER_TOKEN_FILE"):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise Failure(f"JUPYTER_TOKEN_FILE cannot be read: {error.strerror}") from None
    return "" if has_password else secrets.token_hex(24)


def _ports(given: int | None, retries: int) -> range:
    if given is None and os.environ.get("JUPYTER_PORT"):
        given = _port(os.environ["JUPYTER_PORT"])
    if given is not None:
        # Whoever names a port wants that one.
        return range(given, given + 1)
    return range(DEFAULT_PORT, min(DEFAULT_PORT + max(retries, 0), _LAST_PORT) + 1)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a number")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="perijove", description="Run Perijove on this machine.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_up(commands.add_parser("up", help="start everything and keep it running until Ctrl-C"))
    for name, does in (OF_POOL | OF_EDGE).items():
        commands.add_parser(name, help=does)
    commands.add_parser("list", help="show what of Perijove runs for this user")
    stop = commands.add_parser("stop", help="stop what `perijove up` started")
    stop.add_argument("port", nargs="?", type=_port, help="port it serves; may be left out if one")
    commands.add_parser(hub.COMMAND, help="what JupyterHub starts in place of its own server")
    runner = "run kernels here for a Perijove on another machine, until Ctrl-C"
    joining_options.add_runner(commands.add_parser("runner", help=runner))
    cast_out = "never listen to a runner of another machine again"
    joining_options.add_cast_out(commands.add_parser("cast-out", help=cast_out))
    token = "make, show and revoke tokens that runners join with"  # noqa: S105 - a help text
    joining_options.add_token(commands.add_parser("token", help=token))
    return parser


def _add_up(up: argparse.ArgumentParser) -> None:
    add = up.add_argument
    add("--root-dir", default=".", metavar="DIR", help="directory to serve (default: this one)")
    add("--ip", default="127.0.0.1", help="address to listen on; * for all (default: 127.0.0.1)")
    add("--port", type=_port, help=f"port to listen on; 0 for any free one ({DEFAULT_PORT})")
    add("--port-retries", type=int, default=50, metavar="N", help="ports to try if none is named")
    add_door(add)
    add("--token", help="what clients must present (default: $JUPYTER_TOKEN, or a new one)")
    text = "file that has the password (default: perijove_password in Jupyter's configuration)"
    add("--password-file", default=os.environ.get(PASSWORD_VARIABLE, ""), metavar="FILE", help=text)
    add("--base-url", default="/", metavar="PATH", help="path to serve everything under (/)")
    page = os.environ.get("PERIJOVE_GATEWAY_HTTP_DEFAULT_URL", DEFAULT_PAGE)
    add("--default-url", default=page, metavar="PATH", help="first page: lab or tree (lab)")
    add("--custom-css", action="store_true", help="show JupyterLab in your own style, too")
    # With a password in it, it had better not be on the command line, which everybody can read.
    redis_url = os.environ.get("PERIJOVE_REDIS_URL", "")
    text = "use this Redis instead of an own one (default: $PERIJOVE_REDIS_URL)"
    add("--redis-url", default=redis_url, metavar="URL", help=text)
    add("--warm", default="", metavar="SPEC[:N]", help="keep N kernels of a kernelspec ready")
    add("--external-kernels", metavar="DIR", help="take in kernels by connection files in here")
    add("--max-kernels", type=_count, default=0, metavar="N", help="most kernels in all")
    add("--max-kernels-per-user", type=_count, default=0, metavar="N", help="most of one user")
    joining_options.add_pool(add)
    add("--no-browser", dest="browser", action="store_false", help="do not open a browser")
    add("--runtime-dir", metavar="DIR", help="private directory for sockets, state and logs")
    levels = ("debug", "info", "warning", "error")
    add("--log-level", choices=levels, default="info", help="what the services log (info)")
    add("--hub", action="store_true", help=argparse.SUPPRESS)
    add("--debug", action="store_true", help="log everything, and show it here")
