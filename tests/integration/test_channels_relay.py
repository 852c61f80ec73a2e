"""Message streams through the kernels service."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from perijove.kernels.v1 import channels_pb2 as pb
from perijove_chassis import errors
from perijove_chassis.credentials import Verifier
from perijove_chassis.settings import Secret
from perijove_chassis.status import error_of
from perijove_kernels import relay as kernels_relay
from perijove_kernels.model import ExecutionState, Kernel

from tests.integration.edges import KEY, TOKEN, runner_of, serving
from tests.relays import CONNECT, Client, IpyKernel, read_journal, relay_of, text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path


@pytest.fixture
def kernel() -> Iterator[IpyKernel]:
    kernel = IpyKernel()
    kernel.start()
    yield kernel
    kernel.remove()


@pytest.fixture
async def runner(kernel: IpyKernel, tmp_path: Path) -> AsyncIterator[contextlib.AsyncExitStack]:
    async with relay_of(kernel) as relay, contextlib.AsyncExitStack() as runner:
        await runner.enter_async_context(runner_of({"k": relay}, f"unix:{tmp_path}/r"))
        yield runner


@pytest.fixture
async def connect(
    runner: contextlib.AsyncExitStack, tmp_path: Path
) -> AsyncIterator[Callable[..., Client]]:
    del runner
    now = dt.datetime.now(dt.UTC)

    async def find(kernel_id: str) -> Kernel:
        if kernel_id != "k":
            raise errors.NotFound("no such kernel", reason="NO_SUCH_KERNEL")
        state = ExecutionState.IDLE
        return Kernel(
            "k", "python3", state, now, 0, 1, now, {}, "r", 1, runner_address=f"unix:{tmp_path}/r"
        )

    service = kernels_relay.channels(find, KEY)
    verifier = Verifier("kernels", service_key=KEY, api_token=Secret(TOKEN))
    address = f"unix:{tmp_path}/k"
    options = (("grpc.max_receive_message_length", 64 * 1024 * 1024),)
    async with (
        serving(service, verifier, address),
        grpc.aio.insecure_channel(address, options=options) as channel,
    ):
        stream: Any = channel.stream_stream(
            CONNECT,
            request_serializer=pb.ConnectRequest.SerializeToString,
            response_deserializer=pb.ConnectResponse.FromString,
        )

        def connect(session_id: str, token: str = TOKEN) -> Client:
            return Client(stream(metadata=[("authorization", f"token {token}")]), session_id)

        connect.channel = channel  # type: ignore[attr-defined]
        yield connect


async def failure(client: Client) -> errors.DomainError:
    try:
        while True:
            await client.next()
    except grpc.aio.AioRpcError as error:
        return error_of(error)


async def test_a_user_runs_code_and_comes_back(connect: Any) -> None:
    client = connect("me")
    await client.attach()
    messages = await client.run("print('x' * 5_000_000)")
    assert len(text(messages)) == 5_000_001
    await client.ack(messages[0].sequence)
    await client.call.done_writing()
    with pytest.raises(EOFError):
        await client.next()
    again = connect("me")
    assert (await again.attach()).sequence == messages[0].sequence
    assert len(text(await again.run("pass"))) == 5_000_001


async def test_a_runner_that_refuses_is_heard(connect: Any) -> None:
    first, second = connect("me"), connect("me")
    await first.attach()
    await second.attach()
    assert (await failure(first)).reason == "STREAM_REPLACED"


async def test_a_runner_that_goes_away_ends_the_stream(
    connect: Any, runner: contextlib.AsyncExitStack
) -> None:
    client = connect("me")
    await client.attach()
    await runner.aclose()
    assert isinstance(await failure(client), errors.Unavailable)


async def test_an_unknown_kernel_and_nonsense_are_refused(connect: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await connect("me").attach("other")
    assert error_of(caught.value).reason == "NO_SUCH_KERNEL"
    client = connect("me")
    await client.call.write(pb.ConnectRequest(detach=pb.Detach()))
    assert isinstance(await failure(client), errors.InvalidArgument)


async def test_a_wrong_token_is_refused(connect: Any) -> None:
    # It is refused before anything is said: who writes then may only hear that he cannot.
    assert await connect("me", "wrong").call.code() == grpc.StatusCode.UNAUTHENTICATED


async def test_a_user_reads_the_journal(connect: Any) -> None:
    client = connect("me")
    await client.attach()
    messages = await client.run("for i in range(300): print(i, flush=True)")
    request = pb.ReadJournalRequest(kernel_id="k", client_session_id="me")
    request.after.epoch, request.after.sequence = 1, messages[0].sequence
    token = f"token {TOKEN}"
    pages = [page async for page in read_journal(connect.channel, request, authorization=token)]
    assert [message for page in pages for message in page.batch.messages] == messages[1:]
    for wrong, code in (("nope", grpc.StatusCode.NOT_FOUND), ("", grpc.StatusCode.NOT_FOUND)):
        request = pb.ReadJournalRequest(kernel_id=wrong, after=pb.ResumePoint())
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            [_ async for _ in read_journal(connect.channel, request, authorization=token)]
        assert caught.value.code() in (code, grpc.StatusCode.INVALID_ARGUMENT)
