"""Terminals on two runners, started and found through two replicas of the kernels service."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

import pytest
from perijove_chassis.credentials import RunnerVerifier, derive_key
from perijove_chassis.errors import NotFound, ResourceExhausted, Unavailable
from perijove_kernels.backends.redis import RedisKernelStore
from perijove_kernels.backends.runners import GrpcRunners
from perijove_kernels.model import Hello, Runner
from perijove_kernels.store import Limits
from perijove_kernels.terminals.backends.redis import RedisTerminalNames
from perijove_kernels.terminals.backends.runners import GrpcTerminalRunners
from perijove_kernels.terminals.manager import TerminalManager
from perijove_kernels.terminals.model import Launch
from perijove_runner.terminals.backends.local import LocalTerminals
from perijove_runner.terminals.manager import TerminalManager as HeldTerminals
from perijove_runner.terminals.servicer import terminals_service
from perijove_runner.terminals.settings import TerminalSettings
from perijove_runner.terminals.wire import Writer

from tests.integration.edges import KEY, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

RUNNERS = ("r1", "r2")
SETTINGS = TerminalSettings(shell="sleep 600", most=6)  # noqa: S604 - a command line


class House:
    """Two runners with their terminals, and what routes to them."""

    def __init__(self, directory: Path, url: str) -> None:
        self.held: dict[str, HeldTerminals] = {}
        self.serving: dict[str, contextlib.AsyncExitStack] = {}
        self._directory = directory
        self._url = url

    async def start(self, runner_id: str) -> None:
        address = f"unix:{self._directory}/{runner_id}"
        host = LocalTerminals(
            f"{self._directory}/{runner_id}.d", dict(os.environ), SETTINGS, umask=0o022
        )
        held = self.held[runner_id] = HeldTerminals(host, SETTINGS)
        verifier = RunnerVerifier(runner_id, derive_key(KEY, f"runner/{runner_id}"))
        stack = self.serving[runner_id] = contextlib.AsyncExitStack()
        service = terminals_service(held, Writer(runner_id, address))
        await stack.enter_async_context(serving(service, verifier, address))
        store = RedisKernelStore(self._url, Limits(60.0, 600.0))
        await store.register(Hello(Runner(runner_id, address, 10), (), (), 1), runner_id)
        await store.close()

    async def close(self) -> None:
        for runner_id, held in self.held.items():
            await held.close(keep=False)
            await self.serving[runner_id].aclose()


@pytest.fixture
async def house(tmp_path: Path, redis_url: str) -> AsyncIterator[House]:
    house = House(tmp_path, redis_url)
    for runner_id in RUNNERS:
        await house.start(runner_id)
    yield house
    await house.close()


@pytest.fixture
async def make_replica(
    house: House, redis_url: str
) -> AsyncIterator[Callable[[], TerminalManager]]:
    del house
    async with contextlib.AsyncExitStack() as made:

        def make() -> TerminalManager:
            names, runners = RedisTerminalNames(redis_url, lost_after_s=60.0), GrpcRunners(KEY)
            made.push_async_callback(names.close)
            made.push_async_callback(runners.close)
            return TerminalManager(names, GrpcTerminalRunners(runners))

        yield make


async def test_names_are_given_once_and_runners_share_the_load(
    house: House, make_replica: Callable[[], TerminalManager]
) -> None:
    one, other = make_replica(), make_replica()
    started = await asyncio.gather(*(replica.create(Launch("")) for replica in [one, other] * 5))
    assert sorted(int(terminal.name) for terminal, _ in started) == list(range(1, 11))
    assert all(created for _, created in started)
    assert all(len(held.all()) >= 3 for held in house.held.values())
    listed, _ = await other.all(0, "")
    assert {terminal.name for terminal in listed} == {terminal.name for terminal, _ in started}


async def test_one_that_is_wanted_by_two_is_one(
    house: House, make_replica: Callable[[], TerminalManager]
) -> None:
    one, other = make_replica(), make_replica()
    found = await asyncio.gather(*(replica.create(Launch("moon")) for replica in [one, other] * 3))
    assert len({terminal.terminal_id for terminal, _ in found}) == 1
    assert sum(created for _, created in found) == 1
    assert sum(len(held.all()) for held in house.held.values()) == 1


async def test_a_name_is_free_again_once_its_terminal_is_gone(
    make_replica: Callable[[], TerminalManager],
) -> None:
    one, other = make_replica(), make_replica()
    for replica in (one, other):
        terminal, _ = await replica.create(Launch(""))
        assert terminal.name == "1"
        assert (await other.get("1")).terminal_id == terminal.terminal_id
        await one.delete("1")
        with pytest.raises(NotFound):
            await other.get("1")


async def test_a_runner_that_is_full_is_passed_over_until_all_are(
    make_replica: Callable[[], TerminalManager],
) -> None:
    replica = make_replica()
    for _ in range(2 * SETTINGS.most):
        await replica.create(Launch(""))
    with pytest.raises(ResourceExhausted):
        await replica.create(Launch(""))


async def test_a_list_that_may_lack_something_is_none(
    house: House, make_replica: Callable[[], TerminalManager]
) -> None:
    replica = make_replica()
    await replica.create(Launch("a"))
    await replica.create(Launch("b"))
    away = (await replica.get("a")).runner_id
    await house.serving[away].aclose()
    with pytest.raises(Unavailable):
        await replica.all(0, "")
    assert (await replica.get("b")).name == "b"
