"""What the commands do."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from perijove_pool import tables

if TYPE_CHECKING:
    from perijove_local.terminal import Terminal

    from perijove_pool.options import Options
    from perijove_pool.pool import Pool

_CLEAR = "\x1b[H\x1b[J"


async def run(pool: Pool, options: Options, terminal: Terminal) -> None:
    """Do what the options say, and show what came of it.

    Raises:
        Failure: if it cannot be done.
    """
    match options.command:
        case "top":
            await _top(pool, options, terminal)
        case "kernels":
            kernels = await pool.kernels()
            if options.as_json:
                terminal.result(_json([tables.kernel_values(kernel) for kernel in kernels]))
            else:
                terminal.result(tables.kernels_table(kernels, _now()))
        case "drain":
            runner = await pool.drain(options.runner_id, options.reason, options.deadline_s)
            what = tables.left(runner.drain, _now())
            terminal.result(f"runner {runner.runner_id} takes no new kernels; {what}")
        case "undrain":
            await pool.undrain(options.runner_id)
            terminal.result(f"runner {options.runner_id} takes kernels again")


async def _top(pool: Pool, options: Options, terminal: Terminal) -> None:
    while True:
        runners, waiting = await pool.runners()
        if options.as_json:
            shown = _json([tables.runner_values(status) for status in runners])
        else:
            shown = tables.runners_table(runners, waiting, _now())
        terminal.result(f"{_CLEAR}{shown}" if options.watch_s and not options.as_json else shown)
        if not options.watch_s:
            return
        await asyncio.sleep(options.watch_s)


def _now() -> datetime:
    return datetime.now(UTC)


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=1).decode()
