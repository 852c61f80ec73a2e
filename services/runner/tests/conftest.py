"""Fixtures: relays, runners below their manager, and runners as processes."""

import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from perijove_runner.relay import KernelRelay

from services.runner.tests.house import House
from services.runner.tests.stand import Stand
from services.runner.tests.streams import guarded_always
from tests.relays import Client, IpyKernel, connected, relay_of, served


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pj") as directory:
        yield Path(directory)


@pytest.fixture
async def house(directory: Path) -> AsyncIterator[House]:
    house = House(directory)
    registry = await house.serve_registry()
    house.supervisor = await house.start()
    yield house
    if house.supervisor.returncode is None:
        house.supervisor.terminate()
    await house.supervisor.wait()
    await house.channel.close()
    await registry.stop(0)


@pytest.fixture
async def stand(directory: Path) -> AsyncIterator[Stand]:
    stand = Stand(directory, dict(os.environ))
    await stand.machine.look()
    yield stand
    await stand.close()


@pytest.fixture
def kernel() -> Iterator[IpyKernel]:
    kernel = IpyKernel()
    kernel.start()
    yield kernel
    kernel.remove()


@pytest.fixture
async def relay(kernel: IpyKernel) -> AsyncIterator[KernelRelay]:
    async with relay_of(kernel) as relay:
        yield relay


@pytest.fixture
async def connect(relay: KernelRelay) -> AsyncIterator[Callable[[str], Client]]:
    async with (
        served(relay, interceptors=guarded_always()) as address,
        connected(address) as connect,
    ):
        yield connect
