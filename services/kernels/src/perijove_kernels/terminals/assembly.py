"""The terminals of the control plane, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove_kernels.terminals.backends.redis import RedisTerminalNames
from perijove_kernels.terminals.backends.runners import GrpcTerminalRunners
from perijove_kernels.terminals.manager import TerminalManager
from perijove_kernels.terminals.servicer import terminals_service

if TYPE_CHECKING:
    from perijove_chassis.server import Service
    from perijove_chassis.tls import Dialing

    from perijove_kernels.backends.runners import GrpcRunners
    from perijove_kernels.settings import Settings


class Terminals:
    """All parts of it; runners are asked over the connections there are."""

    def __init__(self, settings: Settings, runners: GrpcRunners, tls: Dialing) -> None:
        url = settings.redis_url.reveal()
        self._names = RedisTerminalNames(url, lost_after_s=settings.lost_after_s)
        self._manager = TerminalManager(self._names, GrpcTerminalRunners(runners))
        self._service_key = settings.service_key
        self._tls = tls

    def service(self) -> Service:
        """Return the row of its service."""
        return terminals_service(self._manager, self._service_key, self._tls)

    async def close(self) -> None:
        """Close the connections that are its own."""
        await self._names.close()
