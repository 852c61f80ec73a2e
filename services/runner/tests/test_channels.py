"""Clients of a relay with a real kernel, over gRPC."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from perijove.kernels.v1 import channels_pb2 as pb
from perijove_chassis import errors, server, telemetry
from perijove_chassis.credentials import Issuer, Verifier, derive_key
from perijove_chassis.settings import Secret
from perijove_chassis.status import error_of
from perijove_runner.channels_servicer import channels_service
from perijove_runner.model import ExecutionState
from perijove_runner.snapshot import RelayLimits
from prometheus_client import CollectorRegistry

from tests.relays import (
    DEADLINE_S,
    Client,
    IpyKernel,
    connected,
    content,
    header,
    kind,
    parent_id,
    relay_of,
    served,
    text,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from perijove_runner.relay import KernelRelay

    Connect = Callable[[str], Client]


@pytest.fixture
def kernel() -> Iterator[IpyKernel]:
    kernel = IpyKernel()
    kernel.start()
    yield kernel
    kernel.remove()


@pytest.fixture
async def relay(kernel: IpyKernel) -> AsyncIterator[KernelRelay]:
    async with relay_of(kernel) as relay:
        yield relay


def guarded() -> tuple[tuple[server.Guard], Secret]:
    """Return what a real process puts before its services."""
    key = Secret("k" * 32)
    verifier = Verifier("runner", service_key=key, api_token=Secret("tok"))
    metrics = telemetry.CallMetrics(CollectorRegistry())

    def lookup(kernel_id: str) -> Any:
        raise NotImplementedError(kernel_id)

    return (server.Guard(verifier, [channels_service(lookup)], metrics),), key


@pytest.fixture
async def connect(relay: KernelRelay) -> AsyncIterator[Connect]:
    async with (
        served(relay, interceptors=guarded_always()) as address,
        connected(address) as connect,
    ):
        yield connect


def guarded_always() -> tuple[grpc.aio.ServerInterceptor, ...]:
    """Return a guard that maps errors as a process does, and lets everybody in."""
    guard = guarded()[0][0]
    guard._admit = lambda *_: None  # type: ignore[method-assign]
    return (guard,)


async def failure(client: Client) -> errors.DomainError:
    """Read to the end and return why the stream ended."""
    try:
        while True:
            await client.next()
    except grpc.aio.AioRpcError as error:
        return error_of(error)


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


async def test_an_unanswered_question_is_asked_again_once_the_journal_has_dropped_it(
    kernel: IpyKernel,
) -> None:
    limits = RelayLimits(journal_messages=20)
    async with (
        relay_of(kernel, limits) as relay,
        served(relay) as address,
        connected(address) as connect,
    ):
        client = connect("a")
        await client.attach()
        asked = await client.execute(
            "import threading, time\n"
            "def talk():\n"
            "    for i in range(60): print(i, flush=True)\n"
            "input('who? ')",
            allow_stdin=True,
        )
        await client.until(("input_request", asked))
        client.call.cancel()
        # Asked during the cell that waits, by another client.
        other = connect("b")
        await other.attach()
        for _ in range(8):
            shown = await other.send(pb.CHANNEL_CONTROL, "kernel_info_request", {})
            await other.until(("kernel_info_reply", shown))
        again = connect("a")
        await again.attach()
        [*_, question] = await again.until(("input_request", asked))
        await again.send(pb.CHANNEL_STDIN, "input_reply", {"value": "Io"}, parent=header(question))
        await again.until(("execute_reply", asked))


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


async def test_a_client_that_comes_back_gets_every_number_once(connect: Connect) -> None:
    client = connect("a")
    await client.attach()
    code = "import time\nfor i in range(300): print(i, flush=True); time.sleep(0.005)"
    asked = await client.execute(code)
    printed = ""
    for _ in range(6):
        for _ in range(40):
            message = await client.next()
            printed += text([message])
            await client.ack(message.sequence)
        # Only what was acknowledged counts, and the acknowledgement must arrive.
        await client.call.done_writing()
        while await client.call.read() is not grpc.aio.EOF:
            pass
        client = connect("a")
        attached = await client.attach()
        assert attached.resumed
        assert attached.sequence == message.sequence
    printed += text(await client.until_done(asked))
    assert printed.split() == [str(number) for number in range(300)]
    assert client.others == []


async def test_a_resume_point_counts_more_than_acknowledgements(connect: Connect) -> None:
    client = connect("a")
    await client.attach()
    messages = await client.run("for i in range(20): print(i, flush=True)")
    await client.ack(messages[-1].sequence)
    again = connect("b")
    attached = await again.attach(resume=(1, messages[3].sequence))
    assert attached.resumed
    assert attached.sequence == messages[3].sequence
    shared = [m.sequence for m in messages[4:] if m.channel == pb.CHANNEL_IOPUB]
    assert [(await again.next()).sequence for _ in shared] == shared


@pytest.mark.parametrize("epoch", [0, 7])
async def test_an_unknown_resume_point_is_a_gap(connect: Connect, epoch: int) -> None:
    client = connect("a")
    await client.attach(resume=(epoch, 5))
    await client.run("pass")
    [gap] = [other.gap for other in client.others]
    assert gap.cause == pb.GAP_CAUSE_UNKNOWN_RESUME_POINT
    assert (gap.epoch, gap.first_sequence) == (epoch, 6)


async def test_a_slow_client_gets_a_gap_and_nobody_waits_for_it(kernel: IpyKernel) -> None:
    limits = RelayLimits(journal_bytes=4 * 1024 * 1024)
    async with (
        relay_of(kernel, limits) as relay,
        served(relay) as address,
        connected(address) as connect,
    ):
        slow, quick = connect("slow"), connect("quick")
        await slow.attach()
        await quick.attach()
        # Far more than the journal and the buffers of the stream hold.
        await quick.run("for i in range(300): print('x' * 100_000, flush=True)")
        seen = await slow.until_done(await slow.execute("print('end')"))
        assert text(seen).endswith("end\n")
        gaps = [other.gap for other in slow.others]
        assert {gap.cause for gap in gaps} == {pb.GAP_CAUSE_JOURNAL_LIMIT}
        missing = {n for g in gaps for n in range(g.first_sequence, g.last_sequence + 1)}
        got = [message.sequence for message in seen]
        assert got == sorted(got)
        assert not missing & set(got)
        # Nothing is missing without a word, but for what only others see.
        hidden = set(range(slow.attached.sequence + 1, got[-1])) - missing - set(got)
        assert len(hidden) <= 2


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
    assert await asyncio.wait_for(client.call.read(), DEADLINE_S) is grpc.aio.EOF
    assert relay.connection_count == 0
    assert relay.snapshot().client_session_ids == ()
    again = connect("a")
    assert not (await again.attach()).resumed


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
        assert relay.snapshot().requests == ()


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
                    with pytest.raises(grpc.aio.AioRpcError) as caught:
                        await client.attach()
                    assert caught.value.code() == code


class IpyKernelDone:
    """Watches a kernel from a client of its own, to know that its cell has ended."""

    def __init__(self, kernel: IpyKernel) -> None:
        self._kernel = kernel

    async def wait_idle(self) -> None:
        """Return when the kernel works on what it is asked now."""
        async with relay_of(self._kernel) as watcher:
            await watcher.ready(DEADLINE_S)
