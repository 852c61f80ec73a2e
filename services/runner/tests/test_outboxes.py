"""What a runner has taken of a client's messages, over streams and its own restart."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import grpc
import pytest
from perijove.kernels.v1 import channels_pb2 as pb
from perijove_chassis import errors
from perijove_chassis.status import error_of
from perijove_runner.client_session import Outbox
from perijove_runner.model import Channel

from tests.relays import DEADLINE_S, IpyKernel, connected, parent_id, relay_of, served, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_runner.relay import KernelRelay

    from tests.relays import Client

    Connect = Callable[[str], Client]


def outbox(outbox_id: str, taken: int = 0, *, returning: bool = False) -> pb.Outbox:
    return pb.Outbox(outbox_id=outbox_id, taken=taken, returning=returning)


async def until_taken(client: Client, count: int) -> None:
    while client.taken < count:
        response = await asyncio.wait_for(client.call.read(), DEADLINE_S)
        client.taken = response.taken or client.taken


async def test_what_was_taken_is_said_also_while_the_kernel_says_nothing(connect: Connect) -> None:
    client = connect("a")
    assert (await client.attach(outbox=outbox("x"))).taken == 0
    asked = await client.execute("input('wait')", allow_stdin=True)
    await client.until(("input_request", asked))
    for _ in range(3):
        await client.execute("pass")
    await until_taken(client, 4)


async def test_what_was_taken_is_said_to_a_client_that_leaves(connect: Connect) -> None:
    client = connect("a")
    await client.attach(outbox=outbox("x"))
    for _ in range(3):
        await client.execute("pass")
    await client.call.done_writing()
    async with asyncio.timeout(DEADLINE_S):
        while (response := await client.call.read()) is not grpc.aio.EOF:
            client.taken = response.taken or client.taken
    assert client.taken == 3


async def test_a_client_without_an_outbox_hears_nothing_of_it(connect: Connect) -> None:
    client = connect("a")
    assert (await client.attach()).taken == 0
    await client.run("pass")
    await client.execute("import time; time.sleep(0.3)")
    await client.run("pass")
    assert client.taken == 0
    assert client.others == []


async def test_an_outbox_is_counted_over_streams(connect: Connect) -> None:
    client = connect("a")
    await client.attach(outbox=outbox("x"))
    await client.run("pass")
    client.call.cancel()
    client = connect("a")
    assert (await client.attach(outbox=outbox("x", 1, returning=True))).taken == 1
    await client.run("pass")
    assert client.taken == 2
    fresh = connect("a")
    assert (await fresh.attach(outbox=outbox("y"))).taken == 0


async def test_the_stream_of_an_older_outbox_does_not_replace_that_of_a_newer(
    connect: Connect,
) -> None:
    await connect("a").attach(outbox=outbox("x"))
    newer = connect("a")
    await newer.attach(outbox=outbox("y"))
    older = connect("a")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await older.attach(outbox=outbox("x", returning=True))
    error = error_of(caught.value)
    assert isinstance(error, errors.Aborted)
    assert error.reason == "STREAM_REPLACED"
    assert text(await newer.run("print(1)")) == "1\n"


async def test_what_is_under_way_on_a_replaced_stream_is_not_taken(relay: KernelRelay) -> None:
    frames = [b'{"msg_id":"1","msg_type":"comm_msg"}', b"{}", b"{}", b"{}"]
    old = await relay.attach("a", None, Outbox("x", 0, returning=False))
    old.send(Channel.SHELL, frames)
    new = await relay.attach("a", None, Outbox("x", 0, returning=True))
    old.send(Channel.SHELL, frames)
    assert new.session.taken == 1
    new.send(Channel.SHELL, frames)
    assert new.session.taken == 2


async def test_a_client_session_that_is_not_known_goes_on_counting(connect: Connect) -> None:
    client = connect("a")
    assert (await client.attach(outbox=outbox("x", 7, returning=True))).taken == 7
    await client.run("pass")
    assert client.taken == 8


@pytest.mark.parametrize("outbox_id", ["", "x" * 257])
async def test_an_outbox_needs_an_id(connect: Connect, outbox_id: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await connect("a").attach(outbox=outbox(outbox_id))
    assert isinstance(error_of(caught.value), errors.InvalidArgument)


async def test_the_next_runner_knows_what_was_taken(kernel: IpyKernel) -> None:
    async with relay_of(kernel) as relay, served(relay) as address, connected(address) as connect:
        client = connect("a")
        await client.attach(outbox=outbox("x"))
        asked = await client.execute("input('wait')", allow_stdin=True)
        await client.until(("input_request", asked))
        await client.execute("pass")
        await until_taken(client, 2)
        snapshot = relay.snapshot()
    async with (
        relay_of(kernel, adopted=snapshot) as relay,
        served(relay) as address,
        connected(address) as connect,
    ):
        client = connect("a")
        assert (await client.attach(outbox=outbox("x", 1, returning=True))).taken == 2


async def test_what_waits_for_a_kernel_is_not_taken_and_comes_again(
    connect: Connect, relay: KernelRelay, kernel: IpyKernel
) -> None:
    client = connect("a")
    await client.attach(outbox=outbox("x"))
    await client.run("pass")
    await relay.close_sockets()
    await client.execute("print('twice')")
    while not relay._sending._held:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0)
    client.call.cancel()
    client = connect("a")
    attached = await client.attach(outbox=outbox("x", 1, returning=True))
    assert attached.taken == 1
    asked = await client.execute("print('once')")
    kernel.start()
    await relay.open(kernel.connection, 2)
    assert text(await client.until_done(asked)) == "once\n"
    assert client.taken == 2


@pytest.mark.parametrize("written", [False, True])
async def test_a_reply_that_went_down_with_a_runner_is_made_up_only_if_nobody_has_it(
    kernel: IpyKernel, *, written: bool
) -> None:
    async with relay_of(kernel) as relay, served(relay) as address, connected(address) as connect:
        client = connect("a")
        await client.attach(outbox=outbox("x"))
        seen = await client.run("pass")
        lost = await client.run("pass")
        snapshot = relay.snapshot()
    if not written:
        shutil.rmtree(kernel.directory / "j")
    async with (
        relay_of(kernel, adopted=snapshot) as relay,
        served(relay) as address,
        connected(address) as connect,
    ):
        client = connect("a")
        await client.attach(resume=(1, seen[-1].sequence), outbox=outbox("x", 2, returning=True))
        messages = await client.run("print('end')")
        ids = [parent_id(message) for message in messages]
        assert parent_id(seen[-1]) not in ids
        # All that was said, or a reply and an idle in its place.
        assert ids.count(parent_id(lost[-1])) == (len(lost) if written else 2)
        await client.ack(messages[-1].sequence)
        await client.run("pass")
        again = connect("a")
        await again.attach(outbox=outbox("x", 4, returning=True))
        assert parent_id(lost[-1]) not in [parent_id(found) for found in await again.run("pass")]
