"""What a relay knows of the one before it, in a runner that died."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove.kernels.v1 import channels_pb2 as pb
from perijove_runner.model import ExecutionState

from tests.relays import (
    DEADLINE_S,
    IpyKernel,
    connected,
    content,
    header,
    kind,
    relay_of,
    served,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.relays import Client

    Connect = Callable[[str], Client]


async def test_a_runner_that_comes_back_names_the_gap(kernel: IpyKernel) -> None:
    async with relay_of(kernel) as relay, served(relay) as address, connected(address) as connect:
        client = connect("a")
        await client.attach()
        asked = await client.execute("import time; time.sleep(2); print('done')")
        await client.until(("execute_input", asked))
        snapshot = relay.snapshot()
        assert [request.msg_id for request in snapshot.requests] == [asked]
    # Nobody listens while the cell ends: its reply is lost.
    waiting = IpyKernelDone(kernel)
    await waiting.wait_idle()
    async with (
        relay_of(kernel, adopted=snapshot) as relay,
        served(relay) as address,
        connected(address) as connect,
    ):
        client, pointed = connect("a"), connect("b")
        attached = await client.attach()
        assert attached.resumed
        messages = await client.until_done(asked)
        [reply] = [m for m in messages if kind(m) == "execute_reply"]
        assert content(reply)["status"] == "error"
        assert "restarted" in content(reply)["evalue"]
        [gap] = [other.gap for other in client.others]
        assert gap.cause == pb.GAP_CAUSE_RUNNER_RESTARTED
        assert min(message.sequence for message in messages) > gap.last_sequence
        await pointed.attach(resume=(1, 3))
        await pointed.run("pass")
        [gap] = [other.gap for other in pointed.others]
        assert (gap.cause, gap.first_sequence) == (pb.GAP_CAUSE_RUNNER_RESTARTED, 4)
        await client.ack(messages[-1].sequence)
        await client.run("pass")
        assert asked not in [request.msg_id for request in relay.snapshot().requests]


async def test_a_runner_that_comes_back_in_time_delivers_the_reply(kernel: IpyKernel) -> None:
    async with relay_of(kernel) as relay, served(relay) as address, connected(address) as connect:
        client = connect("a")
        await client.attach()
        asked = await client.execute(
            "name = input('who? ')\nprint('hello', name)", allow_stdin=True
        )
        await client.until(("input_request", asked))
        snapshot = relay.snapshot()
    async with (
        relay_of(kernel, adopted=snapshot) as relay,
        served(relay) as address,
        connected(address) as connect,
    ):
        assert relay.execution_state is ExecutionState.BUSY
        client = connect("a")
        await client.attach()
        [*_, question] = await client.until(("input_request", asked))
        await client.send(pb.CHANNEL_STDIN, "input_reply", {"value": "Io"}, parent=header(question))
        messages = await client.until_done(asked)
        assert text(messages) == "hello Io\n"
        [reply] = [m for m in messages if kind(m) == "execute_reply"]
        assert content(reply)["status"] == "ok"


async def test_a_gap_is_told_until_it_is_acknowledged(kernel: IpyKernel) -> None:
    async with relay_of(kernel) as relay, served(relay) as address, connected(address) as connect:
        await connect("a").attach()
        snapshot = relay.snapshot()
    async with (
        relay_of(kernel, adopted=snapshot) as relay,
        served(relay) as address,
        connected(address) as connect,
    ):
        gone = connect("a")
        assert (await gone.attach()).sequence == 0
        # What was told to somebody who is gone is taken back, or never acknowledged.
        await gone.ack(0)
        gone.call.cancel()
        client = connect("a")
        attached = await client.attach()
        [*_, message] = await client.run("pass")
        [gap] = [other.gap for other in client.others]
        assert gap.cause == pb.GAP_CAUSE_RUNNER_RESTARTED
        await client.ack(message.sequence)
        await client.run("pass")
        client.call.cancel()
        again = connect("a")
        assert (await again.attach()).sequence > attached.sequence
        await again.run("pass")
        assert again.others == []


class IpyKernelDone:
    """Watches a kernel from a client of its own, to know that its cell has ended."""

    def __init__(self, kernel: IpyKernel) -> None:
        self._kernel = kernel

    async def wait_idle(self) -> None:
        """Return when the kernel works on what it is asked now."""
        async with relay_of(self._kernel) as watcher:
            await watcher.ready(DEADLINE_S)
