"""Runners and kernels that are announced only: no process stands behind them."""

import asyncio
import itertools
import json
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import psutil
from perijove.kernels.v1 import kernels_pb2, kernelspecs_pb2
from perijove.runners.v1 import runners_pb2, runners_pb2_grpc
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.credentials import Issuer, derive_key, runner_name
from perijove_chassis.settings import Secret

from tests.bench.servers import NAMES_ONLY_KERNEL, HttpServer

RUNNERS = 50
_HEARTBEAT_S = 3.0
_NAMES = uuid.uuid5(uuid.NAMESPACE_DNS, "bench.perijove")


@asynccontextmanager
async def kernels(server: HttpServer, number: int) -> AsyncIterator[None]:
    """Announce kernels, each with a session, of as many as fifty runners.

    They are the same at every call, and as many more as there are asked for.
    """
    environment = _environment_of_kernels_service(server)
    key = Secret(environment["PERIJOVE_KERNELS_SERVICE_KEY"])
    target = environment["PERIJOVE_KERNELS_LISTEN"]
    everything = [_kernel(index) for index in range(number)]
    telling = []
    registered: asyncio.Queue[None] = asyncio.Queue()
    try:
        for index in range(min(RUNNERS, number)):
            runner_id = f"announced-{index}"
            announcing = _announce(target, key, runner_id, everything[index::RUNNERS], registered)
            telling.append(asyncio.create_task(announcing))
        for _ in telling:
            await registered.get()
        yield
    finally:
        for task in telling:
            task.cancel()
        await asyncio.gather(*telling, return_exceptions=True)


def _environment_of_kernels_service(server: HttpServer) -> dict[str, str]:
    for process in psutil.Process(server.pid).children(recursive=True):
        if process.cmdline()[-1:] == ["perijove_kernels"]:
            return process.environ()
    raise RuntimeError("there is no kernels service")


def _kernel(index: int) -> kernels_pb2.Kernel:
    path = f"{index}.ipynb"
    note = json.dumps({"path": path, "type": "notebook", "name": path})
    kernel = kernels_pb2.Kernel(
        kernel_id=str(uuid.uuid5(_NAMES, f"kernel {index}")),
        kernelspec_name=NAMES_ONLY_KERNEL,
        execution_state=kernels_pb2.EXECUTION_STATE_IDLE,
        epoch=1,
        revision=1,
        labels={f"perijove.session.{uuid.uuid5(_NAMES, f'session {index}')}": note},
    )
    kernel.create_time.GetCurrentTime()
    kernel.last_activity_time.GetCurrentTime()
    return kernel


async def _announce(
    target: str,
    key: Secret,
    runner_id: str,
    held: Iterable[kernels_pb2.Kernel],
    registered: asyncio.Queue[None],
) -> None:
    name = runner_name(runner_id)
    issuer = Issuer(derive_key(key, name), issuer=name, audience="kernels")
    channel = Channel(target, issuer, Deadlines(by_method={"Announce": None}))
    stub = runners_pb2_grpc.RunnersServiceStub(channel)  # type: ignore[call-overload]
    call = stub.Announce()
    try:
        runner = runners_pb2.Runner(
            runner_id=runner_id, address=f"unix:/nowhere/{runner_id}", capacity=100
        )
        spec = kernelspecs_pb2.Kernelspec(
            name=NAMES_ONLY_KERNEL, display_name="x", language="x", argv=["x"]
        )
        hello = runners_pb2.Hello(
            runner=runner, kernelspecs=[spec], kernels=held, revision=time.time_ns()
        )
        await call.write(runners_pb2.AnnounceRequest(hello=hello))
        await call.read()
        registered.put_nowait(None)
        for _ in itertools.count():
            await asyncio.sleep(_HEARTBEAT_S)
            heartbeat = runners_pb2.Heartbeat()
            await call.write(runners_pb2.AnnounceRequest(heartbeat=heartbeat))
    finally:
        call.cancel()
        await channel.close()
