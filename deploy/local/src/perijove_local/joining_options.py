"""What the user asks for about joining: a pool, a runner that joins, tokens."""

from __future__ import annotations

import argparse
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perijove_chassis.settings import Secret

from perijove_local.terminal import Failure

if TYPE_CHECKING:
    from perijove_local.configuration import Configuration
    from perijove_local.layers import Add, Flags

TOKEN_VARIABLE: Final = "PERIJOVE_JOIN_TOKEN"  # noqa: S105 - the name of a variable
"""May have the token, in place of an argument that everybody on the machine can read."""

RUNNER_PORT: Final = 7481
_LAST_PORT: Final = 65535
_MOST_HOURS: Final = 24 * 365
_MOST_NAME: Final = 32


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """Where runners of other machines may join."""

    listen: str
    """Host and port."""
    advertise: str
    """Host and port that others are told; empty to find out."""


@dataclass(frozen=True, slots=True)
class RunnerOptions:
    """A runner on this machine, for a deployment on another."""

    join: str
    """Host and port of the deployment; empty for the one it has joined."""
    token: Secret
    """What it joins with; empty if it has joined."""
    name: str
    """The beginning of its id."""
    listen: str
    """Host and port where it is dialled."""
    advertise: str
    """Host and port that the deployment is told; empty to find out."""
    capacity: int
    labels: str
    """Such as `gpu=a100,zone=b`."""
    state: Path
    """Private directory that is kept: a runner that starts again there is the same one."""
    work: Path
    """Where kernels start whose own directory is not on this machine."""
    keep: bool
    """Whether kernels run on when this is stopped, for the next runner of the directory."""
    warm: str
    log_level: str
    debug: bool
    file: Configuration
    """What is said in the file, of the process too."""


@dataclass(frozen=True, slots=True)
class TokenOptions:
    """What to do with tokens to join with."""

    action: str
    """`create`, `list` or `revoke`; or `cast-out` for a runner."""
    subject: str
    """The token to revoke, or the runner to cast out."""
    hours: float
    uses: int
    ports: range
    """The HTTP port of the deployment; empty if there is one only."""


def add_pool(add: Add) -> None:
    """Add the arguments about the pool to those of `perijove up`."""
    help_ = "let runners of other machines join here, over TLS"
    add("--pool-listen", type=_host_and_port, default="", metavar="HOST:PORT", help=help_)
    help_ = "how other machines reach that (default: this machine's address)"
    add("--pool-advertise", type=_host_and_port, default="", metavar="HOST:PORT", help=help_)


def pool_options(found: argparse.Namespace) -> PoolOptions | None:
    """Return where others may join, if anywhere."""
    if not found.pool_listen:
        return None
    return PoolOptions(found.pool_listen, found.pool_advertise)


def add_runner(flags: Flags) -> None:
    """Add the arguments of `perijove runner`."""
    add = flags.group("joining")
    add("--join", type=_host_and_port, default="", metavar="HOST:PORT", help="where to join")
    add("--token", help=f"what to join with (default: ${TOKEN_VARIABLE}); needed once")
    add("--name", type=_name, default=_name(socket.gethostname()), help="what to be called")
    everywhere = f"0.0.0.0:{RUNNER_PORT}"
    help_ = f"where to be reached (default: every address, port {RUNNER_PORT})"
    add("--listen", type=_host_and_port, default=everywhere, metavar="HOST:PORT", help=help_)
    help_ = "how the deployment reaches that (default: this machine's address)"
    add("--advertise", type=_host_and_port, default="", metavar="HOST:PORT", help=help_)
    add = flags.group("kernels")
    add("--capacity", type=_positive, default=100, metavar="N", help="most kernels (100)")
    add("--labels", default="", metavar="K=V,...", help="what kernels may ask for")
    help_ = "where kernels start whose own directory is not here (default: this one)"
    add("--work-dir", default=".", metavar="DIR", help=help_)
    help_ = "when stopped, leave the kernels running for the next start"
    add("--keep-kernels", action="store_true", help=help_)
    add("--warm", default="", metavar="SPEC[:N]", help="keep N kernels of a kernelspec ready")
    add = flags.group("this command")
    add("--config", metavar="FILE", help="read settings from this file, not the usual places")
    add("--state-dir", metavar="DIR", help="private directory that is kept (~/.perijove-runner)")
    levels = ("debug", "info", "warning", "error")
    add("--log-level", choices=levels, default="info", help="what is logged (info)")
    add("--debug", action="store_true", help="log everything, and show it here")


def runner_options(found: argparse.Namespace, file: Configuration) -> RunnerOptions:
    """Return what the user asked for.

    Raises:
        Failure: if it cannot be used.
    """
    work = Path(found.work_dir).expanduser()
    if not work.is_dir():
        raise Failure(f"--work-dir {found.work_dir} is not a directory")
    state = Path(found.state_dir or "~/.perijove-runner").expanduser()
    return RunnerOptions(
        join=found.join,
        token=Secret(found.token or ""),
        name=found.name,
        listen=found.listen,
        advertise=found.advertise,
        capacity=found.capacity,
        labels=found.labels,
        state=state.absolute(),
        work=work.resolve(),
        keep=found.keep_kernels,
        warm=found.warm,
        log_level="debug" if found.debug else found.log_level,
        debug=found.debug,
        file=file,
    )


def add_token(token: argparse.ArgumentParser) -> None:
    """Add the arguments of `perijove token`."""
    actions = token.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = actions.add_parser("create", help="make a token, and show how to join with it")
    create.add_argument("--hours", type=_hours, default=1.0, help="how long it holds (1)")
    create.add_argument("--uses", type=_positive, default=1, help="how many may join with it (1)")
    shown = actions.add_parser("list", help="show those that hold")
    revoke = actions.add_parser("revoke", help="make one invalid")
    revoke.add_argument("token_id", metavar="ID", help="as `perijove token list` shows it")
    for action in (create, shown, revoke):
        help_ = "port it serves, if several run"
        action.add_argument("--port", type=_positive, metavar="PORT", help=help_)


def add_cast_out(cast_out: argparse.ArgumentParser) -> None:
    """Add the arguments of `perijove cast-out`."""
    cast_out.add_argument("runner_id", metavar="RUNNER", help="as `perijove top` shows it")
    help_ = "port it serves, if several run"
    cast_out.add_argument("--port", type=_positive, metavar="PORT", help=help_)


def cast_out_options(found: argparse.Namespace) -> TokenOptions:
    """Return what the user asked for."""
    port = found.port or 0
    return TokenOptions("cast-out", found.runner_id, 0.0, 0, range(port, port + bool(port)))


def token_options(found: argparse.Namespace) -> TokenOptions:
    """Return what the user asked for."""
    creates = found.action == "create"
    port = found.port or 0
    return TokenOptions(
        action=found.action,
        subject=found.token_id if found.action == "revoke" else "",
        hours=found.hours if creates else 0.0,
        uses=found.uses if creates else 0,
        ports=range(port, port + bool(port)),
    )


def _host_and_port(text: str) -> str:
    if not text:
        return ""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text} is not HOST:PORT")
    if ":" in host and not host.startswith("["):
        raise argparse.ArgumentTypeError(f"{text}: write an IPv6 address in brackets")
    return f"{host or '0.0.0.0'}:{int(port)}"


def _name(text: str) -> str:
    """Return what is left of a name of those characters that an id may have."""
    kept = re.sub(r"[^A-Za-z0-9_-]+", "-", text.partition(".")[0]).strip("-")[:_MOST_NAME]
    return kept or "runner"


def _hours(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= _MOST_HOURS:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and up to {_MOST_HOURS}")
    return found


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is not a number above zero")
    return int(text)
