"""Quotas hold under a storm at all replicas, and what is killed makes room."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from typing import TYPE_CHECKING, Any

import grpc
import psutil
import pytest
from perijove.kernels.v1 import kernels_pb2 as pb
from perijove.kernels.v1 import kernels_pb2_grpc
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.credentials import Issuer, derive_key
from perijove_chassis.settings import Secret
from perijove_chassis.users import user

from tests.bench import echo_kernel
from tests.chaos.deployment import Deployment, add_echo_kernel
from tests.jupyter_ws import JupyterClient
from tests.running import Home, command_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    import aiohttp
    from yarl import URL

    from tests.conftest import StartPerijove

CALLERS = 200
IN_ALL, OF_ONE = 100, 40
USERS = ("ada", "grace", "mary", "emmy", "hedy")


@pytest.fixture
def deployment(
    tmp_path_factory: pytest.TempPathFactory, start_perijove: StartPerijove
) -> Iterator[Deployment]:
    home = Home(tmp_path_factory.mktemp("home"))
    add_echo_kernel(home)
    limits = ("--max-kernels", str(IN_ALL), "--max-kernels-per-user", str(OF_ONE))
    perijove = start_perijove(
        *limits,
        home=home,
        PERIJOVE_RUNNER_AUTORESTART="false",
        PERIJOVE_KERNELS_LOST_AFTER_S="4",
        PERIJOVE_KERNELS_FORGET_AFTER_S="8",
    )
    deployment = Deployment(perijove)
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.stop()


class Callers:
    """Calls the kernels services as a service does, for any user."""

    def __init__(self, deployment: Deployment) -> None:
        perijove = deployment.perijove
        environment = psutil.Process(perijove.pid("kernels")).environ()
        key = derive_key(Secret(environment["PERIJOVE_KERNELS_SERVICE_KEY"]), "kernels")
        targets = [perijove.target("kernels")]
        targets += [f"unix:{perijove.runtime_dir}/kernels-{number}.sock" for number in (2, 3)]
        issuer = Issuer(key, "gateway_http", "kernels")
        self._channels = [Channel(target, issuer, Deadlines(120.0)) for target in targets]
        self._stubs: list[Any] = [
            kernels_pb2_grpc.KernelsServiceStub(channel)  # type: ignore[arg-type]
            for channel in self._channels
        ]

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close()

    async def start(self, number: int, name: str) -> str:
        """Start a kernel, and return who has it, or the code of the refusal."""
        user.set(name)
        stub = self._stubs[number % len(self._stubs)]
        try:
            await stub.StartKernel(pb.StartKernelRequest(kernelspec_name="echo"))
        except grpc.aio.AioRpcError as error:
            return error.code().name
        return name

    async def storm(self, *names: str) -> Counter[str]:
        calls = (self.start(number, names[number % len(names)]) for number in range(CALLERS))
        return Counter(await asyncio.gather(*calls))

    async def kernels(self) -> list[pb.Kernel]:
        reply = await self._stubs[0].ListKernels(pb.ListKernelsRequest())
        return list(reply.kernels)

    async def until_there_are(self, number: int) -> None:
        async with asyncio.timeout(90):
            while len(await self.kernels()) != number:  # noqa: ASYNC110 - of other processes
                await asyncio.sleep(0.05)


@pytest.fixture
async def callers(deployment: Deployment) -> AsyncIterator[Callers]:
    callers = Callers(deployment)
    yield callers
    await callers.close()


def echo_processes(runtime: Path) -> dict[str, psutil.Process]:
    """Return the processes of kernels by their connection files."""
    found = {}
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if echo_kernel.__file__ in words and str(runtime) in words[-1]:
            found[words[-1]] = process
    return found


def kill_runner(runtime: Path, number: int) -> int:
    """Kill a runner, its supervisor and its kernels; return how many it had."""
    state = str(runtime / f"runner-{number}")
    below = [p for path, p in echo_processes(runtime).items() if path.startswith(f"{state}/")]
    (supervisor,) = (
        process
        for process in psutil.Process().children()
        if process.is_running()
        and "perijove_runner.supervisor" in command_line(process)
        and process.environ().get("PERIJOVE_RUNNER_STATE_DIR") == state
    )
    # First, so that nobody starts or reaps what follows.
    supervisor.send_signal(signal.SIGSTOP)
    for process in [*supervisor.children(), *below, supervisor]:
        process.kill()
    return len(below)


async def post(http: aiohttp.ClientSession, url: URL) -> tuple[int, Any]:
    async with http.post(url / "api/kernels", json={"name": "echo"}) as answer:
        return answer.status, await answer.json()


async def test_just_as_many_start_as_there_may_be_and_what_is_killed_makes_room(
    deployment: Deployment, callers: Callers
) -> None:
    runtime = deployment.perijove.runtime_dir
    async with JupyterClient.http(deployment.perijove.token) as http:
        answers = await asyncio.gather(
            *(post(http, deployment.urls[n % len(deployment.urls)]) for n in range(CALLERS))
        )
    assert Counter(status for status, _ in answers) == {201: OF_ONE, 429: CALLERS - OF_ONE}
    said = {body["message"] for status, body in answers if status == 429}
    assert said == {f"you have {OF_ONE} kernels, as many as one may have: shut one down first"}

    outcomes = await callers.storm(*USERS)
    assert outcomes.pop("RESOURCE_EXHAUSTED") == CALLERS - (IN_ALL - OF_ONE)
    assert outcomes.total() == IN_ALL - OF_ONE
    assert set(outcomes) <= set(USERS)
    assert max(outcomes.values()) <= OF_ONE
    assert len(await callers.kernels()) == IN_ALL
    assert len(echo_processes(runtime)) == IN_ALL

    killed = list(echo_processes(runtime).values())[::10]
    for process in killed:
        os.kill(process.pid, signal.SIGKILL)
    await callers.until_there_are(IN_ALL - len(killed))
    assert (await callers.storm("zoe"))["zoe"] == len(killed)

    held = await asyncio.to_thread(kill_runner, runtime, 2)
    assert held
    assert (await callers.start(0, "yoko")) == "RESOURCE_EXHAUSTED"  # it may return with them
    await callers.until_there_are(IN_ALL - held)
    assert (await callers.storm("yoko"))["yoko"] == min(held, OF_ONE)
