"""Makes this runner known to the kernels service, and keeps it up to date."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import grpc
import structlog
from perijove.runners.v1 import runners_pb2 as pb
from perijove.runners.v1 import runners_pb2_grpc as pb_grpc
from perijove_chassis import tls
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.credentials import Issuer, runner_name

from perijove_runner import wire

if TYPE_CHECKING:
    from perijove_runner.changes import ChangeFeed, Changes
    from perijove_runner.draining import Draining
    from perijove_runner.manager import KernelManager
    from perijove_runner.settings import RunnerSettings

log = structlog.get_logger()

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_REGISTER_S = 10.0
_HEARTBEATS_PER_LOSS = 3.0


class Announcer:
    """Holds one `Announce` stream, to any of several targets, for as long as it runs."""

    def __init__(
        self,
        settings: RunnerSettings,
        writer: wire.Writer,
        manager: KernelManager[Any],
        feed: ChangeFeed,
        draining: Draining,
    ) -> None:
        name = runner_name(settings.id)
        issuer = Issuer(settings.key(), issuer=name, audience="kernels")
        deadlines = Deadlines(by_method={"Announce": None})
        dialing = tls.dialing(settings)
        self._channels = [
            Channel(target, issuer, deadlines, tls=dialing) for target in settings.targets()
        ]
        self._runner = pb.Runner(
            runner_id=settings.id,
            address=settings.address(),
            capacity=settings.capacity,
            labels=settings.runner_labels(),
        )
        self._writer = writer
        self._manager = manager
        self._feed = feed
        self._draining = draining
        self.left = asyncio.Event()
        """Set once it was told that the runner leaves."""
        self._registered = False
        self._said_goodbye = False
        self._known = asyncio.Event()

    async def known(self) -> None:
        """Return once the runner was registered for the first time, so that it is of use."""
        await self._known.wait()

    async def run(self) -> None:
        """Announce until cancelled; a stream that breaks is replaced by one to the next target."""
        try:
            await self._announce_for_ever()
        finally:
            for channel in self._channels:
                await channel.close()

    async def _announce_for_ever(self) -> None:
        attempt = 0
        while self._channels and not self.left.is_set():
            channel = self._channels[attempt % len(self._channels)]
            self._registered = False
            try:
                await self._announce(pb_grpc.RunnersServiceStub(channel))  # type: ignore[call-overload]
            except (grpc.RpcError, TimeoutError) as error:
                code = error.code().name if isinstance(error, grpc.aio.AioRpcError) else "TIMEOUT"
                log.warning("announcement ended", code=code)
            attempt = 1 if self._registered else attempt + 1
            pause = min(_FIRST_PAUSE_S * 2 ** min(attempt - 1, 10), _LONGEST_PAUSE_S)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - only spreads load

    async def _announce(self, stub: pb_grpc.RunnersServiceAsyncStub) -> None:
        call = stub.Announce(wait_for_ready=False)
        try:
            async with asyncio.timeout(_REGISTER_S):
                await call.write(pb.AnnounceRequest(hello=self._hello()))
                reply = await call.read()
            if not isinstance(reply, pb.AnnounceResponse):
                return
            self._registered = True
            self._said_goodbye = False
            self._known.set()
            log.info("announced", lost_after_s=reply.registered.lost_after_s)
            heartbeat_s = max(reply.registered.lost_after_s, 1.0) / _HEARTBEATS_PER_LOSS
            await self._tell_until_ended(call, heartbeat_s)
            if self._said_goodbye:
                self.left.set()
        finally:
            call.cancel()

    async def _tell_until_ended(self, call: grpc.aio.StreamStreamCall, heartbeat_s: float) -> None:
        # The service says nothing more: what can be read is the end of the stream.
        ended = asyncio.ensure_future(call.read())
        telling = asyncio.ensure_future(self._tell(call, heartbeat_s))
        try:
            await asyncio.wait({ended, telling}, return_when=asyncio.FIRST_COMPLETED)
            if telling.done():
                telling.result()
            # Whoever tells may notice the end first; why it ended, only the read knows.
            await ended
        finally:
            ended.cancel()
            telling.cancel()
            # Both: one that lived on would take the next stream's changes.
            await asyncio.gather(ended, telling, return_exceptions=True)

    async def _tell(self, call: grpc.aio.StreamStreamCall, heartbeat_s: float) -> None:
        """Tell what changes until the stream has ended."""
        while not call.done() and not self._said_goodbye:
            changes = await self._feed.take(heartbeat_s)
            for request in self._requests(changes):
                if call.done():
                    return
                async with asyncio.timeout(_REGISTER_S):
                    await call.write(request)
                self._said_goodbye = request.HasField("goodbye")

    def _hello(self) -> pb.Hello:
        self._feed.begin()
        kernels, revision = self._manager.kernels()
        return pb.Hello(
            runner=self._described(),
            kernelspecs=map(wire.kernelspec_to_proto, self._manager.kernelspecs()),
            kernels=map(self._writer.kernel, kernels),
            revision=revision,
        )

    def _described(self) -> pb.Runner:
        if drain := self._draining.drain:
            self._runner.drain.CopyFrom(wire.drain_to_proto(drain))
        else:
            self._runner.ClearField("drain")
        return self._runner

    def _requests(self, changes: Changes) -> list[pb.AnnounceRequest]:
        if not changes:
            return [pb.AnnounceRequest(heartbeat=pb.Heartbeat())]
        requests = []
        if changes.runner:
            moved = pb.RunnerChanged(runner=self._described())
            requests.append(pb.AnnounceRequest(runner_changed=moved))
        if changes.kernelspecs:
            specs = map(wire.kernelspec_to_proto, self._manager.kernelspecs())
            changed = pb.KernelspecsChanged(kernelspecs=specs)
            requests.append(pb.AnnounceRequest(kernelspecs_changed=changed))
        found = {i: kernel for i in changes.kernel_ids if (kernel := self._manager.find(i))}
        # One that was launched anew under its id is not gone.
        gone = [kernel for kernel in changes.gone if not self._manager.find(kernel.kernel_id)]
        # How a kernel ended is told first, that it is gone after that.
        if told := [*gone, *found.values()]:
            kernels = map(self._writer.kernel, told)
            requests.append(self._changed(pb.KernelsChanged(kernels=kernels)))
        if gone:
            ids = [kernel.kernel_id for kernel in gone]
            requests.append(self._changed(pb.KernelsChanged(gone_kernel_ids=ids)))
        if changes.leaving:
            requests.append(pb.AnnounceRequest(goodbye=pb.Goodbye()))
        return requests

    def _changed(self, changed: pb.KernelsChanged) -> pb.AnnounceRequest:
        changed.revision = self._manager.revision()
        return pb.AnnounceRequest(kernels_changed=changed)
