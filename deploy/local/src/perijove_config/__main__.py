"""`perijove config` and `perijove migrate-config`."""

from __future__ import annotations

import os
import sys

from perijove_local.terminal import Failure, Terminal

from perijove_config import commands


def main() -> None:
    """Run the command that the arguments name, and exit with its status."""
    terminal = Terminal()
    try:
        sys.exit(commands.run(sys.argv[1:], os.environ, terminal))
    except Failure as failure:
        terminal.error(str(failure))
        sys.exit(1)
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(130)


if __name__ == "__main__":
    main()
