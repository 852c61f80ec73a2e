"""What a client sends reaches the runner, whichever way a stream ends."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
from perijove.kernels.v1 import channels_pb2 as pb
from perijove.kernels.v1 import channels_pb2_grpc
from perijove_gateway_http.arrivals import Arrivals
from perijove_gateway_http.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

_DEADLINE_S = 20.0


class Runner(channels_pb2_grpc.ChannelsServiceServicer):
    """Counts what it takes. Its first stream ends well before it takes anything."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.streams = 0

    async def Connect(
        self, request_iterator: AsyncIterator[pb.ConnectRequest], context: Any
    ) -> AsyncIterator[pb.ConnectResponse]:
        """Take messages until the client has sent all."""
        del context
        self.streams += 1
        breaks = self.streams == 1
        async for request in request_iterator:
            if request.HasField("attach"):
                yield pb.ConnectResponse(attached=pb.Attached(epoch=1, taken=len(self.taken)))
            elif breaks:
                return
            else:
                self.taken += [message.frames[0] for message in request.batch.messages]


@asynccontextmanager
async def serving(runner: Runner, path: Path) -> AsyncIterator[Callable[..., Any]]:
    server = grpc.aio.server()
    channels_pb2_grpc.add_ChannelsServiceServicer_to_server(runner, server)
    server.add_insecure_port(f"unix:{path}")
    await server.start()
    async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
        serialize = pb.ConnectRequest.SerializeToString
        yield channel.stream_stream(
            "/perijove.kernels.v1.ChannelsService/Connect", request_serializer=serialize
        )
    await server.stop(0)


async def test_what_was_not_taken_is_sent_again_though_the_client_has_left(tmp_path: Path) -> None:
    runner = Runner()
    async with serving(runner, tmp_path / "r") as connect, asyncio.timeout(_DEADLINE_S):
        upstream = Upstream(connect, Arrivals(), "k", "me")
        await upstream.attach()
        await upstream.send(pb.KernelMessage(channel=pb.CHANNEL_SHELL, frames=[b"asked"]))
        upstream.finish()
        assert await upstream.read() is None
        await upstream.close()
    assert runner.taken == [b"asked"]
