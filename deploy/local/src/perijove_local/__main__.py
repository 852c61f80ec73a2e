"""The `perijove` command."""

from __future__ import annotations

import os
import sys

from perijove_local import directory, listing, up
from perijove_local.options import OF_POOL, Command, parse
from perijove_local.terminal import Failure, Terminal


def main() -> None:
    """Run the command that the arguments name, and exit with its status."""
    terminal = Terminal()
    if sys.argv[1:2] and sys.argv[1] in OF_POOL:
        os.execv(sys.executable, (sys.executable, "-m", "perijove_pool", *sys.argv[1:]))  # noqa: S606
    try:
        command, options = parse(sys.argv[1:])
        if command is Command.UP:
            sys.exit(up.run(options, terminal))
        sys.exit(listing.run(command, options, directory.jupyter_runtime(os.environ), terminal))
    except Failure as failure:
        terminal.error(str(failure))
        sys.exit(1)
    except KeyboardInterrupt:
        # Before anything was started: from then on it is a request to stop.
        sys.exit(130)


if __name__ == "__main__":
    main()
