"""More runners for a running Perijove, on the same machine."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import psutil
from perijove.runners.v1 import runners_pb2 as pb
from perijove.runners.v1 import runners_pb2_grpc
from perijove_chassis.credentials import derive_key, runner_name
from perijove_chassis.settings import Secret

from tests.bench.servers import PERIJOVE, HttpServer

_START_S = _STOP_S = 30.0
_PREFIX = "PERIJOVE_RUNNER_"


@asynccontextmanager
async def more_runners(server: HttpServer, number: int) -> AsyncIterator[None]:
    """Run so many more; none for a server that has no runners."""
    started = []
    try:
        if server.name == PERIJOVE:
            started = [_start(server, index) for index in range(number)]
            await _until_announced(server, number)
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
        "LISTEN": f"unix:{server.root_dir.with_name(f'{runner_id}.sock')}",
        "SERVICE_KEY": derive_key(master, runner_name(runner_id)).hex(),
        "METRICS_LISTEN": "",
        "WARM": "",
    }
    environment |= {f"{_PREFIX}{name}": value for name, value in told.items()}
    command = [sys.executable, "-m", "perijove_runner.supervisor"]
    return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)


def _environment(server: HttpServer, module: str) -> dict[str, str]:
    for process in psutil.Process(server.pid).children(recursive=True):
        if process.cmdline()[-1:] == [module]:
            return process.environ()
    raise RuntimeError(f"{module} does not run")


async def _until_announced(server: HttpServer, number: int) -> None:
    """Wait until so many runners are live, beside the one that was there."""
    target = _environment(server, "perijove_kernels")["PERIJOVE_KERNELS_LISTEN"]
    metadata = [("authorization", f"token {server.token}")]
    async with asyncio.timeout(_START_S), grpc.aio.insecure_channel(target) as channel:
        stub = runners_pb2_grpc.RunnersServiceStub(channel)  # type: ignore[call-overload]
        live = 0
        while live <= number:
            await asyncio.sleep(0.1)
            listed = await stub.ListRunners(pb.ListRunnersRequest(), metadata=metadata)
            live = sum(one.state == pb.RUNNER_STATE_LIVE for one in listed.runners)
