"""Translates each RPC to one call of a manager. Decides nothing."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from perijove.kernels.v1 import kernels_pb2 as pb
from perijove.kernels.v1 import kernels_pb2_grpc as pb_grpc
from perijove.kernels.v1 import kernelspecs_pb2 as specs_pb
from perijove.kernels.v1 import kernelspecs_pb2_grpc as specs_pb_grpc
from perijove.runners.v1 import runners_pb2 as runners_pb
from perijove.runners.v1 import runners_pb2_grpc as runners_pb_grpc
from perijove_chassis import server, users
from perijove_chassis.credentials import PrincipalKind

from perijove_kernels import pool_wire, wire
from perijove_kernels.model import (
    Changes,
    Hello,
    Launch,
    parse_environment,
    parse_kernel_id,
    parse_labels,
    parse_reason,
    parse_runner_id,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import grpc
    from perijove_chassis.watching import Watching

    from perijove_kernels.announcements import RunnerManager
    from perijove_kernels.gate import Gate
    from perijove_kernels.kernelspecs import KernelspecManager
    from perijove_kernels.manager import KernelManager
    from perijove_kernels.model import Kernel
    from perijove_kernels.pool import PoolManager

_UPDATABLE = frozenset({"labels", "environment"})


class KernelsServicer(pb_grpc.KernelsServiceServicer):
    """Serves `KernelsService`."""

    def __init__(self, manager: KernelManager, watching: Watching[Kernel]) -> None:
        self._manager = manager
        self._watching = watching

    async def StartKernel(
        self, request: pb.StartKernelRequest, _context: grpc.aio.ServicerContext
    ) -> pb.StartKernelResponse:
        launch = Launch.parse(
            request.kernel_id or str(uuid.uuid4()),
            request.kernelspec_name,
            request.working_directory,
            dict(request.environment),
            dict(request.labels),
            dict(request.runner_labels),
            users.user.get(),
            request.wait.ToTimedelta().total_seconds(),
        )
        kernel, created = await self._manager.start(launch, trusted=_trusted())
        return pb.StartKernelResponse(kernel=wire.kernel_to_proto(kernel), created=created)

    async def GetKernel(
        self, request: pb.GetKernelRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetKernelResponse:
        kernel_id = parse_kernel_id(request.kernel_id)
        kernel = await self._manager.get(kernel_id, show_ended=request.show_ended)
        return pb.GetKernelResponse(kernel=wire.kernel_to_proto(kernel))

    async def ListKernels(
        self, request: pb.ListKernelsRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ListKernelsResponse:
        page = await self._manager.list(request.page_size, request.page_token)
        return pb.ListKernelsResponse(
            kernels=[wire.kernel_to_proto(kernel) for kernel in page.kernels],
            next_page_token=page.next_token,
            incomplete=page.incomplete,
            ended_kernel_ids=page.ended,
            position=wire.position_to_proto(page.position),
        )

    async def WatchKernels(
        self, request: pb.WatchKernelsRequest, _context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.WatchKernelsResponse]:
        async for update in self._watching.watch(wire.position_from_proto(request)):
            yield wire.update_to_proto(update)

    async def UpdateKernel(
        self, request: pb.UpdateKernelRequest, _context: grpc.aio.ServicerContext
    ) -> pb.UpdateKernelResponse:
        named = wire.fields(request.update_mask, _UPDATABLE)
        kernel = await self._manager.update(
            parse_kernel_id(request.kernel_id),
            parse_labels(dict(request.labels)) if "labels" in named else None,
            parse_environment(dict(request.environment)) if "environment" in named else None,
            trusted=_trusted(),
        )
        return pb.UpdateKernelResponse(kernel=wire.kernel_to_proto(kernel))

    async def InterruptKernel(
        self, request: pb.InterruptKernelRequest, _context: grpc.aio.ServicerContext
    ) -> pb.InterruptKernelResponse:
        await self._manager.interrupt(parse_kernel_id(request.kernel_id))
        return pb.InterruptKernelResponse()

    async def RestartKernel(
        self, request: pb.RestartKernelRequest, _context: grpc.aio.ServicerContext
    ) -> pb.RestartKernelResponse:
        requester = _requester(request.requested_by)
        kernel = await self._manager.restart(parse_kernel_id(request.kernel_id), requester)
        return pb.RestartKernelResponse(kernel=wire.kernel_to_proto(kernel))

    async def ShutdownKernel(
        self, request: pb.ShutdownKernelRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ShutdownKernelResponse:
        requester = _requester(request.requested_by)
        await self._manager.shutdown(parse_kernel_id(request.kernel_id), requester)
        return pb.ShutdownKernelResponse()


class KernelspecsServicer(specs_pb_grpc.KernelspecsServiceServicer):
    """Serves `KernelspecsService`."""

    def __init__(self, manager: KernelspecManager) -> None:
        self._manager = manager

    async def ListKernelspecs(
        self, request: specs_pb.ListKernelspecsRequest, _context: grpc.aio.ServicerContext
    ) -> specs_pb.ListKernelspecsResponse:
        specs, next_token = await self._manager.list(request.page_size, request.page_token)
        return specs_pb.ListKernelspecsResponse(
            kernelspecs=[wire.kernelspec_to_proto(spec) for spec in specs],
            next_page_token=next_token,
            default_kernelspec_name=self._manager.default_name,
        )

    async def GetKernelspec(
        self, request: specs_pb.GetKernelspecRequest, _context: grpc.aio.ServicerContext
    ) -> specs_pb.GetKernelspecResponse:
        spec = await self._manager.get(request.name)
        return specs_pb.GetKernelspecResponse(kernelspec=wire.kernelspec_to_proto(spec))

    async def ReadKernelspecResource(
        self, request: specs_pb.ReadKernelspecResourceRequest, _context: grpc.aio.ServicerContext
    ) -> AsyncIterator[specs_pb.ReadKernelspecResourceResponse]:
        async for chunk in self._manager.read_resource(request.name, request.resource):
            yield specs_pb.ReadKernelspecResourceResponse(chunk=chunk)


class RunnersServicer(runners_pb_grpc.RunnersServiceServicer):
    """Serves `RunnersService`."""

    def __init__(self, manager: RunnerManager, pool: PoolManager, gate: Gate) -> None:
        self._gate = gate
        self._manager = manager
        self._pool = pool

    async def Announce(  # type: ignore[override]  # it writes instead of yielding
        self,
        request_iterator: AsyncIterator[runners_pb.AnnounceRequest],
        context: grpc.aio.ServicerContext,
    ) -> None:
        async def registered(lost_after_s: float) -> None:
            known = runners_pb.Registered(lost_after_s=lost_after_s)
            await context.write(runners_pb.AnnounceResponse(registered=known))

        caller = server.principal.get().name
        announced = _announced(request_iterator, caller, self._gate)
        await self._manager.announce(caller, announced, registered)

    async def ListRunners(
        self, request: runners_pb.ListRunnersRequest, _context: grpc.aio.ServicerContext
    ) -> runners_pb.ListRunnersResponse:
        page = await self._pool.list(request.page_size, request.page_token)
        members = [
            pool_wire.member_to_proto(m, page.busy[m.runner.runner_id]) for m in page.members
        ]
        return runners_pb.ListRunnersResponse(
            runners=members, next_page_token=page.next_token, waiting_count=page.waiting
        )

    async def DrainRunner(
        self, request: runners_pb.DrainRunnerRequest, _context: grpc.aio.ServicerContext
    ) -> runners_pb.DrainRunnerResponse:
        within = request.within.ToTimedelta() if request.HasField("within") else None
        runner, drain = await self._pool.drain(
            parse_runner_id(request.runner_id),
            parse_reason(request.reason),
            None if within is None else within.total_seconds(),
            users.user.get(),
        )
        return runners_pb.DrainRunnerResponse(runner=pool_wire.runner_to_proto(runner, drain))

    async def UndrainRunner(
        self, request: runners_pb.UndrainRunnerRequest, _context: grpc.aio.ServicerContext
    ) -> runners_pb.UndrainRunnerResponse:
        runner = await self._pool.undrain(parse_runner_id(request.runner_id))
        return runners_pb.UndrainRunnerResponse(runner=pool_wire.runner_to_proto(runner, None))


async def _announced(
    requests: AsyncIterator[runners_pb.AnnounceRequest], caller: str, gate: Gate
) -> AsyncIterator[Hello | Changes]:
    runner = None
    async for request in requests:
        gate.admit(caller)
        if runner is None or request.HasField("hello"):
            hello = wire.hello_from_proto(request.hello, gate.scheme)
            runner = hello.runner
            yield hello
        else:
            yield wire.changes_from_proto(request, runner)


def _requester(named: str) -> str:
    """Return on whose behalf a call is made; empty if that is not known.

    Only services may say it of others. Their own names mean nothing to people.
    """
    return named if _trusted() else server.principal.get().name


def _trusted() -> bool:
    return server.principal.get().kind is PrincipalKind.SERVICE
