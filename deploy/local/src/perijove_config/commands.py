"""The commands, and their arguments."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from perijove_local.arguments import CommandLine
from perijove_local.configuration import NAMES, find, usual_directories
from perijove_local.elsewhere import OF_CONFIGURATION
from perijove_local.options import said

from perijove_config.catalogue import settings
from perijove_config.checking import Problem, problems
from perijove_config.migrating import migrated, read
from perijove_config.showing import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perijove_local.configuration import Configuration
    from perijove_local.terminal import Terminal

_SECRETS = ("token", "redis_url")


def run(arguments: list[str], environ: Mapping[str, str], terminal: Terminal) -> int:
    """Run one, and return the exit status.

    Raises:
        Failure: if it cannot be done.
    """
    found, rest = _parser().parse_known_args(arguments)
    if found.command == "verify":
        return _verify(find(found.config, environ), environ)
    if found.command == "migrate-config":
        lines = migrated(read(found.files), settings(), found.password_file)
        terminal.result("\n".join(lines))
        return 0
    file = find(found.config, environ)
    if found.action == "show":
        for line in shown(settings(), file, environ, rest):
            terminal.result(line)
        return 0
    return _check(file, environ, terminal)


def _verify(file: Configuration, environ: Mapping[str, str]) -> int:
    """Tell `perijove up`: warnings as they are, and one error in the end."""
    errors = []
    for problem in problems(settings(), file, environ):
        if problem.is_error:
            errors.append(problem.text)
        else:
            print(problem.text)
    if errors:
        print(errors[0], file=sys.stderr)
    return bool(errors)


def _check(file: Configuration, environ: Mapping[str, str], terminal: Terminal) -> int:
    line = CommandLine()
    for flags, table in ((line.up, "up"), (line.join, "join")):
        flags.set_defaults(said(flags, table, file, environ))
    found = [*problems(settings(), file, environ), *_of_file(file)]
    for problem in found:
        terminal.event(problem.text)
    if not file.path:
        places = " nor in ".join(str(place) for place in usual_directories(environ))
        terminal.result(f"There is no {NAMES[0]}, nor one in YAML, in {places}.")
    elif not found:
        terminal.result(f"{file.path} is fine.")
    return any(problem.is_error for problem in found)


def _of_file(file: Configuration) -> list[Problem]:
    """Return what is wrong with the file itself."""
    if not file.path:
        return []
    secret = any(name in table for name in _SECRETS for table in file.tables.values())
    if secret and Path(file.path).stat().st_mode & 0o044:
        return [Problem(f"{file.path} has a secret, and others may read it", is_error=False)]
    return []


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="perijove", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    config = commands.add_parser("config", description=OF_CONFIGURATION["config"])
    actions = config.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = "show every value and where it is from; takes the options of `perijove up`, too"
    for action, does in (("show", show), ("check", "say what is wrong")):
        found = actions.add_parser(action, help=does, description=does)
        found.add_argument("--config", metavar="FILE", help="this file, not the usual places")
    migrate = commands.add_parser("migrate-config", description=OF_CONFIGURATION["migrate-config"])
    help_ = (
        "jupyter_server_config.py or .json (default: those that a jupyter_server here would read)"
    )
    migrate.add_argument("files", nargs="*", metavar="FILE", help=help_)
    help_ = "write the stored password there, in its old form"
    migrate.add_argument("--password-file", default="", metavar="FILE", help=help_)
    verify = commands.add_parser("verify")
    verify.add_argument("--config")
    return parser
