"""What is asked of runners that announce themselves at one listener."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def admit_all(_runner_id: str) -> None:
    """Let every runner in that has a credential."""


@dataclass(frozen=True, slots=True)
class Gate:
    """By default nothing is asked: runners of the same machine."""

    scheme: str = ""
    """How their addresses begin."""
    admit: Callable[[str], None] = admit_all
    """Asked at each word of a runner; raises `PermissionDenied` if it is not to be heard."""
