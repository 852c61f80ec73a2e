"""Clients over the lives of a kernel: its start, restart and end, and that of its runner."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc
import pytest
from perijove_chassis import errors
from perijove_runner.model import ExecutionState

from services.runner.tests.streams import failure
from tests.relays import DEADLINE_S, IpyKernel, connected, content, relay_of, served, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_runner.relay import KernelRelay

    from tests.relays import Client

    Connect = Callable[[str], Client]


async def test_a_client_of_a_starting_kernel_waits_for_it() -> None:
    kernel = IpyKernel()
    try:
        async with (
            relay_of(kernel) as relay,
            served(relay) as address,
            connected(address) as connect,
        ):
            client = connect("a")
            attaching = asyncio.ensure_future(client.attach())
            kernel.start()
            await attaching
            assert text(await client.run("print(1)")) == "1\n"
    finally:
        kernel.remove()


async def test_a_restart_begins_an_epoch_and_clients_stay(
    connect: Connect, relay: KernelRelay, kernel: IpyKernel
) -> None:
    client, away = connect("a"), connect("away")
    await client.attach()
    await away.attach()
    away.call.cancel()
    await client.run("x = 1")
    relay.publish_status("restarting")
    [*_, status] = await client.until(("status", ""))
    assert content(status) == {"execution_state": "restarting"}
    assert relay.execution_state is ExecutionState.RESTARTING
    await relay.close_sockets()
    kernel.start()
    await relay.open(kernel.connection, 2)
    assert relay.execution_state is ExecutionState.STARTING
    await relay.ready(DEADLINE_S)
    messages = await client.run("print('x' in globals())")
    assert text(messages) == "False\n"
    assert client.epoch == 2
    assert messages[-1].sequence < 40
    again = connect("away")
    attached = await again.attach()
    assert (attached.epoch, attached.resumed) == (1, True)
    seen = await again.run("print('back')")
    assert text(seen) == "False\nback\n"
    assert [other.epoch_begun.epoch for other in again.others] == [2]


async def test_what_is_sent_while_a_kernel_restarts_reaches_the_new_one(
    connect: Connect, relay: KernelRelay, kernel: IpyKernel
) -> None:
    client = connect("a")
    await client.attach()
    await relay.close_sockets()
    asked = await client.execute("print('new')")
    kernel.start()
    await relay.open(kernel.connection, 2)
    assert text(await client.until_done(asked)) == "new\n"


async def test_the_end_of_a_kernel_comes_after_its_last_words(
    connect: Connect, relay: KernelRelay
) -> None:
    client = connect("a")
    await client.attach()
    relay.publish_status("dead")
    await relay.end()
    await client.until(("status", ""))
    error = await failure(client)
    assert isinstance(error, errors.NotFound)
    assert error.reason == "NO_SUCH_KERNEL"
    late = connect("b")
    with pytest.raises(grpc.aio.AioRpcError):
        await late.attach()
