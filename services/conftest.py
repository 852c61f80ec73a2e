"""Redis servers that take a moment to start, once for all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from services.chassis.tests.redis_sets import Cluster, SentinelSet

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def sentinel_set(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelSet]:
    """Run two servers and three sentinels."""
    # Nobody dies here; a busy machine is not to look like it.
    found = SentinelSet(tmp_path_factory.mktemp("sentinels"), patience_s=60)
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Run three servers that share the keys."""
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        found.start()
        yield found
    finally:
        found.stop()
