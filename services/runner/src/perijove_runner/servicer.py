"""Commands to this runner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perijove.runners.v1 import runner_pb2 as pb
from perijove.runners.v1 import runner_pb2_grpc as pb_grpc
from perijove_chassis.credentials import PrincipalKind
from perijove_chassis.permissions import WRITE, any_of, to
from perijove_chassis.server import Service

from perijove_runner import wire
from perijove_runner.model import (
    parse_kernel_id,
    parse_kernelspec_name,
    parse_reason,
    parse_requester,
    parse_resource_name,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import grpc

    from perijove_runner.draining import Draining
    from perijove_runner.manager import KernelManager


class RunnerServicer(pb_grpc.RunnerServiceServicer):
    """Translates each RPC to one call of the manager. Decides nothing."""

    def __init__(
        self, manager: KernelManager[Any], writer: wire.Writer, draining: Draining
    ) -> None:
        self._manager = manager
        self._writer = writer
        self._draining = draining

    async def LaunchKernel(
        self, request: pb.LaunchKernelRequest, context: grpc.aio.ServicerContext
    ) -> pb.LaunchKernelResponse:
        del context
        kernel, created = await self._manager.launch(wire.launch_request(request))
        return pb.LaunchKernelResponse(kernel=self._writer.kernel(kernel), created=created)

    async def UpdateKernel(
        self, request: pb.UpdateKernelRequest, context: grpc.aio.ServicerContext
    ) -> pb.UpdateKernelResponse:
        del context
        kernel_id = parse_kernel_id(request.kernel_id)
        kernel = await self._manager.update(kernel_id, *wire.update_request(request))
        return pb.UpdateKernelResponse(kernel=self._writer.kernel(kernel))

    async def InterruptKernel(
        self, request: pb.InterruptKernelRequest, context: grpc.aio.ServicerContext
    ) -> pb.InterruptKernelResponse:
        del context
        await self._manager.interrupt(parse_kernel_id(request.kernel_id))
        return pb.InterruptKernelResponse()

    async def RestartKernel(
        self, request: pb.RestartKernelRequest, context: grpc.aio.ServicerContext
    ) -> pb.RestartKernelResponse:
        del context
        kernel_id = parse_kernel_id(request.kernel_id)
        kernel = await self._manager.restart(kernel_id, parse_requester(request.requested_by))
        return pb.RestartKernelResponse(kernel=self._writer.kernel(kernel))

    async def ShutdownKernel(
        self, request: pb.ShutdownKernelRequest, context: grpc.aio.ServicerContext
    ) -> pb.ShutdownKernelResponse:
        del context
        kernel, revision = await self._manager.shut_down(
            parse_kernel_id(request.kernel_id), parse_requester(request.requested_by)
        )
        return pb.ShutdownKernelResponse(kernel=self._writer.kernel(kernel), revision=revision)

    async def BeginDrain(
        self, request: pb.BeginDrainRequest, context: grpc.aio.ServicerContext
    ) -> pb.BeginDrainResponse:
        del context
        within_s = request.within.ToTimedelta().total_seconds()
        drain = self._draining.begin(
            parse_reason(request.reason),
            within_s if request.HasField("within") else None,
            parse_requester(request.requested_by),
        )
        return pb.BeginDrainResponse(drain=wire.drain_to_proto(drain))

    async def EndDrain(
        self, request: pb.EndDrainRequest, context: grpc.aio.ServicerContext
    ) -> pb.EndDrainResponse:
        del request, context
        self._draining.end()
        return pb.EndDrainResponse()

    async def ReadKernelspecResource(
        self, request: pb.ReadKernelspecResourceRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.ReadKernelspecResourceResponse]:
        del context
        name = parse_kernelspec_name(request.name)
        resource = parse_resource_name(request.resource)
        async for chunk in self._manager.read_resource(name, resource):
            yield pb.ReadKernelspecResourceResponse(chunk=chunk)


def runner_service(manager: KernelManager[Any], writer: wire.Writer, draining: Draining) -> Service:
    """Return the service for a server: only other services may call it."""
    return Service(
        name=pb.DESCRIPTOR.services_by_name["RunnerService"].full_name,
        register=lambda server: pb_grpc.add_RunnerServiceServicer_to_server(
            RunnerServicer(manager, writer, draining), server
        ),
        access=frozenset({PrincipalKind.SERVICE}),
        permissions=to(WRITE, "kernels", "sessions"),
        permissions_by_method={
            **dict.fromkeys(("InterruptKernel", "RestartKernel"), to(WRITE, "kernels")),
            **dict.fromkeys(("BeginDrain", "EndDrain"), to(WRITE, "server")),
            "ReadKernelspecResource": any_of("kernelspecs"),
        },
    )
