"""The command line of whoever looks after runners, parsed into values."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from perijove_local import listing
from perijove_local.directory import jupyter_runtime
from perijove_local.terminal import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perijove_local.listing import Server

_WATCH_S = 2.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    command: str
    target: str
    """gRPC target of the kernels service."""
    token: str
    as_json: bool = False
    watch_s: float = 0.0
    """Seconds between two looks; zero to look once."""
    runner_id: str = ""
    deadline_s: float | None = None
    reason: str = ""


class _Record(msgspec.Struct, frozen=True):
    """What is read of a `perijove.json`."""

    api_token: str
    targets: dict[str, str]


def parse(arguments: Sequence[str], environ: Mapping[str, str]) -> Options:
    """Parse the command line, and find the server that is meant.

    Exits with status 2 on a malformed command line, as argparse does.

    Raises:
        Failure: if it is not clear which server is meant, or it has no token.
    """
    found = _parser().parse_args(arguments)
    target, token = found.target, environ.get("JUPYTER_TOKEN", "")
    if not target:
        target, token = _local(found.port, environ)
    if not token:
        raise Failure("this needs a token: set JUPYTER_TOKEN to that of the server")
    return Options(
        command=found.command,
        target=target,
        token=token,
        as_json=getattr(found, "json", False),
        watch_s=getattr(found, "watch", None) or 0.0,
        runner_id=getattr(found, "runner", ""),
        deadline_s=getattr(found, "deadline", None),
        reason=getattr(found, "reason", ""),
    )


def _local(port: int | None, environ: Mapping[str, str]) -> tuple[str, str]:
    servers = [s for s in listing.running(jupyter_runtime(environ)) if port in (None, s.port)]
    if not servers:
        raise Failure("no such server runs here: `perijove list` shows what does; or use --target")
    if len(servers) > 1:
        raise Failure("several run: say --port (`perijove list` shows them)")
    record = _read(servers[0])
    return record.targets["kernels"], record.api_token


def _read(server: Server) -> _Record:
    path = Path(server.perijove_runtime_dir) / "perijove.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Record)
    except (OSError, msgspec.MsgspecError) as error:
        raise Failure(f"{path} cannot be read") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="perijove", description="Look after runners and kernels.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    top = commands.add_parser("top", help="show the runners and how full they are")
    top.add_argument(
        "--watch", nargs="?", type=_seconds, const=_WATCH_S, metavar="S", help="again every S (2)"
    )
    kernels = commands.add_parser("kernels", help="show the kernels, and whose they are")
    drain = commands.add_parser("drain", help="let a runner take no new kernels, and leave")
    drain.add_argument(
        "--deadline", type=_seconds, metavar="S", help="end what is left after S seconds"
    )
    drain.add_argument("--reason", default="", metavar="TEXT", help="why, for those it meets")
    undrain = commands.add_parser("undrain", help="let a runner take kernels again")
    for command in (top, kernels):
        command.add_argument("--json", action="store_true", help="for programs to read")
    for command in (drain, undrain):
        command.add_argument("runner", metavar="RUNNER", help="id, as `perijove top` shows it")
    for command in (top, kernels, drain, undrain):
        command.add_argument("--port", type=int, help="port of the server, if several run here")
        command.add_argument(
            "--target",
            default="",
            help="gRPC target of the kernels service of another server; token in JUPYTER_TOKEN",
        )
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds")
    return seconds
