"""The kernels service, as whoever looks after it calls it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

import grpc
from perijove.kernels.v1 import kernels_pb2, kernels_pb2_grpc
from perijove.runners.v1 import runners_pb2, runners_pb2_grpc
from perijove_local.terminal import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEADLINE_S = 15.0


class Pool:
    """The runners and kernels of one server."""

    def __init__(self, target: str, token: str) -> None:
        self._channel = grpc.aio.insecure_channel(target)
        self._runners: Any = runners_pb2_grpc.RunnersServiceStub(self._channel)
        self._kernels: Any = kernels_pb2_grpc.KernelsServiceStub(self._channel)
        self._extras = {
            "metadata": (("authorization", f"Bearer {token}"),),
            "timeout": _DEADLINE_S,
        }

    async def __aenter__(self) -> Self:
        """Return this."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connection."""
        await self._channel.close()

    async def runners(self) -> tuple[list[runners_pb2.RunnerStatus], int]:
        """Return all runners in order of their ids, and how many wait for a place on them.

        Raises:
            Failure: if the call fails; so do the others.
        """
        found: list[runners_pb2.RunnerStatus] = []
        token = ""
        while True:
            request = runners_pb2.ListRunnersRequest(page_token=token)
            with _failing():
                reply = await self._runners.ListRunners(request, **self._extras)
            found.extend(reply.runners)
            token = reply.next_page_token
            if not token:
                return found, reply.waiting_count

    async def kernels(self) -> list[kernels_pb2.Kernel]:
        """Return all kernels in order of their start."""
        found: list[kernels_pb2.Kernel] = []
        token = ""
        while True:
            request = kernels_pb2.ListKernelsRequest(page_token=token)
            with _failing():
                reply = await self._kernels.ListKernels(request, **self._extras)
            found.extend(reply.kernels)
            token = reply.next_page_token
            if not token:
                return found

    async def drain(
        self, runner_id: str, reason: str, within_s: float | None
    ) -> runners_pb2.Runner:
        """Have a runner take nothing new, and leave."""
        request = runners_pb2.DrainRunnerRequest(runner_id=runner_id, reason=reason)
        if within_s is not None:
            request.within.FromTimedelta(timedelta(seconds=within_s))
        with _failing():
            reply = await self._runners.DrainRunner(request, **self._extras)
        runner: runners_pb2.Runner = reply.runner
        return runner

    async def undrain(self, runner_id: str) -> None:
        """Have a runner take kernels again."""
        request = runners_pb2.UndrainRunnerRequest(runner_id=runner_id)
        with _failing():
            await self._runners.UndrainRunner(request, **self._extras)


@contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise Failure(error.details() or error.code().name) from error
