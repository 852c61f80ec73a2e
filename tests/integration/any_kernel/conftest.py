"""Fixtures: kernels of several implementations, each held to the same tests."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest

from tests.integration.any_kernel.implementations import IMPLEMENTATIONS, LEFT_OUT
from tests.running import GENEROUS_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.executions import Program
    from tests.integration.any_kernel.implementations import Implementation
    from tests.jupyter_ws import JupyterClient, KernelSocket
    from tests.running import RunningPerijove

ENVIRONMENT = Path(sys.prefix, "kernels")
"""Where kernels are that only tests use; `make integration` makes it."""
ASYNC = {
    "argv": [
        str(ENVIRONMENT / "bin" / "python"),
        *("-m", "async_kernel", "start", "--connection_file={connection_file}", "--name=async"),
    ],
    "display_name": "Python 3 (async)",
    "language": "python",
    "interrupt_mode": "message",
    "metadata": {"debugger": True, "concurrent": True},
}
"""As async-kernel writes it, with the interpreter named."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with every kernel that can do what it is about."""
    if "implementation" in metafunc.fixturenames:
        test = metafunc.definition.originalname
        able = [found for found in IMPLEMENTATIONS if (found.kernelspec, test) not in LEFT_OUT]
        metafunc.parametrize("implementation", able, ids=lambda found: found.kernelspec)


@pytest.fixture(autouse=True)
async def _listed(_installed: None, jupyter: JupyterClient) -> None:
    async with asyncio.timeout(GENEROUS_S):
        while "async" not in (await jupyter.call("GET", "api/kernelspecs"))["kernelspecs"]:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


@pytest.fixture
def _installed(shared_perijove: RunningPerijove) -> None:
    assert ENVIRONMENT.exists(), "`make integration` makes the environment of this kernel"
    folder = Path(shared_perijove.home.environment["JUPYTER_DATA_DIR"], "kernels", "async")
    if not folder.exists():
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(json.dumps(ASYNC))


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
