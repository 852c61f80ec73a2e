"""Has the runner's certificate renewed, long before it expires."""

from __future__ import annotations

import asyncio
import random
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Final

import grpc
import structlog
from perijove.runners.v1 import joining_pb2 as pb
from perijove.runners.v1 import joining_pb2_grpc as pb_grpc
from perijove_chassis import tls
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.credentials import Issuer, runner_name

from perijove_runner.backends.replacing import replace

if TYPE_CHECKING:
    from perijove_runner.settings import RunnerSettings

log = structlog.get_logger()

_FIRST_PAUSE_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 600.0
_SHORTEST_S: Final = 1.0
_RENEW_S: Final = 20.0


class Renewal:
    """Renews when the runner starts, and then as often as it is told to.

    The key stays: so the certificate shows who asks, and nothing is signed here. The
    server shows the new one from the next connection on.
    """

    def __init__(self, settings: RunnerSettings) -> None:
        self._settings = settings
        self._certificate = Path(settings.tls_cert)
        name = runner_name(settings.id)
        self._issuer = Issuer(settings.key(), issuer=name, audience="kernels")
        self._dialing = tls.dialing(settings)

    async def run(self) -> None:
        """Renew until cancelled; what fails is tried again, ever more seldom."""
        pause = _FIRST_PAUSE_S
        for target in cycle(self._settings.targets()):
            try:
                wait_s = await self._renew(target)
            except (grpc.aio.AioRpcError, OSError) as error:
                code = error.code().name if isinstance(error, grpc.aio.AioRpcError) else "OS"
                log.warning("certificate not renewed", code=code)
                wait_s, pause = pause, min(2 * pause, _LONGEST_PAUSE_S)
            else:
                pause = _FIRST_PAUSE_S
            await asyncio.sleep(wait_s * random.uniform(0.8, 1.0))  # noqa: S311 - only spreads load

    async def _renew(self, target: str) -> float:
        """Renew once, and return the seconds until it is to be done again."""
        channel = Channel(target, self._issuer, Deadlines(_RENEW_S), tls=self._dialing)
        stub: pb_grpc.JoiningServiceAsyncStub = pb_grpc.JoiningServiceStub(
            channel  # type: ignore[call-overload]
        )
        try:
            present = await asyncio.to_thread(self._certificate.read_bytes)
            request = pb.RenewCertificateRequest(certificate=present)
            reply = await stub.RenewCertificate(request)
        finally:
            await channel.close()
        await asyncio.to_thread(replace, self._certificate, reply.certificate)
        log.info("certificate renewed", again_after_s=reply.renew_after_s)
        return max(reply.renew_after_s, _SHORTEST_S)
