"""What is said of one method of one route."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one pattern, without what holds for every route of its guard."""

    summary: str
    answers: Mapping[int, str] = field(default_factory=dict)
    """By status: the name of a schema, `[Name]` for a list of it, a media type, or nothing."""
    fails: tuple[int, ...] = ()
    """Statuses of errors, besides those of every route."""
    query: tuple[str, ...] = ()
    """Names of query parameters."""
    body: str = ""
    """What is sent: the name of a schema, a media type, or nothing."""


Rows = dict[tuple[str, str], Operation]
"""Operations by method and pattern."""
