"""What a runner knows of kernels that others have started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perijove_runner.model import ConnectionInfo

LABEL = "perijove.external"
"""Label of such kernels: the name of their connection file."""


@dataclass(frozen=True, slots=True)
class FoundKernel:
    """A connection file. One that is written anew stands for another kernel."""

    name: str
    """Name of the file."""
    connection: ConnectionInfo
