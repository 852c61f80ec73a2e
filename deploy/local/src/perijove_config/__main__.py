"""`perijove config` and `perijove migrate-config`."""

from __future__ import annotations

import os
import sys

from perijove_local.terminal import exit_as

from perijove_config import commands


def main() -> None:
    """Run the command that the arguments name, and exit with its status."""
    exit_as(lambda terminal: commands.run(sys.argv[1:], os.environ, terminal))


if __name__ == "__main__":
    main()
