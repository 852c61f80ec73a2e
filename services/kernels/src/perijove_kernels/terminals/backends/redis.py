"""Names of terminals in Redis: one script for each step."""

from __future__ import annotations

import importlib.resources
from typing import TYPE_CHECKING, Final

import msgspec
from perijove_chassis.redis_commands import Commands

from perijove_kernels.model import Runner  # noqa: TC001 - rows are decoded by it
from perijove_kernels.terminals.store import View

if TYPE_CHECKING:
    from collections.abc import Collection

_KEYS: Final = [f"{{k}}:{name}" for name in ("runners", "seen", "meta", "names", "turn")]
_KEPT_S: Final = 90.0
"""Seconds for which a name is kept for a start that has no answer; longer than a start."""


class _Row(msgspec.Struct, frozen=True):
    runner: Runner


_row = msgspec.json.Decoder(_Row)


class RedisTerminalNames:
    """`TerminalNames` in Redis 6.2 or later. What is where: `scripts/prelude.lua`."""

    def __init__(self, url: str, *, lost_after_s: float) -> None:
        scripts = importlib.resources.files("perijove_kernels.terminals.backends") / "scripts"
        self._commands = Commands(url, scripts, _KEYS)
        self._lost_after_s = lost_after_s

    async def close(self) -> None:
        """Close the connections."""
        await self._commands.close()

    async def look(self) -> View:
        """Return who can be asked now."""
        turn, rows = await self._commands.script("look", self._lost_after_s)
        return View(int(turn), tuple(_row.decode(row).runner for row in rows))

    async def take(self, turn: int, used: Collection[str], wanted: str) -> str | None:
        """Take a name; None if one must look again."""
        name = await self._commands.change("take", self._lost_after_s, turn, _KEPT_S, wanted, *used)
        return str(name) if name else None

    async def release(self, name: str) -> None:
        """Give a name back."""
        await self._commands.change("release", self._lost_after_s, name)
