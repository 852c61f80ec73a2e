"""`perijove top`, `kernels`, `drain` and `undrain`: a process of their own."""

from __future__ import annotations

import asyncio
import os
import sys

from perijove_local.terminal import Failure, Terminal

from perijove_pool import commands
from perijove_pool.options import parse
from perijove_pool.pool import Pool


async def _run(arguments: list[str], terminal: Terminal) -> None:
    options = parse(arguments, os.environ)
    async with Pool(options.target, options.token) as pool:
        await commands.run(pool, options, terminal)


def main() -> None:
    """Run the command that the arguments name, and exit with its status."""
    terminal = Terminal()
    try:
        asyncio.run(_run(sys.argv[1:], terminal))
    except Failure as failure:
        terminal.error(str(failure))
        sys.exit(1)
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(130)


if __name__ == "__main__":
    main()
