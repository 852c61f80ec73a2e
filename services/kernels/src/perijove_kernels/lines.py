"""Connections to runners for relayed calls: one each, kept while it is used."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perijove_chassis import credentials
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from perijove_chassis.settings import Secret
    from perijove_chassis.tls import Dialing

    from perijove_kernels.model import Kernel

_MOST: Final = 64


@dataclass(slots=True)
class _Line:
    channel: Channel
    calls: int = 0


class Lines:
    """Channels to the runners of kernels."""

    def __init__(self, service_key: Secret, tls: Dialing | None = None) -> None:
        """Begin without any.

        Args:
            service_key: Signs the calls.
            tls: How runners on other machines are dialled.
        """
        self._tls = tls
        self._service_key = service_key
        self._lines: dict[tuple[str, str], _Line] = {}

    @asynccontextmanager
    async def to(self, kernel: Kernel) -> AsyncIterator[Channel]:
        """Lend the channel to a kernel's runner. Its calls state their own deadlines.

        Raises:
            Unavailable: with reason `RUNNER_UNREACHABLE` if nobody knows where that is.
        """
        if not kernel.runner_address:
            raise Unavailable("the kernel's runner cannot be reached", reason="RUNNER_UNREACHABLE")
        key = (kernel.runner_id, kernel.runner_address)
        line = self._lines.pop(key, None) or self._dial(kernel)
        self._lines[key] = line  # the last used comes last
        line.calls += 1
        try:
            yield line.channel
        finally:
            line.calls -= 1
            await self._trim()

    async def close(self) -> None:
        """Close all."""
        for line in self._lines.values():
            await line.channel.close()
        self._lines.clear()

    def _dial(self, kernel: Kernel) -> _Line:
        name = credentials.runner_name(kernel.runner_id)
        key = credentials.derive_key(self._service_key, name)
        issuer = credentials.Issuer(key, "kernels", name)
        return _Line(Channel(kernel.runner_address, issuer, Deadlines(), tls=self._tls))

    async def _trim(self) -> None:
        """Close those that were not used for longest, if there are too many."""
        idle = [key for key, line in self._lines.items() if not line.calls]
        for key in idle[: max(0, len(self._lines) - _MOST)]:
            await self._lines.pop(key).channel.close()
