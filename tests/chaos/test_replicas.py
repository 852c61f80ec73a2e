"""A cell runs while one of three edges and three kernels services after another is killed.

`--runs 20` runs it so often, each time with other victims; `--seed` repeats a run
that failed: the seed is in its name.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from perijove.kernels.v1 import channels_pb2 as pb

from tests.chaos.replicas import Replicas
from tests.relays import CONNECT, DEADLINE_S, Client, content, kind, parent_id, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.jupyter_ws import JupyterClient
    from tests.running import RunningPerijove

# Processes that share the tests must agree on their names.
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID")
ANY_SEED = random.Random(RUN).randrange(10**6)  # noqa: S311 - no secret
LINES, LASTS_S, KILLED_EVERY_S = 5000, 20, 2
COUNTING = f"""
import time
start = time.monotonic()
for number in range({LINES}):
    time.sleep(max(0, start + number * {LASTS_S / LINES} - time.monotonic()))
    print(number, flush=True)
"""
SAID = [str(number) for number in range(LINES)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    seed = metafunc.config.getoption("--seed")
    first = ANY_SEED if seed is None else seed
    seeds = range(first, first + metafunc.config.getoption("--runs"))
    metafunc.parametrize("seed", seeds, ids=lambda seed: f"seed-{seed}")


@pytest.fixture(scope="module")
def replicas(shared_perijove: RunningPerijove) -> Iterator[Replicas]:
    replicas = Replicas(shared_perijove)
    try:
        replicas.start()
        yield replicas
    finally:
        replicas.stop()


@pytest.fixture
async def kernel_id(perijove: RunningPerijove, jupyter: JupyterClient) -> Any:
    del perijove
    model = await jupyter.call("POST", "api/kernels", {"name": "python3"}, expect=201)
    yield model["id"]
    await jupyter.call("DELETE", f"api/kernels/{model['id']}", expect=204)


async def keep_killing(replicas: Replicas, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    while True:
        await asyncio.sleep(KILLED_EVERY_S)
        print(f"killed: {replicas.kill_one(chance)}")  # noqa: T201 - shown if the test fails


@pytest.mark.timeout(300)
async def test_a_plain_client_gets_everything_once_while_replicas_are_killed(
    replicas: Replicas, jupyter: JupyterClient, kernel_id: str, seed: int
) -> None:
    async with jupyter.kernel(kernel_id, *replicas.urls) as kernel:
        await kernel.run("moon = 'Himalia'")
        request = await kernel.start(COUNTING)
        await kernel.until(lambda: kernel.printed(request))
        killing = asyncio.create_task(keep_killing(replicas, seed))
        try:
            await kernel.finished(request, 2 * DEADLINE_S)
        finally:
            await ended(killing)
        # Only now, so that a message that came twice has had its time to come.
        assert await kernel.run("print(moon)") == "Himalia\n"
        print(f"{kernel.connections} connections")  # noqa: T201 - the same
        assert kernel.printed(request).split() == SAID
        assert len(kernel.replies(request)) == 1
        assert len(kernel.idles(request)) == 1


@pytest.mark.timeout(300)
async def test_a_grpc_client_with_resume_points_gets_everything_once_while_replicas_are_killed(
    replicas: Replicas, perijove: RunningPerijove, kernel_id: str, seed: int
) -> None:
    client = ResumingClient(replicas.targets, perijove.token, kernel_id)
    async with asyncio.timeout(2 * DEADLINE_S), client:
        request = await client.execute(COUNTING)
        await client.read()
        killing = asyncio.create_task(keep_killing(replicas, seed))
        try:
            while not client.has_ended(request):
                await client.read()
        finally:
            await ended(killing)
        last = await client.execute("print('Elara')")
        while not client.has_ended(last):
            await client.read()
    print(f"{client.connections} connections")  # noqa: T201 - the same
    mine = client.of(request)
    assert text(mine).split() == SAID
    assert [kind(message) for message in mine].count("execute_reply") == 1
    assert [content(message).get("execution_state") for message in mine].count("idle") == 1
    numbers = [message.sequence for message in client.messages]
    assert numbers == sorted(set(numbers))


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


class ResumingClient:
    """Knows what it has got, and says so to the next replica when a stream breaks."""

    def __init__(self, targets: list[str], token: str, kernel_id: str) -> None:
        self.messages: list[pb.KernelMessage] = []
        self.connections = 0
        self._targets = itertools.cycle(targets)
        self._metadata = [("authorization", f"token {token}")]
        self._kernel_id = kernel_id
        self._session_id = uuid.uuid4().hex
        self._resume: tuple[int, int] | None = None
        self._channel: grpc.aio.Channel | None = None
        self._client: Client | None = None

    async def __aenter__(self) -> None:
        await self._connected()

    async def __aexit__(self, *_: object) -> None:
        await self._leave()

    async def execute(self, code: str) -> str:
        """Run code. Nothing is killed just then."""
        return await (await self._connected()).execute(code)

    async def read(self) -> None:
        """Take one message, over as many streams as it takes."""
        while True:
            try:
                client = await self._connected()
                message = await client.next()
                assert not [found for found in client.others if found.HasField("gap")]
            except EOFError:
                await self._leave()
                continue
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                await self._leave()
                continue
            self._resume = client.epoch, message.sequence
            self.messages.append(message)
            return

    def of(self, request: str) -> list[pb.KernelMessage]:
        """Return all messages that belong to a request."""
        return [message for message in self.messages if parent_id(message) == request]

    def has_ended(self, request: str) -> bool:
        """Return whether both the reply and `idle` are there. The latest messages tell."""
        latest = [message for message in self.messages[-4:] if parent_id(message) == request]
        kinds = {content(m).get("execution_state") or kind(m) for m in latest}
        return {"idle", "execute_reply"} <= kinds

    async def _connected(self) -> Client:
        if self._client is None:
            self._channel = grpc.aio.insecure_channel(next(self._targets))
            connect: Any = self._channel.stream_stream(
                CONNECT,
                request_serializer=pb.ConnectRequest.SerializeToString,
                response_deserializer=pb.ConnectResponse.FromString,
            )
            client = Client(connect(metadata=self._metadata), self._session_id)
            self._client = client
            await client.attach(self._kernel_id, self._resume)
            self.connections += 1
        return self._client

    async def _leave(self) -> None:
        self._client = None
        if self._channel:
            await self._channel.close()
            self._channel = None
