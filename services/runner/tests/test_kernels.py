"""Real kernels, from launch to end."""

import asyncio
import dataclasses
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from perijove_chassis import grpc_switches
from perijove_chassis.errors import FailedPrecondition, NotFound, ResourceExhausted
from perijove_runner.backends import layout, state_directory
from perijove_runner.backends.spool import SpoolRoom
from perijove_runner.model import ExecutionState, ExitCause, LaunchRequest
from perijove_runner.snapshot import SpoolLimits

from services.runner.tests.stand import Stand


async def test_a_launched_kernel_runs_code_and_says_what_it_does(stand: Stand) -> None:
    await stand.launch()
    assert stand.view().execution_state is ExecutionState.STARTING
    assert stand.view().epoch == 1
    assert await stand.run("print(6 * 7)") == "42\n"
    await stand.until(lambda: stand.view().execution_state is ExecutionState.IDLE)


async def test_a_launch_with_the_id_of_a_kernel_returns_that_one(stand: Stand) -> None:
    request = LaunchRequest("a", "PYTHON3", "", {}, {})
    launched = await asyncio.gather(*(stand.manager.launch(request) for _ in range(3)))
    assert sorted(created for _, created in launched) == [False, False, True]
    stand.process()


async def test_a_launch_beyond_the_capacity_or_of_nothing_known_is_refused(stand: Stand) -> None:
    stand.manager._capacity = 1
    with pytest.raises(NotFound) as caught:
        await stand.launch(kernelspec_name="cobol")
    assert caught.value.reason == "NO_SUCH_KERNELSPEC"
    await stand.launch()
    with pytest.raises(ResourceExhausted) as full:
        await stand.launch("b")
    assert full.value.reason == "NO_CAPACITY"
    assert len(list((stand.state_dir / "k").iterdir())) == 1


async def test_a_process_gets_its_directory_and_environment_and_none_of_ours(
    directory: Path, tmp_path: Path
) -> None:
    ours = {"JPY_PARENT_PID": "1", "PERIJOVE_RUNNER_SERVICE_KEY": "secret", "KEPT": "kept"}
    ours[grpc_switches.VARIABLE] = grpc_switches.FEWER_THREADS
    stand = Stand(directory, {**os.environ, **ours})
    await stand.machine.look()
    await stand.launch(
        working_directory=str(tmp_path / "none" / "such"),
        environment={"JPY_SESSION_NAME": "a.ipynb", "JPY_PARENT_PID": "1"},
    )
    for _ in range(2):
        said = await stand.run(
            "import os; print(os.getcwd(), os.environ['JPY_SESSION_NAME'], os.environ['KEPT'],"
            "'JPY_PARENT_PID' in os.environ, [n for n in os.environ if n.startswith('PERIJOVE_')],"
            "oct(os.umask(0o22)), os.getpgid(0) == os.getpid(), os.getenv('GRPC_EXPERIMENTS'))"
        )
        assert said == f"{tmp_path} a.ipynb kept False [] 0o22 True None\n"
        await stand.manager.restart("a")
    await stand.close()


async def test_an_update_changes_labels_and_the_environment_of_later_processes(
    stand: Stand,
) -> None:
    await stand.launch(environment={"ONE": "1", "TWO": "2"}, labels={"x": "y"})
    updated = await stand.manager.update("a", {"z": ""}, {"TWO": "zwei"})
    assert updated.labels == {"z": ""}
    await stand.manager.restart("a")
    code = "import os; print(os.environ['ONE'], os.environ['TWO'])"
    assert await stand.run(code) == "1 zwei\n"


@pytest.mark.parametrize("mode", ["signal", "message"])
async def test_an_interrupt_stops_a_cell_and_leaves_the_kernel(stand: Stand, mode: str) -> None:
    specs = stand.machine.kernelspecs._specs
    specs["odd"] = dataclasses.replace(specs["python3"], name="odd", interrupt_mode=mode)
    await stand.launch(kernelspec_name="odd")
    await stand.run("x = 1")
    running = asyncio.create_task(stand.run("while True: pass"))
    await stand.until(lambda: stand.view().execution_state is ExecutionState.BUSY)
    while not running.done():
        await stand.manager.interrupt("a")
        await asyncio.wait({running}, timeout=1)
    assert "error" in await running
    assert await stand.run("print(x)") == "1\n"


async def test_an_interrupt_during_the_start_harms_nothing(stand: Stand) -> None:
    await stand.launch()
    await stand.manager.interrupt("a")
    assert await stand.run("print(1)") == "1\n"
    assert stand.view().epoch == 1


async def test_a_restart_replaces_the_process_even_of_a_busy_kernel(stand: Stand) -> None:
    await stand.launch()
    await stand.run("x = 1")
    before = stand.process()
    endless = asyncio.create_task(stand.run("while True: pass"))
    await stand.until(lambda: stand.view().execution_state is ExecutionState.BUSY)
    kernel = await stand.manager.restart("a")
    endless.cancel()
    assert kernel.execution_state is not ExecutionState.BUSY
    assert (kernel.epoch, kernel.last_exit and kernel.last_exit.cause) == (2, ExitCause.RESTARTED)
    assert not before.is_running()
    assert "error" in await stand.run("x")
    await stand.until(lambda: stand.view().execution_state is ExecutionState.IDLE)


async def test_a_kernel_that_was_killed_is_restarted_and_says_why(stand: Stand) -> None:
    await stand.launch()
    await stand.run("x = 1")
    stand.process().kill()
    await stand.until(lambda: stand.view().epoch == 2)
    await stand.until(lambda: stand.view().execution_state is ExecutionState.IDLE)
    last_exit = stand.view().last_exit
    assert (last_exit.cause, last_exit.signal) == (ExitCause.SIGNALED, signal.SIGKILL)
    assert "error" in await stand.run("x")
    await stand.until(lambda: stand.view().execution_state is ExecutionState.IDLE)


async def test_a_kernel_that_exited_says_with_which_code(stand: Stand) -> None:
    await stand.launch()
    with suppress(RuntimeError):
        # Its client is told nothing any more.
        ending = asyncio.create_task(stand.run("import os; os._exit(7)"))
        await stand.until(lambda: stand.view().epoch == 2)
        ending.cancel()
    assert stand.view().last_exit.exit_code == 7
    assert stand.view().last_exit.cause is ExitCause.EXITED


async def test_a_kernel_that_keeps_dying_is_given_up(stand: Stand) -> None:
    await stand.launch(environment={"PYTHONHOME": "/none"})
    stand.feed.begin()
    gone: list[Any] = []
    async with asyncio.timeout(60):
        while not gone:
            gone.extend((await stand.feed.take(1)).gone)
    assert gone[0].execution_state is ExecutionState.DEAD
    assert gone[0].epoch == 6
    assert gone[0].last_exit.cause is ExitCause.EXITED
    assert "No module named 'encodings'" in gone[0].last_exit.output
    assert str(stand.state_dir) not in gone[0].last_exit.output
    assert stand.manager.kernels()[0] == []
    assert list((stand.state_dir / "k").iterdir()) == []
    assert list((stand.state_dir / "p").iterdir()) == []


async def test_a_command_that_is_not_there_is_a_failed_start(stand: Stand) -> None:
    specs = stand.machine.kernelspecs._specs
    specs["odd"] = dataclasses.replace(specs["python3"], name="odd", argv=("/none/such",))
    with pytest.raises(FailedPrecondition) as caught:
        await stand.launch(kernelspec_name="odd")
    assert caught.value.reason == "KERNEL_START_FAILED"
    assert str(caught.value) == "/none/such could not be run: No such file or directory"
    assert stand.manager.kernels()[0] == []
    assert list((stand.state_dir / "k").iterdir()) == []


async def test_a_shutdown_leaves_no_process_and_no_file(stand: Stand) -> None:
    await stand.launch()
    child = await stand.run(
        "import subprocess; print(subprocess.Popen(['sleep', '1000']).pid, end='')"
    )
    process = stand.process()
    await stand.manager.shut_down("a")
    await stand.until(lambda: not psutil.pid_exists(int(child)))
    assert not process.is_running()
    assert list((stand.state_dir / "k").iterdir()) == []
    assert list((stand.state_dir / "p").iterdir()) == []
    with pytest.raises(NotFound, match="Kernel does not exist: a"):
        await stand.manager.shut_down("a")


async def test_a_kernel_that_ignores_every_request_is_shut_down(stand: Stand) -> None:
    await stand.launch()
    await stand.run("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    process = stand.process()
    process.suspend()
    await stand.manager.close(keep=False, polite_s=0.1)
    assert not process.is_running()


async def test_the_next_runner_finds_the_kernels(directory: Path) -> None:
    first = Stand(directory, dict(os.environ))
    await first.machine.look()
    await first.launch(labels={"x": "y"}, environment={"ONE": "1"})
    await first.run("x = 41")
    pid = first.process().pid
    before = first.view()
    await first.close(keep=True)
    second = Stand(directory, dict(os.environ))
    await second.manager.adopt()
    assert second.process().pid == pid
    after = second.view()
    assert after.revision > before.revision
    assert (after.epoch, after.labels) == (before.epoch, before.labels)
    assert after.create_time == before.create_time
    assert await second.run("print(x + 1)") == "42\n"
    await second.manager.restart("a")
    assert await second.run("import os; print(os.environ['ONE'])") == "1\n"
    await second.close()


async def test_the_next_runner_restarts_a_kernel_that_died_meanwhile(directory: Path) -> None:
    first = Stand(directory, dict(os.environ))
    await first.machine.look()
    await first.launch()
    await first.run("pass")
    process = first.process()
    await first.close(keep=True)
    process.kill()
    second = Stand(directory, dict(os.environ))
    await second.manager.adopt()
    await second.until(lambda: second.view().epoch == 2)
    assert await second.run("print(1)") == "1\n"
    await second.close()


async def test_a_process_whose_launch_was_not_recorded_is_ended(directory: Path) -> None:
    first = Stand(directory, dict(os.environ))
    await first.machine.look()
    await first.launch()
    held = first.manager._kernels["a"]
    process = first.process()
    first.machine.state.save(dataclasses.replace(held._record, process=None))
    await held.release()
    first.machine.state.close()
    second = Stand(directory, dict(os.environ))
    await second.manager.adopt()
    assert second.manager.kernels()[0] == []
    await second.until(lambda: not process.is_running())
    await second.close()


def test_two_runners_cannot_use_one_state_directory(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_directory, "_LOCK_TRIES", 2)
    room = SpoolRoom(SpoolLimits())
    first = state_directory.StateDirectory(layout.StateLayout(str(directory)), room)
    with pytest.raises(ValueError, match="another runner uses"):
        state_directory.StateDirectory(layout.StateLayout(str(directory)), room)
    first.close()
    state_directory.StateDirectory(layout.StateLayout(str(directory)), room).close()
