"""The `perijove` command."""

from __future__ import annotations

import os
import sys

from perijove_local import checked, directory, elsewhere, joined, listing, tokens, up
from perijove_local.joining_options import RunnerOptions, TokenOptions
from perijove_local.options import Command, Options, parse
from perijove_local.terminal import Failure, Terminal


def main() -> None:
    """Run the command that the arguments name, and exit with its status."""
    terminal = Terminal()
    try:
        elsewhere.become(sys.argv[1:])
        sys.exit(_run(*parse(sys.argv[1:]), terminal))
    except Failure as failure:
        terminal.error(str(failure))
        sys.exit(1)
    except KeyboardInterrupt:
        # Before anything was started: from then on it is a request to stop.
        sys.exit(130)


def _run(command: Command, options: Options | RunnerOptions | TokenOptions, out: Terminal) -> int:
    if isinstance(options, RunnerOptions):
        checked.tell(options.file, os.environ, out)
        return joined.run(options, out)
    servers = directory.jupyter_runtime(os.environ)
    if isinstance(options, TokenOptions):
        return tokens.run(options, servers, out)
    if command is Command.UP:
        checked.tell(options.file, os.environ, out)
        return up.run(options, out)
    return listing.run(command, options, servers, out)


if __name__ == "__main__":
    main()
