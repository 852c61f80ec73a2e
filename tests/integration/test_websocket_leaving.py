"""A client that leaves while its runner does loses nothing of what it has sent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
from perijove.kernels.v1 import channels_pb2 as pb
from perijove.kernels.v1 import channels_pb2_grpc
from perijove_chassis.credentials import PrincipalKind, RunnerVerifier, derive_key
from perijove_chassis.server import Service

from tests.integration.edges import KEY, TOKEN, edge_of, serving
from tests.integration.websockets import KERNEL_ID, V1
from tests.kernel_sockets import Socket
from tests.relays import DEADLINE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Runner(channels_pb2_grpc.ChannelsServiceServicer):
    """Its first stream takes nothing: it says something, too late for the client, and ends."""

    def __init__(self) -> None:
        self.streams = 0
        self.taken = 0
        self.took = asyncio.Event()

    async def Connect(
        self, request_iterator: AsyncIterator[pb.ConnectRequest], context: Any
    ) -> AsyncIterator[pb.ConnectResponse]:
        """Serve a client until it has sent all."""
        del context
        self.streams += 1
        is_first = self.streams == 1
        async for request in request_iterator:
            if request.HasField("attach"):
                yield pb.ConnectResponse(attached=pb.Attached(epoch=1, taken=self.taken))
            elif not is_first:
                self.taken += len(request.batch.messages)
                self.took.set()
        if is_first:
            said = pb.KernelMessage(channel=pb.CHANNEL_IOPUB, sequence=1, frames=[b"{}"] * 4)
            yield pb.ConnectResponse(batch=pb.KernelMessageBatch(messages=[said]))


async def test_what_was_sent_is_taken_though_nobody_hears_the_kernel_any_more() -> None:
    runner = Runner()
    service = Service(
        "perijove.kernels.v1.ChannelsService",
        lambda server: channels_pb2_grpc.add_ChannelsServiceServicer_to_server(runner, server),
        frozenset({PrincipalKind.SERVICE}),
    )
    verifier = RunnerVerifier("r", derive_key(KEY, "runner/r"))
    relays: Any = {KERNEL_ID: None}
    async with (
        asyncio.timeout(DEADLINE_S),
        edge_of(relays) as (url, address),
        serving(service, verifier, address),
        aiohttp.ClientSession(headers={"Authorization": f"token {TOKEN}"}) as http,
    ):
        channels = f"{url}/api/kernels/{KERNEL_ID}/channels"
        socket = Socket(await http.ws_connect(channels, protocols=(V1,)))
        await socket.execute("pass")
        await socket.websocket.close()
        await runner.took.wait()
    assert runner.taken == 1
