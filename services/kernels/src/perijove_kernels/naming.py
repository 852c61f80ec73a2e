"""Which kernelspec a kernel is started of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Naming:
    """What becomes of the name that a client gives, or does not."""

    default: str
    """Where none is given."""
    forced: str = ""
    """Whatever is given; empty if that counts."""

    def of(self, name: str) -> str:
        """Return the name that counts."""
        return self.forced or name or self.default
