"""What says in Perijove what a trait of others says, and how its value is made."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Change = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Successor:
    """What says in Perijove what a trait says there."""

    table: str = ""
    """Empty if nothing does."""
    name: str = ""
    why: str = ""
    """Why nothing does, or what is to be known besides."""
    change: Change | None = None
    """Makes the value; the same one if None. None as a value is left out."""


def to(place: str, why: str = "", change: Change | None = None) -> Successor:
    """Return what says the same: `table.name`."""
    table, _, name = place.partition(".")
    return Successor(table, name, why, change)


def none(why: str) -> Successor:
    """Return that nothing does, and why."""
    return Successor(why=why)


def megabytes(value: float) -> int:
    """Return bytes."""
    return int(value * 1024 * 1024)


def yes_or_no(value: Any) -> str:  # noqa: ANN401 - whatever was configured
    """Return a truth as a word."""
    return "yes" if value else "no"


def shell(value: Mapping[str, Any]) -> str | None:
    """Return the command of terminals as one text."""
    command = value.get("shell_command")
    return shlex.join(command) if command else None


def headers(value: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the headers among Tornado's settings."""
    return value.get("headers") or None


def log_level(value: str | int) -> str:
    """Return the name of a level."""
    names = {10: "debug", 20: "info", 30: "warning", 40: "error", 50: "error"}
    if isinstance(value, int):
        return names.get(value, "info")
    return {"WARN": "warning", "CRITICAL": "error"}.get(value.upper(), value.lower())


def mode(value: str | int) -> str:
    """Return permissions as octal digits."""
    return f"{value:04o}" if isinstance(value, int) else str(value)
