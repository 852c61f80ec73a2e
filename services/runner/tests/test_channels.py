"""Clients of a relay with a real kernel, over gRPC."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from perijove.kernels.v1 import channels_pb2 as pb
from perijove_chassis import errors
from perijove_runner.model import ExecutionState

from services.runner.tests.streams import failure, until_end
from tests.relays import DEADLINE_S, content, header, kind, parent_id, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_runner.relay import KernelRelay

    from tests.relays import Client

    Connect = Callable[[str], Client]


async def test_a_cell_is_answered_in_order(connect: Connect, relay: KernelRelay) -> None:
    client = connect("a")
    await client.attach()
    messages = await client.run("print('one', flush=True)\nprint('two')\n1 + 1")
    published = [kind(message) for message in messages if message.channel == pb.CHANNEL_IOPUB]
    # Whatever the runner asked before may still be answered at first.
    own = [message for message in messages if parent_id(message) == parent_id(messages[-1])]
    kinds = [kind(message) for message in own if message.channel == pb.CHANNEL_IOPUB]
    assert kinds[:2] == ["status", "execute_input"]
    assert kinds[-2:] == ["execute_result", "status"]
    assert text(messages) == "one\ntwo\n"
    assert "iopub_welcome" not in published
    [reply] = [message for message in messages if kind(message) == "execute_reply"]
    assert reply.channel == pb.CHANNEL_SHELL
    assert content(reply)["status"] == "ok"
    assert [m.sequence for m in messages] == sorted({m.sequence for m in messages})
    assert relay.execution_state is ExecutionState.IDLE


async def test_output_goes_to_everyone_and_replies_to_who_asked(
    connect: Connect, relay: KernelRelay
) -> None:
    one, two = connect("one"), connect("two")
    await one.attach()
    await two.attach()
    assert relay.connection_count == 2
    asked = await one.execute("print('shared')")
    seen_by_one = await one.until_done(asked)
    asked_by_two = await two.execute("pass")
    seen_by_two = await two.until_done(asked_by_two)
    assert text(seen_by_one) == text(seen_by_two) == "shared\n"
    replies = [message for message in seen_by_two if message.channel == pb.CHANNEL_SHELL]
    assert [parent_id(reply) for reply in replies] == [asked_by_two]


async def test_a_question_goes_to_who_asked_and_its_answer_back(connect: Connect) -> None:
    one, two = connect("one"), connect("two")
    await one.attach()
    await two.attach()
    asked = await one.execute("print('hello', input('who? '))", allow_stdin=True)
    [*_, question] = await one.until(("input_request", asked))
    assert question.channel == pb.CHANNEL_STDIN
    assert content(question)["prompt"] == "who? "
    await one.send(
        pb.CHANNEL_STDIN, "input_reply", {"value": "Io", "status": "ok"}, parent=header(question)
    )
    assert text(await one.until_done(asked)).endswith("hello Io\n")
    seen = await two.until_done(await two.execute("pass"))
    assert not [message for message in seen if message.channel == pb.CHANNEL_STDIN]


async def test_a_request_on_control_does_not_wait_behind_a_cell(connect: Connect) -> None:
    client = connect("a")
    await client.attach()
    asked = await client.execute("import time\nprint('begun', flush=True)\ntime.sleep(600)")
    await client.until(("stream", asked))
    interrupt = await client.send(pb.CHANNEL_CONTROL, "interrupt_request", {})
    await client.until(("interrupt_reply", interrupt))
    messages = await client.until_done(asked)
    [error] = [message for message in messages if kind(message) == "error"]
    assert content(error)["ename"] == "KeyboardInterrupt"


async def test_large_messages_and_buffers_pass_both_ways(connect: Connect) -> None:
    client = connect("a")
    await client.attach()
    await client.run(
        "def opened(comm, message):\n"
        "    comm.send({'n': len(message['buffers'])}, buffers=message['buffers'])\n"
        "get_ipython().kernel.comm_manager.register_target('echo', opened)"
    )
    buffers = (bytes(range(256)) * 20_000, b"", b"\x00\xff")
    opened = await client.send(
        pb.CHANNEL_SHELL,
        "comm_open",
        {"comm_id": "c", "target_name": "echo", "data": {}},
        buffers=buffers,
    )
    messages = await client.until(("comm_msg", opened))
    assert tuple(messages[-1].frames[4:]) == buffers
    messages = await client.run("print('y' * 20_000_000)")
    assert len(text(messages)) == 20_000_001


async def test_a_message_too_large_to_travel_is_a_gap(connect: Connect) -> None:
    client = connect("a")
    await client.attach()
    messages = await client.run("print('z' * 70_000_000, flush=True)\nprint('after')")
    assert text(messages) == "after\n"
    [gap] = [other.gap for other in client.others]
    assert gap.first_sequence == gap.last_sequence
    assert "larger" in gap.message


async def test_a_second_stream_of_a_client_ends_the_first(
    connect: Connect, relay: KernelRelay
) -> None:
    first, second = connect("a"), connect("a")
    await first.attach()
    assert (await second.attach()).resumed
    error = await failure(first)
    assert isinstance(error, errors.Aborted)
    assert error.reason == "STREAM_REPLACED"
    assert relay.connection_count == 1
    assert text(await second.run("print(1)")) == "1\n"


async def test_a_client_that_detaches_is_forgotten(connect: Connect, relay: KernelRelay) -> None:
    client = connect("a")
    await client.attach()
    await client.call.write(pb.ConnectRequest(detach=pb.Detach()))
    await until_end(client)
    assert relay.connection_count == 0
    assert relay.snapshot().clients == ()
    again = connect("a")
    assert not (await again.attach()).resumed


async def test_the_runners_own_requests_are_answered_to_it_alone(
    connect: Connect, relay: KernelRelay
) -> None:
    client = connect("a")
    await client.attach()
    reply = await relay.request("control", "kernel_info_request", b"{}", DEADLINE_S)
    assert json.loads(reply)["implementation"] == "ipython"
    seen = await client.run("pass")
    assert [kind(m) for m in seen if m.channel != pb.CHANNEL_IOPUB] == ["execute_reply"]


async def test_asking_a_busy_kernel_who_it_is_leaves_it_busy(
    connect: Connect, relay: KernelRelay
) -> None:
    client = connect("a")
    await client.attach()
    asked = await client.execute("input('wait')", allow_stdin=True)
    [*_, question] = await client.until(("input_request", asked))
    info = await client.send(pb.CHANNEL_CONTROL, "kernel_info_request", {})
    await client.until_done(info)
    assert relay.execution_state is ExecutionState.BUSY
    await client.send(pb.CHANNEL_STDIN, "input_reply", {"value": ""}, parent=header(question))
    await client.until_done(asked)
    assert relay.execution_state is ExecutionState.IDLE
