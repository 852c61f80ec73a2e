"""Who may die, and what becomes of the others."""

import asyncio
import signal
from pathlib import Path

import psutil
from perijove.kernels.v1 import channels_pb2, kernels_pb2

from services.runner.tests.house import House


async def test_a_killed_runner_comes_back_and_finds_its_kernels(house: House) -> None:
    await house.launch()
    await house.run("x = 41")
    kernel, runner = house.kernel_process(), house.runner()
    runner.kill()
    await house.until(lambda: len(house.registry.hellos) == 2)
    assert house.runner().pid != runner.pid
    assert house.kernel_process() == kernel
    assert kernel.ppid() == house.supervisor.pid
    assert await house.run("print(x + 1)") == ["42\n"]
    (found,) = house.registry.hellos[1].kernels
    assert found.epoch == 1


async def test_a_client_of_a_killed_runner_is_told_of_the_gap(house: House) -> None:
    await house.launch()
    call, attached = await house.attach()
    assert not attached.attached.resumed
    call.cancel()
    house.runner().kill()
    await house.until(lambda: len(house.registry.hellos) == 2)
    call, attached = await house.attach()
    assert attached.attached.resumed
    assert (await call.read()).gap.cause == channels_pb2.GAP_CAUSE_RUNNER_RESTARTED
    call.cancel()


async def test_how_a_kernel_ended_is_known_even_without_a_runner(house: House) -> None:
    await house.launch()
    await house.run("pass")
    kernel = house.kernel_process()
    house.runner().kill()
    kernel.send_signal(signal.SIGSEGV)
    await house.until(lambda: house.registry.kernels["a"].epoch == 2)
    last_exit = house.registry.kernels["a"].last_exit
    assert (last_exit.cause, last_exit.signal) == (
        kernels_pb2.EXIT_CAUSE_SIGNALED,
        signal.SIGSEGV,
    )


async def test_how_an_adopted_kernel_ends_is_known(house: House) -> None:
    await house.launch()
    await house.run("pass")
    house.runner().kill()
    await house.until(lambda: len(house.registry.hellos) == 2)
    ending = asyncio.create_task(house.run("import os; os._exit(7)"))
    await house.until(lambda: house.registry.kernels["a"].epoch == 2)
    ending.cancel()
    await asyncio.gather(ending, return_exceptions=True)
    assert house.registry.kernels["a"].last_exit.exit_code == 7


async def test_told_to_stop_it_leaves_no_process(house: House) -> None:
    await house.launch()
    child = await house.run(
        "import subprocess; print(subprocess.Popen(['sleep', '999'], start_new_session=True).pid)"
    )
    everything = psutil.Process(house.supervisor.pid).children(recursive=True)
    assert int(child[0]) in {process.pid for process in everything}
    house.supervisor.terminate()
    assert await house.supervisor.wait() == 0
    assert [process for process in everything if process.is_running()] == []
    assert list((house.directory / "s" / "k").iterdir()) == []
    await house.until(lambda: house.registry.kernels == {})


async def test_told_to_stop_it_keeps_the_kernels_if_it_shall(
    directory: Path,
) -> None:
    house = House(directory)
    registry = await house.serve_registry()
    house.supervisor = await house.start(kernels_on_stop="keep")
    await house.launch()
    await house.run("x = 1")
    kernel = house.kernel_process()
    house.supervisor.terminate()
    assert await house.supervisor.wait() == 0
    assert kernel.is_running()
    house.supervisor = await house.start()
    await house.until(lambda: len(house.registry.hellos) == 2)
    assert house.kernel_process() == kernel
    assert await house.run("print(x)") == ["1\n"]
    house.supervisor.terminate()
    await house.supervisor.wait()
    assert not kernel.is_running()
    await house.channel.close()
    await registry.stop(0)


async def test_without_its_supervisor_a_runner_ends_and_its_kernels_live(house: House) -> None:
    await house.launch()
    await house.run("x = 1")
    kernel, runner = house.kernel_process(), house.runner()
    house.supervisor.kill()
    await house.supervisor.wait()
    await house.until(lambda: not runner.is_running())
    assert kernel.is_running()
    house.supervisor = await house.start()
    assert await house.run("print(x)") == ["1\n"]
    await house.until(lambda: len(house.registry.hellos) == 2)
    assert house.kernel_process() == kernel


async def test_what_cannot_run_is_not_tried_again(house: House, directory: Path) -> None:
    await house.until(lambda: bool(house.registry.hellos))
    for settings, said in [
        ({}, "another runner uses the state directory"),
        ({"state_dir": "relative"}, "must be an absolute path"),
        ({"state_dir": f"/tmp/{'x' * 90}"}, "bytes too long"),  # noqa: S108 - never made
        ({"service_key": "short"}, "PERIJOVE_RUNNER_SERVICE_KEY"),
        ({"capacity": "0"}, "PERIJOVE_RUNNER_CAPACITY"),
        ({"id": "a/b"}, "PERIJOVE_RUNNER_ID"),
    ]:
        house.log.write_text("")
        other = await house.start(listen=f"unix:{directory}/other.sock", **settings)
        assert await other.wait() == 2
        assert said in house.log.read_text()
    assert house.runner().is_running()
