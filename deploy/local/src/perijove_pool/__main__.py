"""`perijove top`, `kernels`, `drain` and `undrain`: a process of their own."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from perijove_local.terminal import exit_as

from perijove_pool import commands
from perijove_pool.options import parse
from perijove_pool.pool import Pool

if TYPE_CHECKING:
    from perijove_local.terminal import Terminal


async def _run(arguments: list[str], terminal: Terminal) -> int:
    options = parse(arguments, os.environ)
    async with Pool(options.target, options.token) as pool:
        await commands.run(pool, options, terminal)
    return 0


def main() -> None:
    """Run the command that the arguments name, and exit with its status."""
    exit_as(lambda terminal: asyncio.run(_run(sys.argv[1:], terminal)))


if __name__ == "__main__":
    main()
