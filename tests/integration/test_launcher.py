"""The command of one machine, from outside: what it says, and what it leaves."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from perijove_chassis import grpc_switches

from tests.jupyter_ws import JupyterClient
from tests.running import Home, RunningPerijove, command_line, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RESTARTABLE = ("gateway_http", "contents", "sessions", "kernels", "redis")


def test_the_banner_says_how_to_open_reach_and_stop_it(
    perijove: RunningPerijove,
) -> None:
    said = perijove.said
    assert f"{perijove.url}lab?token={perijove.token}" in said
    assert str(perijove.root_dir) in said
    assert perijove.target("kernels") in said
    assert str(perijove.runtime_dir / "logs") in said
    assert "Ctrl-C" in said


def test_what_it_writes_is_for_this_user_only(perijove: RunningPerijove) -> None:
    assert perijove.runtime_dir.stat().st_mode & 0o777 == 0o700
    for path in perijove.runtime_dir.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0 or path.parent != perijove.runtime_dir, path
    assert (perijove.runtime_dir / "perijove.json").stat().st_mode & 0o777 == 0o600


def test_no_secret_is_on_a_command_line_or_in_a_log(perijove: RunningPerijove) -> None:
    for process in perijove.descendants():
        assert perijove.token not in " ".join(command_line(process))
    environment = psutil.Process(perijove.pid("contents")).environ()
    key = environment["PERIJOVE_CONTENTS_SERVICE_KEY"]
    for process in perijove.descendants():
        assert key not in " ".join(command_line(process))
    for log in perijove.runtime_dir.glob("logs/*"):
        assert perijove.token not in log.read_text()
        assert key not in log.read_text()


def test_the_runner_does_not_hold_the_key_of_all_services(
    perijove: RunningPerijove,
) -> None:
    key = psutil.Process(perijove.pid("contents")).environ()["PERIJOVE_CONTENTS_SERVICE_KEY"]
    for name in ("runner", "runner_supervisor"):
        environment = psutil.Process(perijove.pid(name)).environ()
        assert key not in environment.values()
        assert perijove.token not in environment.values()


def test_jupyter_finds_it_among_its_servers(perijove: RunningPerijove) -> None:
    command = [sys.executable, "-m", "jupyter", "server", "list", "--json"]
    listed = subprocess.run(
        command,
        env=perijove.home.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    (found,) = map(json.loads, listed.stdout.splitlines())
    assert found["url"] == perijove.url
    assert found["token"] == perijove.token
    assert found["pid"] == perijove.process.pid
    assert found["root_dir"] == str(perijove.root_dir)


def test_it_lists_itself(perijove: RunningPerijove) -> None:
    command = [str(Path(sys.executable).with_name("perijove")), "list"]
    listed = subprocess.run(
        command,
        env=perijove.home.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert listed.stdout == f"{perijove.url}?token={perijove.token} :: {perijove.root_dir}\n"


@pytest.fixture(autouse=True)
def no_signal_is_ignored() -> Iterator[None]:
    """Below nohup, or a shell's `&`, the launcher would inherit that, and rightly keep to it."""
    before = [
        (signal.SIGHUP, signal.signal(signal.SIGHUP, signal.SIG_DFL)),
        (signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler)),
    ]
    yield
    for number, handler in before:
        signal.signal(number, handler)


@pytest.mark.parametrize("name", RESTARTABLE)
async def test_a_killed_process_is_restarted_and_said_so(
    perijove: RunningPerijove, jupyter: JupyterClient, name: str
) -> None:
    old = perijove.kill(name)
    await perijove.wait_restarted(name, old)
    await until(lambda: f"{name} (pid {old}) was killed by SIGKILL" in perijove.said)
    await until(lambda: f"{name} (pid {perijove.pid(name)}) runs again" in perijove.said)
    assert await jupyter.call("GET", "api/contents")
    assert await jupyter.call("GET", "api/sessions") == []


async def test_a_request_made_while_the_gateway_restarts_is_answered(
    perijove: RunningPerijove, jupyter: JupyterClient
) -> None:
    perijove.kill("gateway_http")
    assert "version" in await jupyter.call("GET", "api")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_told_to_stop_it_leaves_nothing(
    start_perijove: Callable[..., RunningPerijove], number: signal.Signals
) -> None:
    perijove = start_perijove()
    async with JupyterClient.http(perijove.token) as http:
        await JupyterClient(http, perijove.url).new_session("a.ipynb")
    announced = perijove.home.jupyter_runtime / f"jpserver-{perijove.process.pid}.json"
    assert announced.exists()
    perijove.stop(number)
    assert not announced.exists()
    assert "stopped" in perijove.said
    left = {path.name for path in perijove.runtime_dir.iterdir()}
    assert left <= {"lock", "logs", "redis", "runner", "runner.id"}


async def test_started_again_in_the_same_place_it_starts_kernels_at_once(
    start_perijove: Callable[..., RunningPerijove],
) -> None:
    before = start_perijove()
    async with JupyterClient.http(before.token) as http:
        await JupyterClient(http, before.url).new_session("a.ipynb")
    before.stop()
    perijove = start_perijove(home=before.home)
    async with JupyterClient.http(perijove.token) as http:
        jupyter = JupyterClient(http, perijove.url)
        # As many as make it unlikely to be lucky, had the registry kept the old runner.
        for number in range(4):
            await jupyter.new_session(f"{number}.ipynb")
        assert len(await jupyter.call("GET", "api/sessions")) == 4
    perijove.stop()


async def test_told_twice_it_kills_everything_at_once(
    start_perijove: Callable[..., RunningPerijove],
) -> None:
    perijove = start_perijove()
    below = perijove.descendants()
    stuck = psutil.Process(perijove.pid("contents"))
    stuck.suspend()
    perijove.process.send_signal(signal.SIGINT)
    await until(lambda: "stopping" in perijove.said)
    perijove.process.send_signal(signal.SIGINT)
    await until(lambda: perijove.process.poll() is not None)
    assert not [process for process in below if process.is_running()]


async def test_when_the_launcher_is_killed_everything_ends(
    start_perijove: Callable[..., RunningPerijove],
) -> None:
    perijove = start_perijove()
    async with JupyterClient.http(perijove.token) as http:
        await JupyterClient(http, perijove.url).new_session("a.ipynb")
    below = perijove.descendants()
    perijove.process.kill()
    perijove.process.wait()
    await until(lambda: not [process for process in below if process.is_running()])


RUNAWAY = """
import subprocess, sys
code = "import time; time.sleep(600)"
print(subprocess.Popen([sys.executable, "-c", code], start_new_session=True, env={}).pid)
"""


@pytest.mark.parametrize("killed", ["", "runner", "runner_supervisor"])
async def test_what_a_kernel_started_does_not_stay_behind(
    start_perijove: Callable[..., RunningPerijove], killed: str
) -> None:
    perijove = start_perijove()
    async with JupyterClient.http(perijove.token) as http:
        jupyter = JupyterClient(http, perijove.url)
        session = await jupyter.new_session("a.ipynb")
        async with jupyter.kernel(session["kernel"]["id"]) as kernel:
            runaway = psutil.Process(int(await kernel.run(RUNAWAY)))
            pid = int(await kernel.run("import os; print(os.getpid())"))
    if killed:
        await perijove.wait_restarted(killed, perijove.kill(killed))
    # The end of its kernel makes it an orphan.
    psutil.Process(pid).kill()
    perijove.stop()
    assert not runaway.is_running()


def test_two_run_side_by_side(start_perijove: Callable[..., RunningPerijove]) -> None:
    first, second = start_perijove(), start_perijove()
    assert first.url != second.url
    assert first.token != second.token
    first.stop()
    assert second.pid("gateway_http")
    assert second.process.poll() is None


def test_a_taken_port_is_one_clear_line(
    start_perijove: Callable[..., RunningPerijove],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        perijove = start_perijove("--port", str(port), ready=False)
        assert perijove.process.wait(60) == 1
    assert perijove.said.splitlines() == [
        f"perijove: error: port {port} is in use; choose another one with --port"
    ]


def test_a_root_that_does_not_exist_is_one_clear_line(
    start_perijove: Callable[..., RunningPerijove],
) -> None:
    perijove = start_perijove("--root-dir", "/does/not/exist", ready=False)
    assert perijove.process.wait(60) == 1
    assert perijove.said == "perijove: error: --root-dir /does/not/exist is not a directory\n"


def test_a_runtime_directory_in_use_is_one_clear_line(
    perijove: RunningPerijove,
    start_perijove: Callable[..., RunningPerijove],
) -> None:
    other = start_perijove("--runtime-dir", str(perijove.runtime_dir), ready=False)
    assert other.process.wait(60) == 1
    assert f"another perijove uses the runtime directory {perijove.runtime_dir}" in other.said
    assert len(other.said.splitlines()) == 1


def test_a_process_that_cannot_start_is_named_with_the_end_of_its_log(
    start_perijove: Callable[..., RunningPerijove],
) -> None:
    perijove = start_perijove(ready=False, PERIJOVE_GATEWAY_HTTP_HEADERS="none")
    assert perijove.process.wait(60) == 1
    assert "gateway_http" in perijove.said
    assert "does not start: it exited with status 2" in perijove.said
    assert "PERIJOVE_GATEWAY_HTTP_HEADERS" in perijove.said
    perijove.expect_nothing_left()


def test_a_value_that_is_none_is_one_clear_line_before_anything_is_started(
    start_perijove: Callable[..., RunningPerijove],
) -> None:
    perijove = start_perijove(ready=False, PERIJOVE_KERNELS_LOST_AFTER_S="soon")
    assert perijove.process.wait(60) == 1
    assert "PERIJOVE_KERNELS_LOST_AFTER_S: Expected `float`" in perijove.said
    assert len(perijove.said.splitlines()) == 1


async def test_settings_are_in_a_file_and_a_variable_that_nobody_reads_is_told(
    start_perijove: Callable[..., RunningPerijove], tmp_path: Path
) -> None:
    file = tmp_path / "perijove.toml"
    file.write_text('[up]\nbase-url = "/x"\ntoken = "t"\n[gateway_http]\nterminals = false\n')
    perijove = start_perijove("--config", str(file), PERIJOVE_RUNNER_CUL_BUSY="true")
    assert perijove.url.endswith("/x/")
    assert perijove.token == "t"
    assert "did you mean PERIJOVE_RUNNER_CULL_BUSY?" in perijove.said
    asked = f"{perijove.url}api/terminals"
    async with JupyterClient.http("t") as http, http.get(asked) as answer:
        assert answer.status == 404


async def test_a_base_url_goes_before_everything(
    start_perijove: Callable[..., RunningPerijove],
) -> None:
    perijove = start_perijove("--base-url", "/user/ada", "--token", "tok")
    assert perijove.url.endswith("/user/ada/")
    assert f"{perijove.url}lab?token=tok" in perijove.said
    async with JupyterClient.http("tok") as http:
        assert await JupyterClient(http, perijove.url).call("GET", "api/contents")


async def test_it_uses_the_redis_it_is_given(
    start_perijove: Callable[..., RunningPerijove], redis_url: str
) -> None:
    perijove = start_perijove("--redis-url", redis_url)
    assert not perijove.pid("redis")
    async with JupyterClient.http(perijove.token) as http:
        await JupyterClient(http, perijove.url).new_session("a.ipynb")


def test_stop_stops_the_one_that_is_named(
    start_perijove: Callable[..., RunningPerijove], tmp_path: Path
) -> None:
    home = Home(tmp_path)
    perijove = start_perijove(home=home)
    port = perijove.url.split(":")[2].split("/")[0]
    command = [str(Path(sys.executable).with_name("perijove")), "stop", port]
    stopping = subprocess.Popen(command, env=home.environment)
    assert perijove.process.wait(60) == 0
    assert stopping.wait(60) == 0


def test_the_browser_gets_a_private_file_and_outlives_everything(
    start_perijove: Callable[..., RunningPerijove], tmp_path: Path
) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(
        f'#!/bin/sh\necho "$$ $*" > {opened}.new; mv {opened}.new {opened}; sleep 60'
    )
    browser.chmod(0o700)
    perijove = start_perijove(DISPLAY=":0", BROWSER=f"{browser} %s &")
    wait_for(opened.exists)
    pid, address = opened.read_text().split()
    page = Path(address.removeprefix("file://"))
    assert page.stat().st_mode & 0o777 == 0o600
    assert f"{perijove.url}lab?token={perijove.token}" in page.read_text()
    perijove.stop()
    assert not page.exists()
    for process in (*psutil.Process(int(pid)).children(), psutil.Process(int(pid))):
        process.kill()


async def test_the_stray_variables_of_another_jupyter_do_no_harm(
    start_perijove: Callable[..., RunningPerijove],
) -> None:
    perijove = start_perijove(JPY_PARENT_PID=str(os.getpid()))
    assert "JPY_PARENT_PID" not in psutil.Process(perijove.pid("runner")).environ()


@pytest.mark.parametrize("given", [{}, {grpc_switches.VARIABLE: "-event_engine_dns"}])
def test_what_messages_pass_through_hands_them_on_less_often(
    start_perijove: Callable[..., RunningPerijove], given: dict[str, str]
) -> None:
    perijove = start_perijove(**given)
    usual = given or {grpc_switches.VARIABLE: grpc_switches.FEWER_THREADS}
    on_the_way = dict.fromkeys(("runner", "gateway_http", "contents"), usual)
    for name, told in (on_the_way | {"sessions": given}).items():
        environ = psutil.Process(perijove.pid(name)).environ()
        assert environ.get(grpc_switches.VARIABLE) == told.get(grpc_switches.VARIABLE)
