"""Runners behind gRPC: one channel each, kept while it is used."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from perijove.runners.v1 import runner_pb2 as pb
from perijove.runners.v1 import runner_pb2_grpc as pb_grpc
from perijove_chassis import credentials
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.errors import DeadlineExceeded, Unauthenticated, Unavailable
from perijove_chassis.status import rpc_errors_as_domain

from perijove_kernels import wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from perijove_chassis.settings import Secret
    from perijove_chassis.tls import Dialing

    from perijove_kernels.model import Drain, Kernel, Kernelspec, Launch, Runner

DEADLINES = Deadlines(
    10.0,
    {
        "LaunchKernel": 60.0,
        # A restart waits for the new process to answer, for up to 60 s.
        "RestartKernel": 75.0,
        # A shutdown gives the kernel 5 s to go by itself.
        "ShutdownKernel": 20.0,
        "ReadKernelspecResource": 30.0,
        "CreateTerminal": 20.0,
    },
)

_SERVICE = "perijove.runners.v1.RunnerService"
# Those that do no more when they are done twice.
_RETRY = [{"service": _SERVICE, "method": name} for name in ("LaunchKernel", "UpdateKernel")] + [
    {"service": "perijove.terminals.v1.TerminalsService", "method": name}
    for name in ("CreateTerminal", "GetTerminal", "ListTerminals")
]
_MOST_CHANNELS = 256


@dataclass(slots=True)
class Line:
    """A connection to a runner."""

    channel: Channel
    stub: pb_grpc.RunnerServiceAsyncStub
    calls: int = 0


class GrpcRunners:
    """`Runners` that are dialled at the address they announce."""

    def __init__(self, service_key: Secret, tls: Dialing | None = None) -> None:
        self._tls = tls
        self._service_key = service_key
        self._lines: dict[tuple[str, str], Line] = {}

    async def close(self) -> None:
        """Close all channels."""
        for line in self._lines.values():
            await line.channel.close()
        self._lines.clear()

    async def launch(self, runner: Runner, launch: Launch) -> tuple[Kernel, bool]:
        """Launch a kernel and return it, and whether this call launched it."""
        request = pb.LaunchKernelRequest(
            kernel_id=launch.kernel_id,
            kernelspec_name=launch.kernelspec_name,
            working_directory=launch.working_directory,
            environment=launch.environment,
            labels=launch.labels,
            owner=launch.owner,
        )
        async with self._call(runner) as stub:
            reply = await stub.LaunchKernel(request)
        return wire.kernel_from_proto(reply.kernel, runner), reply.created

    async def update(
        self,
        runner: Runner,
        kernel_id: str,
        labels: Mapping[str, str] | None,
        environment: Mapping[str, str] | None,
    ) -> Kernel:
        """Change what is not None, and return the kernel."""
        request = pb.UpdateKernelRequest(
            kernel_id=kernel_id, labels=labels or {}, environment=environment or {}
        )
        if labels is not None:
            request.update_mask.paths.append("labels")
        if environment is not None:
            request.update_mask.paths.append("environment")
        async with self._call(runner) as stub:
            reply = await stub.UpdateKernel(request)
        return wire.kernel_from_proto(reply.kernel, runner)

    async def interrupt(self, runner: Runner, kernel_id: str) -> None:
        """Interrupt a kernel."""
        async with self._call(runner) as stub:
            await stub.InterruptKernel(pb.InterruptKernelRequest(kernel_id=kernel_id))

    async def restart(self, runner: Runner, kernel_id: str, requested_by: str) -> Kernel:
        """Replace a kernel's process and return the kernel once it answers."""
        request = pb.RestartKernelRequest(kernel_id=kernel_id, requested_by=requested_by)
        async with self._call(runner) as stub:
            reply = await stub.RestartKernel(request)
        return wire.kernel_from_proto(reply.kernel, runner)

    async def shutdown(
        self, runner: Runner, kernel_id: str, requested_by: str
    ) -> tuple[Kernel | None, int]:
        """Shut a kernel down; return how it was last, and the revision as of which it is gone."""
        request = pb.ShutdownKernelRequest(kernel_id=kernel_id, requested_by=requested_by)
        async with self._call(runner) as stub:
            reply = await stub.ShutdownKernel(request)
        # A runner of an earlier version does not say how it was.
        told = reply.HasField("kernel")
        ended = wire.kernel_from_proto(reply.kernel, runner) if told else None
        return ended, reply.revision

    async def begin_drain(
        self, runner: Runner, reason: str, within_s: float | None, requested_by: str
    ) -> Drain:
        """Have a runner take nothing new, and leave once it is empty or the time is over."""
        request = pb.BeginDrainRequest(reason=reason, requested_by=requested_by)
        if within_s is not None:
            request.within.FromTimedelta(timedelta(seconds=within_s))
        async with self._call(runner) as stub:
            reply = await stub.BeginDrain(request)
        return wire.drain_from_proto(reply.drain)

    async def end_drain(self, runner: Runner) -> None:
        """Have a runner take new kernels again."""
        async with self._call(runner) as stub:
            await stub.EndDrain(pb.EndDrainRequest())

    async def read_resource(
        self, runner: Runner, kernelspec: Kernelspec, resource: str
    ) -> AsyncIterator[bytes]:
        """Read a file of a kernelspec in chunks."""
        request = pb.ReadKernelspecResourceRequest(name=kernelspec.name, resource=resource)
        async with self._call(runner) as stub:
            async for reply in stub.ReadKernelspecResource(request):
                yield reply.chunk

    @asynccontextmanager
    async def _call(self, runner: Runner) -> AsyncIterator[pb_grpc.RunnerServiceAsyncStub]:
        async with self.line(runner) as line:
            yield line.stub

    @asynccontextmanager
    async def line(self, runner: Runner) -> AsyncIterator[Line]:
        """Return the connection to a runner, for calls to any of its services.

        What these raise inside is given its meaning, as `Runners` says.
        """
        line = self._lines.pop((runner.runner_id, runner.address), None) or self._dial(runner)
        self._lines[runner.runner_id, runner.address] = line  # the last used comes last
        line.calls += 1
        try:
            with rpc_errors_as_domain():
                yield line
        except (Unavailable, DeadlineExceeded, Unauthenticated) as error:
            # Another runner at its old address takes no credential that is for this one.
            if error.reason and not isinstance(error, Unauthenticated):
                raise
            raise Unavailable(
                f"runner {runner.runner_id} does not answer", reason="RUNNER_UNREACHABLE"
            ) from error
        finally:
            line.calls -= 1
            await self._trim()

    def _dial(self, runner: Runner) -> Line:
        audience = credentials.runner_name(runner.runner_id)
        issuer = credentials.Issuer(
            credentials.derive_key(self._service_key, audience), "kernels", audience
        )
        channel = Channel(runner.address, issuer, DEADLINES, retry=_RETRY, tls=self._tls)
        return Line(channel, pb_grpc.RunnerServiceStub(channel))  # type: ignore[call-overload]

    async def _trim(self) -> None:
        """Close the channels that were not used for longest, if there are too many."""
        idle = [key for key, line in self._lines.items() if not line.calls]
        for key in idle[: max(0, len(self._lines) - _MOST_CHANNELS)]:
            await self._lines.pop(key).channel.close()
