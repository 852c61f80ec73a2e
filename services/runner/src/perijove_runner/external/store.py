"""What the rules of kernels that others have started need from the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perijove_runner.external.model import FoundKernel


class ConnectionFiles(Protocol):
    """Where others say how their kernels are reached."""

    async def look(self) -> Sequence[FoundKernel]:
        """Return the kernels whose files can be read, and which listen; in order of the names.

        There are no more than some hundred.
        """
