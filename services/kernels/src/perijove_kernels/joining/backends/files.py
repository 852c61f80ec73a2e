"""What the authority of a deployment keeps, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class PoolFiles:
    """The private directory of all who belong together."""

    directory: Path

    @property
    def root(self) -> Path:
        """Certificate of the authority; no secret."""
        return self.directory / "ca.crt"

    @property
    def root_key(self) -> Path:
        """Its key: whoever has it can be anybody."""
        return self.directory / "ca.key"

    @property
    def service_key(self) -> Path:
        """Key of all services, kept so that runners that have joined stay members."""
        return self.directory / "service.key"

    @property
    def tokens(self) -> Path:
        """Directory of tokens to join with."""
        return self.directory / "tokens"

    @property
    def outcasts(self) -> Path:
        """Directory of the runners that were cast out."""
        return self.directory / "outcasts"

    def certificate(self, name: str) -> Path:
        """Return where the certificate of a process is."""
        return self.directory / f"{name}.crt"

    def key(self, name: str) -> Path:
        """Return where the key of that is."""
        return self.directory / f"{name}.key"
