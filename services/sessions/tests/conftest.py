"""Sessions over real Redis, the real kernels service, and a runner without kernels."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from perijove_kernels.backends.redis import RedisKernelStore
from perijove_kernels.store import Limits
from perijove_sessions.backends.redis import RedisSessionStore

from services.kernels.tests import replicas as kernels_replicas
from services.kernels.tests.fake_runner import FakeRunner
from services.sessions.tests.replicas import KEY, Replica, serve_contents, start_replica

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

LIMITS = Limits(lost_after_s=1.0, forget_after_s=600.0)


@dataclass
class World:
    """One kernels service with a runner, a contents, and any number of sessions services."""

    folder: Path
    redis_url: str
    kernels: kernels_replicas.Replica
    runner: FakeRunner
    contents_target: str
    stack: AsyncExitStack
    numbers: itertools.count[int]

    async def sessions(self, url: str = "", hold_s: float = 120.0) -> Replica:
        """Start another replica of the sessions service."""
        target = f"unix:{self.folder}/s{next(self.numbers)}.sock"
        store = RedisSessionStore(url or self.redis_url, hold_s)
        replica = await start_replica(target, store, self.kernels.target, self.contents_target)
        self.stack.push_async_callback(replica.close)
        return replica

    async def start_kernels(self) -> None:
        """Start the kernels service, again if it was stopped."""
        store = RedisKernelStore(self.redis_url, LIMITS)
        target = f"unix:{self.folder}/kernels.sock"
        self.kernels = await kernels_replicas.start_replica(target, store, LIMITS)

    async def settled(self) -> None:
        """Wait until the registry knows that it is complete."""

        async def complete() -> bool:
            from perijove.kernels.v1 import kernels_pb2

            reply = await self.kernels.kernels.ListKernels(kernels_pb2.ListKernelsRequest())
            return not reply.incomplete

        await kernels_replicas.until(complete)


@pytest.fixture
async def world(tmp_path: Path, redis_url: str) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        target = f"unix:{tmp_path}/contents.sock"
        contents = await serve_contents(target)
        stack.push_async_callback(contents.stop, 0)
        runner = FakeRunner("r1", tmp_path, KEY, capacity=100)
        nothing: Any = None
        world = World(tmp_path, redis_url, nothing, runner, target, stack, itertools.count())
        await world.start_kernels()
        stack.push_async_callback(lambda: world.kernels.close())  # noqa: PLW0108 - the last one
        await runner.serve()
        stack.push_async_callback(runner.close)
        runner.announce_to(world.kernels.target)
        async with asyncio.timeout(20):
            await runner.registered.wait()
        yield world


@pytest.fixture
async def replica(world: World) -> Replica:
    return await world.sessions()
