"""`perijove token` and `perijove cast-out`: who may join what runs here, and who must leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove_local import pool
from perijove_local.listing import the_one
from perijove_local.records import read_record
from perijove_local.terminal import Failure

if TYPE_CHECKING:
    from pathlib import Path

    from perijove_local.joining_options import TokenOptions
    from perijove_local.terminal import Terminal


def run(options: TokenOptions, directory: Path, terminal: Terminal) -> int:
    """Do it, and return the exit status.

    Raises:
        Failure: if nothing runs that others may join, or there is no such token.
    """
    runtime = the_one(directory, options.ports)
    reachable = read_record(runtime).pool
    if not reachable:
        raise Failure("others may not join it: start it with --pool-listen HOST:PORT")
    tokens = runtime / pool.DIRECTORY
    if options.action == "create":
        terminal.result(pool.invitation(tokens, reachable, options.hours, options.uses))
    elif options.action == "list":
        terminal.result(pool.run("list-tokens", str(tokens)).rstrip())
    elif options.action == "revoke":
        pool.run("revoke-token", str(tokens), options.subject)
        terminal.event(f"token {options.subject} is revoked")
    else:
        pool.run("cast-out", str(tokens), options.subject)
        terminal.event(f"runner {options.subject} is cast out")
    return 0
