"""Replicas of the kernels service, and runners beside them."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

import pytest
from perijove_kernels.backends.memory import MemoryKernelStore
from perijove_kernels.backends.redis import RedisKernelStore
from perijove_kernels.placement import UNLIMITED

from services.chassis.tests.redis_kinds import KINDS, redis_url_of
from services.kernels.tests.fake_runner import FakeRunner
from services.kernels.tests.own_redis import OwnRedis
from services.kernels.tests.registered import LONG
from services.kernels.tests.replicas import KEY, LIMITS, NAMING, Replica, start_replica

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from perijove_kernels.naming import Naming
    from perijove_kernels.placement import Quotas
    from perijove_kernels.store import KernelStore, Limits


@pytest.fixture
async def make_replica(tmp_path: Path, redis_url: str) -> AsyncIterator[Callable[..., Any]]:
    made: list[Replica] = []
    numbers = itertools.count()

    async def make(
        url: str = redis_url,
        limits: Limits = LIMITS,
        quotas: Quotas = UNLIMITED,
        naming: Naming = NAMING,
    ) -> Replica:
        target = f"unix:{tmp_path}/k{next(numbers)}.sock"
        made.append(
            await start_replica(
                target,
                RedisKernelStore(url, limits, quotas),
                limits,
                quotas=quotas,
                naming=naming,
            )
        )
        return made[-1]

    yield make
    for replica in made:
        await replica.close()


@pytest.fixture
async def make_runner(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    made: list[FakeRunner] = []

    async def make(runner_id: str, *targets: str, **options: Any) -> FakeRunner:
        runner = FakeRunner(runner_id, tmp_path, KEY, **options)
        made.append(runner)
        await runner.serve()
        if targets:
            runner.announce_to(*targets)
            async with asyncio.timeout(20):
                await runner.registered.wait()
        return runner

    yield make
    for runner in made:
        await runner.close()


@pytest.fixture
async def own_redis(tmp_path: Path) -> AsyncIterator[OwnRedis]:
    own = OwnRedis(tmp_path)
    await own.start()
    yield own
    own.kill()


@pytest.fixture(params=["memory", *KINDS])
async def make_store(
    request: pytest.FixtureRequest,
) -> AsyncIterator[Callable[[Limits], KernelStore]]:
    if request.param == "memory":
        yield MemoryKernelStore
        return
    made: list[RedisKernelStore] = []
    async with redis_url_of(request.param, request, "kernels") as url:

        def make(limits: Limits) -> KernelStore:
            made.append(RedisKernelStore(url, limits))
            return made[-1]

        yield make
        for store in made:
            await store.close()


@pytest.fixture
async def store(make_store: Callable[[Limits], KernelStore]) -> KernelStore:
    store = make_store(LONG)
    await store.sweep()
    return store
