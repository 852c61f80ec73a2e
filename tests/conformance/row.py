"""One wrong request and its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Row:
    """A request that is refused, and changes nothing."""

    id: str
    method: str
    target: str
    status: int
    kind: str | None = "json"
    """As `Answer.kind`; None for any."""
    json: Any = None
    raw: bytes | None = None
    """The body, if it is not `json`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    phrase: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    """What lies in the tree besides; see `given.py`."""
