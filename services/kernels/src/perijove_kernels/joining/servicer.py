"""Translates each RPC to one call of the manager. Decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove.runners.v1 import joining_pb2 as pb
from perijove.runners.v1 import joining_pb2_grpc as pb_grpc
from perijove_chassis import server
from perijove_chassis.credentials import PrincipalKind
from perijove_chassis.server import Service

if TYPE_CHECKING:
    import grpc

    from perijove_kernels.joining.manager import JoiningManager


class JoiningServicer(pb_grpc.JoiningServiceServicer):
    """Serves `JoiningService`."""

    def __init__(self, manager: JoiningManager) -> None:
        self._manager = manager

    async def Join(
        self, request: pb.JoinRequest, _context: grpc.aio.ServicerContext
    ) -> pb.JoinResponse:
        token_id = server.principal.get().name
        member = await self._manager.join(token_id, request.certificate_request)
        return pb.JoinResponse(
            runner_id=member.runner_id, certificate=member.certificate, runner_key=member.key
        )

    async def RenewCertificate(
        self, request: pb.RenewCertificateRequest, _context: grpc.aio.ServicerContext
    ) -> pb.RenewCertificateResponse:
        runner_id = server.principal.get().name
        renewed = await self._manager.renew(runner_id, request.certificate)
        return pb.RenewCertificateResponse(
            certificate=renewed.certificate, renew_after_s=renewed.renew_after_s
        )


def joining_service(manager: JoiningManager) -> Service:
    """Return the row of `JoiningService`: one method for who joins, one for who has."""
    return Service(
        pb.DESCRIPTOR.services_by_name["JoiningService"].full_name,
        lambda server: pb_grpc.add_JoiningServiceServicer_to_server(
            JoiningServicer(manager), server
        ),
        access=frozenset(),
        access_by_method={
            "Join": frozenset({PrincipalKind.JOINER}),
            "RenewCertificate": frozenset({PrincipalKind.RUNNER}),
        },
    )
