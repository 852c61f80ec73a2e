"""What is sent to Redis again, because its reply was lost, is done once, and then only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from perijove_kernels.backends.redis import RedisKernelStore
from perijove_kernels.terminals.backends.redis import RedisTerminalNames

from services.chassis.tests.redis_proxy import RedisProxy
from services.kernels.tests.registered import BIG, LONG, changes, hello, kernel, known, runner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def proxy(redis_url: str, tmp_path: Path) -> AsyncIterator[RedisProxy]:
    proxy = RedisProxy(redis_url.removeprefix("unix://"), tmp_path)
    await proxy.start()
    yield proxy
    await proxy.close()


@pytest.fixture
async def store(proxy: RedisProxy) -> AsyncIterator[RedisKernelStore]:
    store = RedisKernelStore(proxy.url, LONG)
    await store.register(hello(kernel("used")), "used")
    await store.remove(kernel("used"), BIG + 1)
    yield store
    await store.close()


@pytest.fixture
async def other(redis_url: str) -> AsyncIterator[RedisKernelStore]:
    other = RedisKernelStore(redis_url, LONG)
    yield other
    await other.close()


async def test_a_runner_that_registered_elsewhere_meanwhile_stays_registered(
    proxy: RedisProxy, store: RedisKernelStore, other: RedisKernelStore
) -> None:
    async def meanwhile() -> None:
        proxy.breaks = 0.0
        await other.register(hello(kernel("k1"), kernel("k2", 5), revision=5), "s2")

    proxy.breaks, proxy.meanwhile = 1.0, meanwhile
    await store.register(hello(kernel("k1")), "s1")
    assert proxy.broken == 1
    assert (await known(other)).keys() == {"k1", "k2"}
    assert await other.apply(runner(), "s2", changes(kernel("k2", 6), revision=6)) == ()


async def test_a_kernel_that_was_started_anew_meanwhile_is_not_removed_again(
    proxy: RedisProxy, store: RedisKernelStore, other: RedisKernelStore
) -> None:
    await store.register(hello(kernel("k1")), "s1")

    async def meanwhile() -> None:
        proxy.breaks = 0.0
        await other.record(kernel("k1", 7))

    proxy.breaks, proxy.meanwhile = 1.0, meanwhile
    await store.remove(kernel("k1"), BIG + 2)
    assert proxy.broken == 1
    assert await known(other) == {"k1": kernel("k1", 7)}


async def test_a_name_of_a_terminal_is_taken_once(
    proxy: RedisProxy, store: RedisKernelStore
) -> None:
    del store
    names = RedisTerminalNames(proxy.url, lost_after_s=60.0)
    turn = (await names.look()).turn
    proxy.breaks = 1.0
    assert await names.take(turn, (), "") == "1"
    assert await names.take(turn, (), "mine") == "mine"
    assert await names.take(turn, (), "") == "2"
    await names.release("mine")
    assert (await names.look()).turn == turn + 1
    assert proxy.broken >= 4
    await names.close()
