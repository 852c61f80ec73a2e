"""Terminals of the whole stack, beside what every Jupyter server does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc
import psutil
import pytest
from perijove.terminals.v1 import terminals_pb2 as pb
from perijove.terminals.v1 import terminals_pb2_grpc as pb_grpc

from tests.jupyter_ws import JupyterClient
from tests.running import command_line, until
from tests.terminal_ws import TerminalSocket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.running import RunningPerijove


@pytest.fixture
async def name(jupyter: JupyterClient) -> AsyncIterator[str]:
    model = await jupyter.call("POST", "api/terminals")
    yield str(model["name"])
    await jupyter.call("DELETE", f"api/terminals/{model['name']}", expect=204)


async def test_a_program_uses_a_terminal_through_the_kernels_service(
    perijove: RunningPerijove,
) -> None:
    credential = [("authorization", f"Bearer {perijove.token}")]
    async with grpc.aio.insecure_channel(perijove.target("kernels")) as channel:
        stub = pb_grpc.TerminalsServiceStub(channel)
        request = pb.CreateTerminalRequest(name="program", command=["bash", "--norc"])
        created = await stub.CreateTerminal(request, metadata=credential)
        assert created.created
        assert not (await stub.CreateTerminal(request, metadata=credential)).created
        call = stub.Attach(metadata=credential)
        await call.write(pb.AttachRequest(attach=pb.Attach(name="program", client_id="me")))
        attached = (await call.read()).attached
        assert attached.terminal.terminal_id == created.terminal.terminal_id
        await call.write(pb.AttachRequest(input=pb.Input(data=b"echo $((6 * 7))-; exit 3\n")))
        shown = b""
        while not (response := await call.read()).HasField("ended"):
            shown += response.output.data
        assert b"42-" in shown
        assert (response.ended.cause, response.ended.exit_code) == (pb.END_CAUSE_EXITED, 3)
        assert await call.read() is grpc.aio.EOF
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetTerminal(pb.GetTerminalRequest(name="program"), metadata=credential)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_client_that_does_not_read_slows_nobody(
    perijove: RunningPerijove, name: str
) -> None:
    url = f"{perijove.url}terminals/websocket/{name}"
    async with JupyterClient.http(perijove.token) as http:
        stuck = await http.ws_connect(url, max_msg_size=0)
        assert stuck._response.connection
        assert isinstance(stuck._response.connection.transport, asyncio.Transport)
        stuck._response.connection.transport.pause_reading()
        edge = psutil.Process(perijove.pid("gateway_http"))
        runner = psutil.Process(perijove.pid("runner"))
        before = edge.memory_info().rss + runner.memory_info().rss
        async with TerminalSocket(http, url) as terminal:
            await terminal.run("seq 1 800000 | tail -c 5000000; echo o''ver", "over")
        grown = edge.memory_info().rss + runner.memory_info().rss - before
        assert grown < 48 * 1024 * 1024
        stuck._response.connection.transport.resume_reading()
        await stuck.close()


async def test_what_is_typed_just_before_leaving_is_typed(
    perijove: RunningPerijove, name: str
) -> None:
    done = perijove.root_dir / "typed"
    async with (
        JupyterClient.http(perijove.token) as http,
        http.ws_connect(f"{perijove.url}terminals/websocket/{name}") as socket,
    ):
        await socket.send_json(["stdin", f"touch {done}\r"])
    await until(done.exists)
    done.unlink()


async def test_without_terminals_there_is_no_trace_of_them(
    start_perijove: Callable[..., RunningPerijove],
) -> None:
    perijove = start_perijove(PERIJOVE_GATEWAY_HTTP_TERMINALS="false")
    async with JupyterClient.http(perijove.token) as http:
        for target in ("api/terminals", "api/terminals/1", "terminals/websocket/1"):
            async with http.get(f"{perijove.url}{target}") as answer:
                assert answer.status == 404
        async with http.get(f"{perijove.url}lab") as page:
            assert '"terminalsAvailable":false' in (await page.text()).replace(" ", "")


async def test_idle_terminals_are_ended_if_that_is_set(
    start_perijove: Callable[..., RunningPerijove],
) -> None:
    settings = {"CULL_INACTIVE_TIMEOUT_S": "0.5", "CULL_INTERVAL_S": "0.1"}
    perijove = start_perijove(
        **{f"PERIJOVE_RUNNER_TERMINAL_{name}": value for name, value in settings.items()}
    )
    async with JupyterClient.http(perijove.token) as http:
        jupyter = JupyterClient(http, perijove.url)
        await jupyter.call("POST", "api/terminals")
        async with TerminalSocket(http, f"{perijove.url}terminals/websocket/1") as terminal:
            await terminal.closed()
            assert terminal.messages[-1] == ["disconnect", 1]
        assert await jupyter.call("GET", "api/terminals") == []


@pytest.mark.parametrize("killed", ["", "runner", "runner_supervisor"])
async def test_no_terminal_is_left_behind(
    start_perijove: Callable[..., RunningPerijove], killed: str
) -> None:
    perijove = start_perijove()
    async with JupyterClient.http(perijove.token) as http:
        await JupyterClient(http, perijove.url).call("POST", "api/terminals")
        async with TerminalSocket(http, f"{perijove.url}terminals/websocket/1") as terminal:
            found = await terminal.run(
                "sleep 600 & echo pids=$$-$PPID-$!.", r"pids=(\d+)-(\d+)-(\d+)"
            )
    below = [psutil.Process(int(pid)) for pid in found.groups()]
    if killed:
        await perijove.wait_restarted(killed, perijove.kill(killed))
        assert all(process.is_running() for process in below)
    perijove.stop()
    assert not [process for process in below if process.is_running()]


async def test_the_shell_and_its_holder_know_no_secret(
    perijove: RunningPerijove, name: str
) -> None:
    async with JupyterClient.http(perijove.token) as http:
        url = f"{perijove.url}terminals/websocket/{name}"
        async with TerminalSocket(http, url) as terminal:
            found = await terminal.run("echo pids=$$-$PPID.", r"pids=(\d+)-(\d+)")
    for pid in found.groups():
        environment = psutil.Process(int(pid)).environ()
        assert not [key for key in environment if key.startswith("PERIJOVE")]
        assert perijove.token not in " ".join(environment.values())


def test_a_terminal_costs_little(perijove: RunningPerijove, name: str) -> None:
    del name
    holders = [
        one for one in perijove.descendants() if "backends.holder" in " ".join(command_line(one))
    ]
    assert holders
    assert all(one.memory_full_info().uss < 8 * 1024 * 1024 for one in holders)
