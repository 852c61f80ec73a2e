"""More runners for a running Perijove, on the same machine."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
from perijove_chassis.credentials import derive_key, runner_name
from perijove_chassis.settings import Secret

from tests.bench.servers import PERIJOVE, HttpServer

_STOP_S = 30.0
_PREFIX = "PERIJOVE_RUNNER_"


@asynccontextmanager
async def more_runners(server: HttpServer, number: int) -> AsyncIterator[None]:
    """Run so many more; none for a server that has no runners."""
    started = []
    try:
        if server.name == PERIJOVE:
            started = [_start(server, index) for index in range(number)]
            await _until_they_listen(server, number)
        yield
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            await asyncio.to_thread(process.wait, _STOP_S)


def _start(server: HttpServer, index: int) -> subprocess.Popen[bytes]:
    environment = _environment(server, "perijove_runner.supervisor")
    master = Secret(_environment(server, "perijove_kernels")["PERIJOVE_KERNELS_SERVICE_KEY"])
    runner_id = f"more-{index}"
    state = Path(environment[f"{_PREFIX}STATE_DIR"]).with_name(runner_id)
    state.mkdir(mode=0o700, exist_ok=True)
    told = {
        "ID": runner_id,
        "STATE_DIR": str(state),
        "LISTEN": f"unix:{_socket(server, index)}",
        "SERVICE_KEY": derive_key(master, runner_name(runner_id)).hex(),
        "METRICS_LISTEN": "",
        "WARM": "",
    }
    environment |= {f"{_PREFIX}{name}": value for name, value in told.items()}
    command = [sys.executable, "-m", "perijove_runner.supervisor"]
    return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)


def _socket(server: HttpServer, index: int) -> Path:
    return server.root_dir.with_name(f"more-{index}.sock")


def _environment(server: HttpServer, module: str) -> dict[str, str]:
    for process in psutil.Process(server.pid).children(recursive=True):
        if process.cmdline()[-1:] == [module]:
            return process.environ()
    raise RuntimeError(f"{module} does not run")


async def _until_they_listen(server: HttpServer, number: int) -> None:
    for index in range(number):
        while not os.path.exists(_socket(server, index)):  # noqa: ASYNC110, ASYNC240, PTH110
            await asyncio.sleep(0.1)
    # And are announced.
    await asyncio.sleep(1.0)
