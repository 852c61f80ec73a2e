"""Streams that a relay refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest
from perijove.kernels.v1 import channels_pb2 as pb
from perijove_chassis import errors
from perijove_chassis.credentials import Issuer, derive_key
from perijove_chassis.status import error_of

from services.runner.tests.streams import failure, guarded
from tests.relays import Client, served

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_runner.relay import KernelRelay

    Connect = Callable[[str], Client]


@pytest.mark.parametrize(
    "request_",
    [
        pb.ConnectRequest(),
        pb.ConnectRequest(attach=pb.Attach(kernel_id="k", client_session_id="a")),
        pb.ConnectRequest(batch=pb.KernelMessageBatch(messages=[pb.KernelMessage()])),
        pb.ConnectRequest(
            batch=pb.KernelMessageBatch(
                messages=[pb.KernelMessage(channel=pb.CHANNEL_IOPUB, frames=[b""] * 4)]
            )
        ),
        pb.ConnectRequest(
            batch=pb.KernelMessageBatch(
                messages=[pb.KernelMessage(channel=pb.CHANNEL_SHELL, frames=[b""] * 3)]
            )
        ),
    ],
)
async def test_nonsense_ends_the_stream(connect: Connect, request_: pb.ConnectRequest) -> None:
    client = connect("a")
    await client.attach()
    await client.call.write(request_)
    assert isinstance(await failure(client), errors.InvalidArgument)


async def test_a_stream_begins_with_attach(connect: Connect) -> None:
    client = connect("a")
    await client.call.write(pb.ConnectRequest(detach=pb.Detach()))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.call.read()
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_an_unknown_kernel_is_not_found(connect: Connect) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await connect("a").attach("elsewhere")
    assert error_of(caught.value).reason == "NO_SUCH_KERNEL"


async def test_users_cannot_call_a_runner(relay: KernelRelay) -> None:
    interceptors, key = guarded()
    async with served(relay, interceptors=interceptors) as address:
        good = Issuer(derive_key(key, "runner"), "gateway_http", "runner").credential()
        for authorization, code in (
            ("Bearer tok", grpc.StatusCode.PERMISSION_DENIED),
            ("", grpc.StatusCode.UNAUTHENTICATED),
            (good, None),
        ):
            async with grpc.aio.insecure_channel(address) as channel:
                call = channel.stream_stream(
                    "/perijove.kernels.v1.ChannelsService/Connect",
                    request_serializer=pb.ConnectRequest.SerializeToString,
                    response_deserializer=pb.ConnectResponse.FromString,
                )(metadata=[("authorization", authorization)])
                client = Client(call, "a")
                if code is None:
                    await client.attach()
                else:
                    # A write might find the stream ended, and could not say why.
                    with pytest.raises(grpc.aio.AioRpcError) as caught:
                        await call.read()
                    assert caught.value.code() == code
