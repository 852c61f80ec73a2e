"""Fixtures: kernels of several implementations, each held to the same tests."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import grpc
import pytest

from tests.integration.any_kernel.implementations import IMPLEMENTATIONS, LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.executions import Program
    from tests.integration.any_kernel.implementations import Implementation
    from tests.jupyter_ws import JupyterClient, KernelSocket


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with every kernel that can do what it is about."""
    if "implementation" in metafunc.fixturenames:
        test = metafunc.definition.originalname
        able = [found for found in IMPLEMENTATIONS if (found.kernelspec, test) not in LEFT_OUT]
        metafunc.parametrize("implementation", able, ids=lambda found: found.kernelspec)


@pytest.fixture
async def kernel_id(program: Program, implementation: Implementation) -> AsyncIterator[str]:
    kernel_id = await program.start_kernel(implementation.kernelspec)
    yield kernel_id
    with suppress(grpc.aio.AioRpcError):  # a test may have shut it down
        await program.shutdown(kernel_id)


@pytest.fixture
async def kernel(jupyter: JupyterClient, kernel_id: str) -> AsyncIterator[KernelSocket]:
    async with jupyter.kernel(kernel_id) as kernel:
        yield kernel
