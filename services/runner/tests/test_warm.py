"""Kernels that were started before anyone asked for them, beside those started then."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from perijove_runner.model import ExecutionState
from prometheus_client import generate_latest

from services.runner.tests.house import House
from services.runner.tests.stand import Stand
from services.runner.tests.warm_look import LOOK

MODULE = "import os\nSEEN = os.environ.get('SEEN')\n"


@asynccontextmanager
async def keeping_warm(directory: Path, plan: str, **environ: str) -> AsyncIterator[Stand]:
    inherited = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    # The history is the test's own: others count up the sessions of the user's.
    inherited["IPYTHONDIR"] = f"{directory}/ipython"
    stand = Stand(directory, {**inherited, **environ}, warm=plan)
    await stand.machine.look()
    keeping = asyncio.create_task(stand.machine.warm.run(stand.manager.occupancy))
    try:
        yield stand
    finally:
        await stand.close()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    assert processes(directory) == []


@pytest.fixture
async def warm(directory: Path) -> AsyncIterator[Stand]:
    secret = {"PERIJOVE_RUNNER_SERVICE_KEY": "secret"}
    async with keeping_warm(directory, "python3:1", KEPT="kept", **secret) as stand:
        await stand.until(lambda: ready(stand) == 1)
        yield stand


def ready(stand: Stand) -> int:
    return sum(stand.machine.warm.ready().values())


def launches(stand: Stand) -> tuple[int, int]:
    return stand.machine.warm.warm, stand.machine.warm.cold


def processes(directory: Path) -> list[psutil.Process]:
    """Return the kernels of a state directory, claimed or not."""
    below = f"{directory}/"
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(below in part for part in process.info["cmdline"] or ())
        and "ipykernel_launcher" in process.info["cmdline"]
    ]


def preloading(directory: Path, **more: object) -> Path:
    """Write a kernelspec whose program is ipykernel, with a module of the test preloaded."""
    folder = directory / "jupyter" / "kernels" / "mine"
    folder.mkdir(parents=True, exist_ok=True)
    (directory / "lib").mkdir(exist_ok=True)
    (directory / "lib" / "mine_preloaded.py").write_text(MODULE)
    spec = {
        "argv": ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Mine",
        "language": "python",
        "env": {"PYTHONPATH": f"{directory}/lib"},
        "metadata": {"perijove": {"preload": ["mine_preloaded"]}},
    }
    (folder / "kernel.json").write_text(json.dumps({**spec, **more}))
    return folder / "kernel.json"


async def seen(stand: Stand, directory: Path) -> dict[str, Any]:
    await stand.launch(
        environment={"ONE": "1", "JPY_SESSION_NAME": "\u00e4.ipynb", "KERNEL_USER": "me"},
        working_directory=str(directory),
    )
    said = await stand.run(LOOK)
    found: dict[str, Any] = json.loads(said.partition("<<")[2].rpartition(">>")[0])
    await stand.manager.shut_down("a")
    return found


async def test_a_warm_kernel_is_what_a_cold_one_is(warm: Stand, tmp_path: Path) -> None:
    hot = await seen(warm, tmp_path)
    await warm.until(lambda: ready(warm) == 1)
    await warm.machine.warm._close()
    cold = await seen(warm, tmp_path)
    assert launches(warm) == (1, 1)
    # Each kernel has a key and a number in the history of its own.
    assert hot["connection"].pop("key") != cold["connection"].pop("key")
    (one, *lines), (two, *others) = hot.pop("history"), cold.pop("history")
    assert (one + 1, lines) == (two, others)
    assert hot["environ"][-1] == cold["environ"][-1]
    different = {name: (hot[name], cold[name]) for name in cold if hot[name] != cold[name]}
    assert different == {}


async def test_each_is_claimed_once_and_made_up_for(warm: Stand) -> None:
    (before,) = processes(warm.state_dir)
    await asyncio.gather(warm.launch("a"), warm.launch("b"))
    assert launches(warm) == (1, 1)
    assert before.pid in [process.pid for process in processes(warm.state_dir)]
    await warm.until(lambda: ready(warm) == 1)
    assert len(processes(warm.state_dir)) == 3
    # Beside two kernels there is room for one more, and beside three for none.
    await warm.launch("c")
    assert launches(warm) == (2, 1)
    await warm.until(lambda: warm.view("c").execution_state is ExecutionState.IDLE)
    await warm.manager.shut_down("b")
    await warm.until(lambda: ready(warm) == 1)
    counted = generate_latest(warm.machine.metrics).decode()
    assert 'perijove_warm_kernels{kernelspec="python3"} 1.0' in counted
    assert 'perijove_launches_total{start="warm"} 2.0' in counted


async def test_a_restarted_kernel_is_a_warm_one_too(warm: Stand) -> None:
    await warm.launch(environment={"ONE": "1"})
    assert await warm.run("import os; x = os.environ['ONE']; print(x)") == "1\n"
    await warm.until(lambda: ready(warm) == 1)
    await warm.manager.restart("a")
    assert launches(warm) == (2, 0)
    assert await warm.run("import os; print(os.environ['ONE'], 'x' in globals())") == "1 False\n"


async def test_what_an_interpreter_reads_at_its_start_asks_for_a_cold_one(warm: Stand) -> None:
    await warm.launch(environment={"PYTHONHASHSEED": "7"})
    assert launches(warm) == (0, 1)
    assert await warm.run("import sys; print(sys.flags.hash_randomization, hash('a'))")
    await warm.launch(
        "b", environment={"BIG": "x" * 60_000, "BIGGER": "y" * 65_000, "Z": "z" * 65_000}
    )
    assert launches(warm) == (0, 2)
    assert ready(warm) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_one_that_is_dead_or_does_not_move_is_replaced_by_a_cold_one(
    warm: Stand, number: signal.Signals
) -> None:
    (waiting,) = processes(warm.state_dir)
    waiting.send_signal(number)
    await warm.launch()
    assert launches(warm) == (0, 1)
    assert await warm.run("print(1)") == "1\n"
    assert waiting.pid not in [process.pid for process in processes(warm.state_dir)]


async def test_a_change_of_the_kernelspec_or_of_what_is_installed_makes_it_anew(
    directory: Path,
) -> None:
    file = preloading(directory)
    paths = {"JUPYTER_PATH": f"{directory}/jupyter"}
    async with keeping_warm(directory, "mine:1", **paths) as stand:
        await stand.until(lambda: ready(stand) == 1)
        (first,) = processes(directory)
        (directory / "lib" / "other.py").touch()
        await stand.until(lambda: not first.is_running() and ready(stand) == 1)
        (second,) = processes(directory)
        preloading(directory, env={"PYTHONPATH": f"{directory}/lib", "SEEN": "yes"})
        await stand.machine.look()
        await stand.until(lambda: not second.is_running() and ready(stand) == 1)
        # What has been looked at cannot be changed, and the rest can.
        await stand.launch(kernelspec_name="mine", environment={"SEEN": "no"})
        await stand.launch("b", kernelspec_name="mine", environment={"OTHER": "1"})
        assert launches(stand) == (1, 1)
        await stand.manager.shut_down("b")
        said = await stand.run("import mine_preloaded as m, sys; print(m.SEEN, sys.path[-1])")
        assert said.startswith("no ")
        file.unlink()
        await stand.machine.look()
        await stand.until(lambda: ready(stand) == 0)


async def test_one_that_cannot_be_started_is_tried_again_and_stops_nothing(
    directory: Path,
) -> None:
    preloading(directory)
    (directory / "lib" / "mine_preloaded.py").write_text("import os; os._exit(3)\n")
    paths = {"JUPYTER_PATH": f"{directory}/jupyter"}
    async with keeping_warm(directory, "mine:1 echo:1 none:1", **paths) as stand:
        kind = stand.machine.warm._kinds["mine"]
        await stand.until(lambda: kind.pause_s > 1)
        await stand.launch(kernelspec_name="mine")
        assert await stand.run("print(1)") == "1\n"
        (directory / "lib" / "mine_preloaded.py").write_text(MODULE)
        await stand.until(lambda: ready(stand) == 1)
        assert kind.pause_s == 1


@pytest.mark.parametrize("victim", ["runner", "supervisor", "both"])
async def test_none_outlives_a_killed_runner(directory: Path, victim: str) -> None:
    house = House(directory)
    registry = await house.serve_registry()
    house.supervisor = await house.start(warm="python3:1")
    try:
        await house.until(lambda: len(processes(directory)) == 1)
        (waiting,) = processes(directory)
        runner = house.runner()
        if victim != "runner":
            house.supervisor.kill()
        if victim != "supervisor":
            runner.kill()
        await house.until(lambda: not waiting.is_running())
        if victim == "runner":
            await house.until(lambda: len(processes(directory)) == 1)
            house.supervisor.terminate()
        await house.until(lambda: processes(directory) == [])
    finally:
        if house.supervisor.returncode is None:
            house.supervisor.terminate()
        await house.supervisor.wait()
        await house.channel.close()
        await registry.stop(0)
