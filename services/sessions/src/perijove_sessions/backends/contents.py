"""The contents service behind gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove.contents.v1 import contents_pb2 as pb
from perijove.contents.v1 import contents_pb2_grpc as pb_grpc
from perijove_chassis import credentials
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.status import rpc_errors_as_domain

if TYPE_CHECKING:
    from perijove_chassis.settings import Secret
    from perijove_chassis.tls import Dialing

_RETRY = [{"service": "perijove.contents.v1.ContentsService", "method": "GetKernelPath"}]


class GrpcContents:
    """`Documents` at a gRPC target."""

    def __init__(self, target: str, service_key: Secret, tls: Dialing | None = None) -> None:
        issuer = credentials.Issuer(
            credentials.derive_key(service_key, "contents"), "sessions", "contents"
        )
        self._channel = Channel(target, issuer, Deadlines(10.0), retry=_RETRY, tls=tls)
        stub: pb_grpc.ContentsServiceAsyncStub = pb_grpc.ContentsServiceStub(
            self._channel  # type: ignore[call-overload]
        )
        self._stub = stub

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()

    async def working_directory(self, path: str) -> str:
        """Return the directory in which the kernel of a document works."""
        with rpc_errors_as_domain():
            reply = await self._stub.GetKernelPath(pb.GetKernelPathRequest(path=path))
        return reply.working_directory
