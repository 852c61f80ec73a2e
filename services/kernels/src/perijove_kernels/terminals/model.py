"""What the control plane knows of terminals, as values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perijove_chassis.errors import InvalidArgument, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_NAME = re.compile(r"\w{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal, as its runner describes it."""

    name: str
    terminal_id: str
    create_time: datetime
    last_activity_time: datetime
    connection_count: int
    runner_id: str
    runner_address: str
    """Where its runner is dialled."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A terminal that someone wants. What can be started, its runner says."""

    name: str
    """Empty for the smallest free number."""
    working_directories: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    size: tuple[int, int] | None = None
    """Rows and columns."""


def parse_name(text: str) -> str:
    """Return the name of a terminal.

    Raises:
        InvalidArgument: if it cannot be one.
    """
    if not _NAME.fullmatch(text):
        raise InvalidArgument(f"not the name of a terminal: {text[:64]!r}")
    return text


def no_such_terminal(name: str) -> NotFound:
    """Return the error to raise for a name that no terminal has."""
    return NotFound(f"Terminal not found: {name}", reason="NO_SUCH_TERMINAL")
