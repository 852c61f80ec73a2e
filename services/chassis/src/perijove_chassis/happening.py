"""What services tell each other has happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that has happened, and is to be told."""

    data: Mapping[str, str]
    """As the schema of its kind has it."""
    time: datetime
