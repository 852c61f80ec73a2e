"""A supervised runner and the registry it announces itself to."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import psutil
from jupyter_client import AsyncKernelClient
from perijove.kernels.v1 import channels_pb2, channels_pb2_grpc, kernels_pb2
from perijove.runners.v1 import runner_pb2 as pb
from perijove.runners.v1 import runner_pb2_grpc, runners_pb2, runners_pb2_grpc
from perijove_chassis import credentials, server, telemetry
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.credentials import PrincipalKind, derive_key
from perijove_chassis.settings import Secret
from prometheus_client import CollectorRegistry

from services.runner.tests.stand import with_argument
from tests.running import wait_for

KEY = Secret("k" * 32)
RUNNER_KEY = derive_key(KEY, "runner/r1")


class Registry(runners_pb2_grpc.RunnersServiceServicer):
    """A kernels service as far as runners know it."""

    def __init__(self) -> None:
        self.hellos: list[runners_pb2.Hello] = []
        self.heartbeats = 0
        self.kernelspecs: list[str] = []
        self.kernels: dict[str, kernels_pb2.Kernel] = {}
        self.told: list[str] = []
        self.revision = 0
        self.hang_up = asyncio.Event()
        self.runner = runners_pb2.Runner()
        self.said_goodbye = False
        self.last = kernels_pb2.Kernel()

    async def Announce(self, requests: Any, context: Any) -> Any:
        async for request in requests:
            self._take(request)
            if request.HasField("hello"):
                registered = runners_pb2.Registered(lost_after_s=1.0)
                await context.write(runners_pb2.AnnounceResponse(registered=registered))
            if self.said_goodbye:
                return
            if self.hang_up.is_set():
                self.hang_up.clear()
                await context.abort(grpc.StatusCode.UNAVAILABLE, "bye")

    def _take(self, request: runners_pb2.AnnounceRequest) -> None:
        match request.WhichOneof("payload"):
            case "hello":
                assert server.principal.get().name == request.hello.runner.runner_id
                self.hellos.append(request.hello)
                self.runner = request.hello.runner
                self.kernels = {}
                self._put(request.hello.kernels, request.hello.revision)
                self.kernelspecs = [spec.name for spec in request.hello.kernelspecs]
            case "kernels_changed":
                self._put(request.kernels_changed.kernels, request.kernels_changed.revision)
                for kernel_id in request.kernels_changed.gone_kernel_ids:
                    self.last = self.kernels.pop(kernel_id)
                    self.told.append(f"gone {self.last.epoch}")
            case "kernelspecs_changed":
                specs = request.kernelspecs_changed.kernelspecs
                self.kernelspecs = [spec.name for spec in specs]
            case "runner_changed":
                self.runner = request.runner_changed.runner
            case "goodbye":
                self.said_goodbye = True
            case "heartbeat":
                self.heartbeats += 1

    def _put(self, kernels: Any, revision: int) -> None:
        for kernel in kernels:
            assert self.revision < kernel.revision <= revision
            self.kernels[kernel.kernel_id] = kernel
            self.told.append(kernels_pb2.ExecutionState.Name(kernel.execution_state)[16:])
        self.revision = revision


class House:
    """A supervised runner and the registry it announces itself to."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.registry = Registry()
        self.supervisor: asyncio.subprocess.Process
        self.log = directory / "log"
        self.environ = {
            **os.environ,
            "PERIJOVE_RUNNER_ID": "r1",
            "PERIJOVE_RUNNER_LISTEN": f"unix:{directory}/r.sock",
            "PERIJOVE_RUNNER_SERVICE_KEY": RUNNER_KEY.hex(),
            "PERIJOVE_RUNNER_STATE_DIR": f"{directory}/s",
            "PERIJOVE_RUNNER_KERNELS": f"unix:{directory}/none.sock, unix:{directory}/k.sock",
            "PERIJOVE_RUNNER_CAPACITY": "2",
            "JUPYTER_PATH": f"{directory}/jupyter",
        }
        issuer = credentials.Issuer(RUNNER_KEY, "kernels", "runner/r1")
        self.channel = Channel(f"unix:{directory}/r.sock", issuer, Deadlines(default_s=90))
        self.stub: Any = runner_pb2_grpc.RunnerServiceStub(self.channel)  # type: ignore[call-overload]

    async def serve_registry(self) -> grpc.aio.Server:
        def register(grpc_server: grpc.aio.Server) -> None:
            runners_pb2_grpc.add_RunnersServiceServicer_to_server(self.registry, grpc_server)

        name = runners_pb2.DESCRIPTOR.services_by_name["RunnersService"].full_name
        service = server.Service(name, register, frozenset({PrincipalKind.RUNNER}))
        verifier = credentials.Verifier("kernels", service_key=KEY, api_token=Secret(""))
        guard = server.Guard(verifier, [service], telemetry.CallMetrics(CollectorRegistry()))
        grpc_server = grpc.aio.server(interceptors=(guard,))
        register(grpc_server)
        grpc_server.add_insecure_port(f"unix:{self.directory}/k.sock")
        await grpc_server.start()
        return grpc_server

    async def start(self, **settings: str) -> asyncio.subprocess.Process:
        more = {f"PERIJOVE_RUNNER_{name.upper()}": value for name, value in settings.items()}
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "perijove_runner.supervisor",
                env={**self.environ, **more},
                stderr=log,
            )

    def runner(self) -> psutil.Process:
        (found,) = (
            child
            for child in psutil.Process(self.supervisor.pid).children()
            if child.cmdline()[-1] == "perijove_runner"
        )
        return found

    def kernel_process(self) -> psutil.Process:
        (directory,) = (self.directory / "s" / "k").iterdir()
        wanted = str(directory / "connection.json")
        (found,) = wait_for(lambda: with_argument(wanted))
        assert isinstance(found, psutil.Process)
        return found

    async def launch(self, kernel_id: str = "a", **fields: Any) -> pb.LaunchKernelResponse:
        request = pb.LaunchKernelRequest(kernel_id=kernel_id, kernelspec_name="python3", **fields)
        reply: pb.LaunchKernelResponse = await self.stub.LaunchKernel(request)
        return reply

    async def attach(self) -> tuple[Any, channels_pb2.ConnectResponse]:
        """Open a client's stream to the one kernel and return it with its first response."""
        stub: Any = channels_pb2_grpc.ChannelsServiceStub(self.channel)  # type: ignore[call-overload]
        call = stub.Connect()
        attach = channels_pb2.Attach(kernel_id="a", client_session_id="c")
        await call.write(channels_pb2.ConnectRequest(attach=attach))
        return call, await call.read()

    async def run(self, code: str) -> list[str]:
        (directory,) = (self.directory / "s" / "k").iterdir()
        await self.until((directory / "s-5").exists)
        client = AsyncKernelClient()
        client.load_connection_file(str(directory / "connection.json"))
        client.start_channels()
        said: list[str] = []
        try:
            await client.wait_for_ready(timeout=60)
            await client.execute_interactive(
                code, timeout=60, output_hook=lambda m: said.append(m["content"].get("text", ""))
            )
        finally:
            client.stop_channels()
        return [text for text in said if text]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110 - other processes set no event
                await asyncio.sleep(0.02)
