"""The kernels service behind gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove.kernels.v1 import kernels_pb2 as pb
from perijove.kernels.v1 import kernels_pb2_grpc as pb_grpc
from perijove_chassis import credentials
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.status import rpc_errors_as_domain

from perijove_sessions import wire
from perijove_sessions.store import KernelList

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perijove_chassis.settings import Secret
    from perijove_chassis.tls import Dialing

    from perijove_sessions.model import Kernel

DEADLINES = Deadlines(
    10.0,
    {
        # Whoever lists sessions gets what was last known instead of a long wait.
        "GetKernel": 5.0,
        "ListKernels": 5.0,
        # Longer than what the kernels service gives the runner.
        "StartKernel": 65.0,
        "ShutdownKernel": 25.0,
    },
)

_SERVICE = "perijove.kernels.v1.KernelsService"
_RETRY = [
    {"service": _SERVICE, "method": name}
    # Starting is safe to repeat, since the kernel's id is given.
    for name in ("GetKernel", "ListKernels", "StartKernel", "UpdateKernel")
]


class GrpcKernels:
    """`Kernels` at a gRPC target."""

    def __init__(self, target: str, service_key: Secret, tls: Dialing | None = None) -> None:
        issuer = credentials.Issuer(
            credentials.derive_key(service_key, "kernels"), "sessions", "kernels"
        )
        self._channel = Channel(target, issuer, DEADLINES, retry=_RETRY, tls=tls)
        stub: pb_grpc.KernelsServiceAsyncStub = pb_grpc.KernelsServiceStub(
            self._channel  # type: ignore[call-overload]
        )
        self._stub = stub

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()

    async def start(
        self,
        kernel_id: str,
        kernelspec_name: str,
        working_directory: str,
        environment: Mapping[str, str],
        labels: Mapping[str, str],
    ) -> tuple[Kernel, bool]:
        """Return the kernel with an id, and whether this call started it."""
        request = pb.StartKernelRequest(
            kernel_id=kernel_id,
            kernelspec_name=kernelspec_name,
            working_directory=working_directory,
            environment=environment,
            labels=labels,
        )
        with rpc_errors_as_domain():
            reply = await self._stub.StartKernel(request)
        return wire.kernel_from_proto(reply.kernel), reply.created

    async def get(self, kernel_id: str) -> Kernel:
        """Return a kernel; raise `NotFound` if there is none."""
        with rpc_errors_as_domain():
            reply = await self._stub.GetKernel(pb.GetKernelRequest(kernel_id=kernel_id))
        return wire.kernel_from_proto(reply.kernel)

    async def list(self) -> KernelList:
        """Return all kernels."""
        kernels: dict[str, Kernel] = {}
        ended: set[str] = set()
        incomplete, token, position = False, "", None
        while True:
            with rpc_errors_as_domain():
                reply = await self._stub.ListKernels(pb.ListKernelsRequest(page_token=token))
            kernels |= {
                kernel.kernel_id: wire.kernel_from_proto(kernel) for kernel in reply.kernels
            }
            ended.update(reply.ended_kernel_ids)
            incomplete = incomplete or reply.incomplete
            if not token:
                # Later pages show at least what this one does.
                position = wire.position_from_proto(reply)
            token = reply.next_page_token
            if not token:
                return KernelList(kernels, incomplete, frozenset(ended), position)

    async def update(
        self, kernel_id: str, labels: Mapping[str, str], environment: Mapping[str, str]
    ) -> Kernel:
        """Put new labels in place of a kernel's own, and add to its environment."""
        request = pb.UpdateKernelRequest(
            kernel_id=kernel_id, labels=labels, environment=environment
        )
        request.update_mask.paths.append("labels")
        if environment:
            request.update_mask.paths.append("environment")
        with rpc_errors_as_domain():
            reply = await self._stub.UpdateKernel(request)
        return wire.kernel_from_proto(reply.kernel)

    async def shutdown(self, kernel_id: str) -> None:
        """Shut a kernel down; raise `NotFound` if there is none."""
        with rpc_errors_as_domain():
            await self._stub.ShutdownKernel(pb.ShutdownKernelRequest(kernel_id=kernel_id))
