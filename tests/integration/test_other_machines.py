"""A runner that has joined from another machine: used, cut off, back, and started again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.executions import program_at
from tests.joined import JoinedRunner, command, install_kernelspec, invitation, token
from tests.jupyter_ws import JupyterClient
from tests.machines import Machine, why_not
from tests.running import Home, wait_for
from tests.terminal_ws import TerminalSocket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from tests.running import RunningPerijove

pytestmark = [
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "they can be made"),
    pytest.mark.timeout(300),
]

FAR = "far"
"""A kernelspec that only the other machine has."""
LOST_AFTER_S = "2"
PORT = 7480
SECOND = ("--listen", "0.0.0.0:7482")


@pytest.fixture(scope="module")
def machines() -> Iterator[tuple[Machine, Machine]]:
    """Make two machines with a link, and be on the first one."""
    here, there = Machine("10.211.0.1"), Machine("10.211.0.2")
    try:
        here.link_to(there)
        with here.inside():
            yield here, there
    finally:
        here.close()
        there.close()


@pytest.fixture(scope="module")
def deployment(
    machines: tuple[Machine, Machine], start_for_module: Callable[..., RunningPerijove]
) -> RunningPerijove:
    settings = {"PERIJOVE_KERNELS_LOST_AFTER_S": LOST_AFTER_S}
    return start_for_module("--pool-listen", f"{machines[0].address}:{PORT}", **settings)


@pytest.fixture(scope="module")
def far(
    deployment: RunningPerijove,
    machines: tuple[Machine, Machine],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[JoinedRunner]:
    """Join from the other machine, which has a kernelspec of its own."""
    installed = install_kernelspec(tmp_path_factory.mktemp("installed"), FAR)
    runner = JoinedRunner(Home(tmp_path_factory.mktemp("far")))
    with machines[1].inside():
        arguments = (*invitation(deployment.said), "--keep-kernels")
        runner.start(*arguments, **installed).wait_ready()
    yield runner
    runner.end()


@pytest.fixture
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JoinedRunner]:
    """Return one more runner, which is yet to be started."""
    runner = JoinedRunner(Home(tmp_path_factory.mktemp("other")))
    yield runner
    runner.end()


@pytest.fixture
async def jupyter(deployment: RunningPerijove) -> AsyncIterator[JupyterClient]:
    async with JupyterClient.http(deployment.token) as http:
        jupyter = JupyterClient(http, deployment.url)
        yield jupyter
        for kernel in await jupyter.call("GET", "api/kernels"):
            await jupyter.call("DELETE", f"api/kernels/{kernel['id']}", expect=204)


async def start(jupyter: JupyterClient, name: str = FAR) -> str:
    kernel = await jupyter.call("POST", "api/kernels", {"name": name}, expect=201)
    return str(kernel["id"])


def join_too(
    runner: JoinedRunner, deployment: RunningPerijove, machine: Machine, directory: Path
) -> None:
    """Start one more runner on a machine, which alone has the kernelspec `own`."""
    installed = install_kernelspec(directory, "own")
    join, where, _, text = invitation(token(deployment, "create"))
    with machine.inside():
        runner.start(join, where, *SECOND, PERIJOVE_JOIN_TOKEN=text, **installed).wait_ready()


async def until_state(jupyter: JupyterClient, kernel_id: str, *wanted: str) -> None:
    async with asyncio.timeout(60):
        while True:
            rows = await jupyter.call("GET", "api/kernels")
            states = {row["id"]: row["execution_state"] for row in rows}
            if states.get(kernel_id, "") in wanted:
                return
            await asyncio.sleep(0.05)


@pytest.mark.usefixtures("far")
async def test_kernels_of_another_machine_are_used_as_any(
    jupyter: JupyterClient, machines: tuple[Machine, Machine]
) -> None:
    specs = await jupyter.call("GET", "api/kernelspecs")
    assert {"python3", FAR} <= specs["kernelspecs"].keys()
    async with jupyter.kernel(await start(jupyter)) as kernel:
        network = await kernel.run("import os; print(os.readlink('/proc/self/ns/net'))")
        assert network.strip() == machines[1].network
        secrets = "print([name for name in os.environ if 'PERIJOVE' in name])"
        assert (await kernel.run(secrets)).strip() == "[]"


@pytest.mark.usefixtures("far")
async def test_terminals_are_on_both_machines(
    deployment: RunningPerijove, machines: tuple[Machine, Machine]
) -> None:
    found = set()
    async with JupyterClient.http(deployment.token) as http:
        jupyter = JupyterClient(http, deployment.url)
        names = [(await jupyter.call("POST", "api/terminals"))["name"] for _ in range(2)]
        assert {row["name"] for row in await jupyter.call("GET", "api/terminals")} == set(names)
        for name in names:
            url = f"{deployment.url}terminals/websocket/{name}"
            async with TerminalSocket(http, url) as terminal:
                shown = await terminal.run("readlink /proc/self/ns/net", r"(net:\[\d+\])")
                found.add(shown[1])
            await jupyter.call("DELETE", f"api/terminals/{name}", expect=204)
    assert found == {machine.network for machine in machines}


@pytest.mark.usefixtures("far")
async def test_a_program_runs_code_there_through_the_kernels_service(
    deployment: RunningPerijove, machines: tuple[Machine, Machine]
) -> None:
    async with program_at(deployment.target("kernels"), deployment.token) as program:
        kernel_id = await program.start_kernel(FAR)
        code = "import os; print(os.readlink('/proc/self/ns/net'))"
        call, _ = await program.run(kernel_id, code)
        assert call.printed.strip() == machines[1].network
        await program.shutdown(kernel_id)


@pytest.mark.usefixtures("far")
async def test_a_session_is_started_where_its_kernelspec_is(jupyter: JupyterClient) -> None:
    session = await jupyter.new_session("a.ipynb", FAR)
    async with jupyter.kernel(session["kernel"]["id"]) as kernel:
        assert await kernel.run("print(6 * 7)") == "42\n"
    await jupyter.call("DELETE", f"api/sessions/{session['id']}", expect=204)
    assert await jupyter.call("GET", "api/kernels") == []


@pytest.mark.usefixtures("far")
async def test_a_cut_link_loses_nothing(
    jupyter: JupyterClient, machines: tuple[Machine, Machine]
) -> None:
    kernel_id = await start(jupyter)
    code = "import time\nfor i in range(200):\n    print(i, flush=True); time.sleep(0.05)"
    async with jupyter.kernel(kernel_id) as kernel:
        await kernel.run("1")
        request = await kernel.start(code)
        await kernel.until(lambda: "5\n" in kernel.printed(request))
        machines[1].unplug()
        await until_state(jupyter, kernel_id, "dead")
        before = kernel.printed(request)
        machines[1].plug_in()
        await until_state(jupyter, kernel_id, "busy", "idle")
        await kernel.finished(request)
        assert not before.endswith("199\n")
        assert kernel.printed(request) == "".join(f"{i}\n" for i in range(200))
        assert await kernel.run("print(i)") == "199\n"


async def test_a_runner_that_starts_again_needs_no_token_and_has_its_kernels(
    far: JoinedRunner, jupyter: JupyterClient, machines: tuple[Machine, Machine]
) -> None:
    kernel_id, runner_id = await start(jupyter), far.runner_id
    async with jupyter.kernel(kernel_id) as kernel:
        await kernel.run("x = 12345")
        far.stop()
        with machines[1].inside():
            far.start("--keep-kernels").wait_ready()
        assert far.runner_id == runner_id
        await until_state(jupyter, kernel_id, "idle")
        assert await kernel.run("print(x)") == "12345\n"


def test_a_member_that_starts_before_there_is_a_network_waits_for_it(
    far: JoinedRunner, machines: tuple[Machine, Machine]
) -> None:
    far.stop()
    with machines[1].inside():
        machines[1].unplug()
        far.start("--keep-kernels")
        wait_for(lambda: "there is no way" in far.said)
        machines[0].unplug()
        machines[1].plug_in()
        wait_for(lambda: "announcement ended" in far.report())
        machines[0].plug_in()
        far.wait_ready()


async def test_a_runner_that_is_told_to_stop_leaves_nothing(
    deployment: RunningPerijove,
    other: JoinedRunner,
    jupyter: JupyterClient,
    machines: tuple[Machine, Machine],
    tmp_path: Path,
) -> None:
    join_too(other, deployment, machines[1], tmp_path)
    kernel_id = await start(jupyter, "own")
    other.stop()
    assert other.left() == []
    await until_state(jupyter, kernel_id, "")


async def test_a_runner_that_is_drained_leaves_and_ends(
    deployment: RunningPerijove,
    other: JoinedRunner,
    jupyter: JupyterClient,
    machines: tuple[Machine, Machine],
    tmp_path: Path,
) -> None:
    join_too(other, deployment, machines[1], tmp_path)
    kernel_id = await start(jupyter, "own")
    command(deployment, "drain", other.runner_id)
    assert (await jupyter.call("POST", "api/kernels", {"name": "own"}, expect=503))["message"]
    assert other.process and other.process.poll() is None, "it waits for its kernel"  # noqa: PT018
    await jupyter.call("DELETE", f"api/kernels/{kernel_id}", expect=204)
    assert await asyncio.to_thread(other.process.wait, 60) == 0
    assert other.said.count("since it was drained") == 1
    assert other.left() == []


async def test_a_runner_that_is_cast_out_is_heard_no_more(
    deployment: RunningPerijove,
    other: JoinedRunner,
    jupyter: JupyterClient,
    machines: tuple[Machine, Machine],
    tmp_path: Path,
) -> None:
    join_too(other, deployment, machines[1], tmp_path)
    kernel_id = await start(jupyter, "own")
    command(deployment, "cast-out", other.runner_id)
    await until_state(jupyter, kernel_id, "dead")
    other.stop()
    with machines[1].inside():
        other.start(*SECOND)
        wait_for(lambda: "PERMISSION_DENIED" in other.report())
    assert "is ready" not in other.said
    assert "own" not in (await jupyter.call("GET", "api/kernelspecs"))["kernelspecs"]


def test_who_has_no_right_token_does_not_join(
    deployment: RunningPerijove, other: JoinedRunner, machines: tuple[Machine, Machine]
) -> None:
    join, where, option, text = invitation(token(deployment, "create"))
    version, token_id, secret, fingerprint = text.split(".")
    wrong = {
        f"{version}.{token_id}.{secret[::-1]}.{fingerprint}": "unknown",
        f"{version}.{token_id}.{secret}.{fingerprint[::-1]}": "nothing was sent",
        text[:-3]: "not a whole token",
        "": "has not joined yet",
    }
    with machines[1].inside():
        for attempt, why in wrong.items():
            other.start(join, where, option, attempt, *SECOND)
            assert why in other.wait_refused()
            assert secret not in other.said
        other.start(join, f"{machines[0].address}:1", option, text, *SECOND)
        assert "nobody answers" in other.wait_refused()
    # The token itself was not used up by any of that.
    assert f"{token_id}  until" in token(deployment, "list")
    assert "0 of 1 used" in token(deployment, "list")
    token(deployment, "revoke", token_id)
    with machines[1].inside():
        other.start(join, where, option, text, *SECOND)
        assert "revoked" in other.wait_refused()


@pytest.mark.usefixtures("far")
def test_a_token_lets_one_machine_in(
    deployment: RunningPerijove, other: JoinedRunner, machines: tuple[Machine, Machine]
) -> None:
    with machines[1].inside():
        other.start(*invitation(deployment.said), *SECOND)
        assert "has been used" in other.wait_refused()
