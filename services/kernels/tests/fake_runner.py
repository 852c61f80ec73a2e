"""A runner without kernels: it serves and announces as a real one does, and starts nothing."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import grpc
from perijove.kernels.v1 import kernels_pb2, kernelspecs_pb2
from perijove.runners.v1 import runner_pb2 as pb
from perijove.runners.v1 import runner_pb2_grpc as pb_grpc
from perijove.runners.v1 import runners_pb2, runners_pb2_grpc
from perijove_chassis import credentials, server, telemetry
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.credentials import PrincipalKind
from perijove_chassis.errors import FailedPrecondition, NotFound
from prometheus_client import CollectorRegistry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from perijove_chassis.settings import Secret

SERVICE = "perijove.runners.v1.RunnerService"


def kernelspec(name: str) -> kernelspecs_pb2.Kernelspec:
    return kernelspecs_pb2.Kernelspec(
        name=name,
        display_name=name.title(),
        language="python",
        argv=["python", "-m", "x", "{connection_file}"],
        metadata=b'{"debugger":true}',
        resources=["logo-64x64.png"],
    )


class FakeRunner(pb_grpc.RunnerServiceServicer):
    """Holds kernels that are names only; announces to `targets` until `close`."""

    def __init__(
        self,
        runner_id: str,
        folder: Path,
        key: Secret,
        *,
        capacity: int = 10,
        kernelspecs: tuple[str, ...] = ("python3",),
        first_revision: int = 1,
        labels: dict[str, str] | None = None,
    ) -> None:
        self.runner_id = runner_id
        self.address = f"unix:{folder}/{runner_id}.sock"
        self.kernels: dict[str, kernels_pb2.Kernel] = {}
        self.launches: list[pb.LaunchKernelRequest] = []
        self.updates: list[pb.UpdateKernelRequest] = []
        self.interrupts: list[str] = []
        self.launch_gate: asyncio.Event = asyncio.Event()
        self.launch_gate.set()
        self.capacity = capacity
        self.labels = labels or {}
        self.drain: runners_pb2.Drain | None = None
        self.kernelspecs = kernelspecs
        self.heartbeat_s = 0.1
        self._key = key
        self._revisions = itertools.count(first_revision)
        self._revision = 0
        self._changed: asyncio.Queue[runners_pb2.AnnounceRequest] = asyncio.Queue()
        self._server: Any = None
        self._announcing: asyncio.Task[None] | None = None
        self.registered = asyncio.Event()
        self.last_refusal: grpc.aio.AioRpcError | None = None

    async def serve(self) -> None:
        name = credentials.runner_name(self.runner_id)
        verifier = credentials.RunnerVerifier(
            self.runner_id, credentials.derive_key(self._key, name)
        )
        service = server.Service(
            SERVICE,
            lambda grpc_server: pb_grpc.add_RunnerServiceServicer_to_server(self, grpc_server),
            frozenset({PrincipalKind.SERVICE}),
        )
        metrics = telemetry.CallMetrics(CollectorRegistry())
        self._server = grpc.aio.server(interceptors=(server.Guard(verifier, [service], metrics),))
        service.register(self._server)
        self._server.add_insecure_port(self.address)
        await self._server.start()

    def announce_to(self, *targets: str) -> None:
        self._announcing = asyncio.create_task(self._announce_for_ever(targets))

    async def fall_silent(self) -> None:
        """Stop announcing, as a runner whose machine is gone."""
        if self._announcing:
            self._announcing.cancel()
            with suppress(asyncio.CancelledError):
                await self._announcing
            self._announcing = None
        self.registered.clear()

    async def close(self) -> None:
        await self.fall_silent()
        if self._server:
            await self._server.stop(0)

    def say(self, kernel_id: str, **fields: Any) -> None:
        """Change a kernel and announce it."""
        kernel = self.kernels[kernel_id]
        kernel.MergeFrom(kernels_pb2.Kernel(revision=self._next(), **fields))
        changed = runners_pb2.KernelsChanged(kernels=[kernel], revision=self._revision)
        self._changed.put_nowait(runners_pb2.AnnounceRequest(kernels_changed=changed))

    def end(self, kernel_id: str) -> None:
        """Lose a kernel and announce it."""
        del self.kernels[kernel_id]
        changed = runners_pb2.KernelsChanged(gone_kernel_ids=[kernel_id], revision=self._next())
        self._changed.put_nowait(runners_pb2.AnnounceRequest(kernels_changed=changed))

    def offer(self, *names: str) -> None:
        self.kernelspecs = names
        changed = runners_pb2.KernelspecsChanged(kernelspecs=map(kernelspec, names))
        self._changed.put_nowait(runners_pb2.AnnounceRequest(kernelspecs_changed=changed))

    def hello(self) -> runners_pb2.AnnounceRequest:
        runner = runners_pb2.Runner(
            runner_id=self.runner_id,
            address=self.address,
            capacity=self.capacity,
            labels=self.labels,
            drain=self.drain,
        )
        return runners_pb2.AnnounceRequest(
            hello=runners_pb2.Hello(
                runner=runner,
                kernelspecs=map(kernelspec, self.kernelspecs),
                kernels=self.kernels.values(),
                revision=self._revision,
            )
        )

    async def BeginDrain(self, request: pb.BeginDrainRequest, _context: Any) -> Any:
        self.drain = runners_pb2.Drain(reason=request.reason, requested_by=request.requested_by)
        self.drain.begin_time.GetCurrentTime()
        if request.HasField("within"):
            self.drain.deadline.FromDatetime(
                self.drain.begin_time.ToDatetime() + request.within.ToTimedelta()
            )
        return pb.BeginDrainResponse(drain=self.drain)

    async def EndDrain(self, _request: pb.EndDrainRequest, _context: Any) -> Any:
        self.drain = None
        return pb.EndDrainResponse()

    def say_goodbye(self) -> None:
        goodbye = runners_pb2.Goodbye()
        self._changed.put_nowait(runners_pb2.AnnounceRequest(goodbye=goodbye))

    async def LaunchKernel(self, request: pb.LaunchKernelRequest, _context: Any) -> Any:
        self.launches.append(request)
        if self.drain:
            raise FailedPrecondition("it is being drained", reason="RUNNER_DRAINING")
        await self.launch_gate.wait()
        created = request.kernel_id not in self.kernels
        if request.environment.get("FAIL"):
            raise FailedPrecondition("it does not start", reason="KERNEL_START_FAILED")
        if created:
            kernel = kernels_pb2.Kernel(
                kernel_id=request.kernel_id,
                kernelspec_name=request.kernelspec_name,
                execution_state=kernels_pb2.EXECUTION_STATE_STARTING,
                epoch=1,
                labels=request.labels,
                owner=request.owner,
                revision=self._next(),
                runner_id="not this one",
            )
            kernel.create_time.GetCurrentTime()
            kernel.last_activity_time.GetCurrentTime()
            self.kernels[request.kernel_id] = kernel
        return pb.LaunchKernelResponse(kernel=self.kernels[request.kernel_id], created=created)

    async def UpdateKernel(self, request: pb.UpdateKernelRequest, _context: Any) -> Any:
        kernel = self._find(request.kernel_id)
        self.updates.append(request)
        if "labels" in request.update_mask.paths:
            kernel.labels.clear()
            kernel.labels.update(request.labels)
        kernel.revision = self._next()
        return pb.UpdateKernelResponse(kernel=kernel)

    async def InterruptKernel(self, request: pb.InterruptKernelRequest, _context: Any) -> Any:
        self._find(request.kernel_id)
        self.interrupts.append(request.kernel_id)
        return pb.InterruptKernelResponse()

    async def RestartKernel(self, request: pb.RestartKernelRequest, _context: Any) -> Any:
        kernel = self._find(request.kernel_id)
        kernel.epoch += 1
        kernel.execution_state = kernels_pb2.EXECUTION_STATE_IDLE
        kernel.revision = self._next()
        return pb.RestartKernelResponse(kernel=kernel)

    async def ShutdownKernel(self, request: pb.ShutdownKernelRequest, _context: Any) -> Any:
        kernel = self._find(request.kernel_id)
        del self.kernels[request.kernel_id]
        kernel.execution_state = kernels_pb2.EXECUTION_STATE_DEAD
        kernel.last_exit.cause = kernels_pb2.EXIT_CAUSE_SHUTDOWN
        kernel.last_exit.requested_by = request.requested_by
        kernel.last_exit.message = f"The kernel was shut down by {request.requested_by}."
        kernel.revision = self._next()
        return pb.ShutdownKernelResponse(kernel=kernel, revision=self._next())

    async def ReadKernelspecResource(
        self, request: pb.ReadKernelspecResourceRequest, _context: Any
    ) -> AsyncIterator[pb.ReadKernelspecResourceResponse]:
        if request.resource != "logo-64x64.png":
            raise NotFound("there is no such file")
        for chunk in (b"one", b"two"):
            yield pb.ReadKernelspecResourceResponse(chunk=chunk)

    def _find(self, kernel_id: str) -> kernels_pb2.Kernel:
        if kernel_id not in self.kernels:
            raise NotFound(f"there is no kernel {kernel_id}", reason="NO_SUCH_KERNEL")
        return self.kernels[kernel_id]

    def _next(self) -> int:
        self._revision = next(self._revisions)
        return self._revision

    async def _announce_for_ever(self, targets: tuple[str, ...]) -> None:
        name = credentials.runner_name(self.runner_id)
        issuer = credentials.Issuer(credentials.derive_key(self._key, name), name, "kernels")
        for target in itertools.cycle(targets):
            channel = Channel(target, issuer, Deadlines(by_method={"Announce": None}))
            try:
                await self._announce(channel)
            except grpc.aio.AioRpcError as error:
                self.last_refusal = error
            except asyncio.InvalidStateError:
                pass  # it ended between a look and a word
            finally:
                self.registered.clear()
                await channel.close()
            await asyncio.sleep(0.02)

    async def _announce(self, channel: Channel) -> None:
        stub = runners_pb2_grpc.RunnersServiceStub(channel)  # type: ignore[arg-type]
        call = stub.Announce(wait_for_ready=False)
        self._changed = asyncio.Queue()
        await call.write(self.hello())
        if await call.read() is grpc.aio.EOF:
            return
        self.registered.set()
        ended = asyncio.ensure_future(call.read())
        try:
            while not ended.done():
                await call.write(await self._take())
            ended.result()
        finally:
            ended.cancel()
            call.cancel()

    async def _take(self) -> runners_pb2.AnnounceRequest:
        try:
            async with asyncio.timeout(self.heartbeat_s):
                return await self._changed.get()
        except TimeoutError:
            return runners_pb2.AnnounceRequest(heartbeat=runners_pb2.Heartbeat())
