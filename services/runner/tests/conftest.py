"""Fixtures: runners below their manager, and runners as processes."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from services.runner.tests.house import House
from services.runner.tests.stand import Stand


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
