"""A runner that is drained: it takes nothing new, and leaves."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from perijove.kernels.v1 import kernels_pb2
from perijove.runners.v1 import runner_pb2 as pb
from perijove_chassis import errors
from perijove_chassis.status import rpc_errors_as_domain
from perijove_runner.backends.drain_file import DrainFile
from perijove_runner.draining import Draining

if TYPE_CHECKING:
    from pathlib import Path

    from services.runner.tests.house import House


async def drain(house: House, within_s: float | None = None, reason: str = "a new kernel") -> Any:
    request = pb.BeginDrainRequest(reason=reason, requested_by="ada")
    if within_s is not None:
        request.within.FromTimedelta(timedelta(seconds=within_s))
    return (await house.stub.BeginDrain(request)).drain


async def ended(house: House) -> int:
    async with asyncio.timeout(60):
        return await house.supervisor.wait()


async def start_anew(house: House, **settings: str) -> None:
    """Stop the supervisor, if it runs, and start another one."""
    if house.supervisor.returncode is None:
        house.supervisor.terminate()
    await ended(house)
    house.registry.said_goodbye = False
    house.registry.hellos.clear()
    house.supervisor = await house.start(**settings)
    await house.until(lambda: bool(house.registry.hellos))


async def test_a_drained_runner_takes_nothing_new_and_leaves_when_it_is_empty(
    house: House,
) -> None:
    await house.launch()
    assert (await drain(house)).reason == "a new kernel"
    with pytest.raises(errors.FailedPrecondition) as caught, rpc_errors_as_domain():
        await house.launch("b")
    assert caught.value.reason == "RUNNER_DRAINING"
    assert not (await house.launch("a")).created  # what is here stays
    await house.until(lambda: house.registry.runner.drain.requested_by == "ada")
    assert await house.run("print(6 * 7)") == ["42\n"]
    await house.stub.ShutdownKernel(pb.ShutdownKernelRequest(kernel_id="a"))
    assert await ended(house) == 0
    assert house.registry.said_goodbye
    assert "the runner has left, since it was drained" in house.log.read_text()
    assert [p.name for p in (house.directory / "s").glob("drain*")] == []


async def test_at_the_deadline_its_kernels_are_ended_and_told_why(house: House) -> None:
    await house.launch()
    await house.run("pass")
    process = house.kernel_process()
    call, _ = await house.attach()
    await drain(house, within_s=0.5, reason="the machine gets a new disk.")
    assert await ended(house) == 0
    call.cancel()
    assert not psutil.pid_exists(process.pid)
    assert house.registry.told[-2:] == ["DEAD", "gone 1"]
    last_exit = house.registry.last.last_exit
    assert last_exit.cause == kernels_pb2.EXIT_CAUSE_RUNNER_DRAINED
    assert last_exit.message == (
        "The kernel was shut down, since its runner is drained by ada: the machine gets a new disk."
    )


async def test_a_drain_survives_the_death_of_the_runner(house: House) -> None:
    await house.launch()
    await house.run("x = 1")
    before = await drain(house, within_s=3600)
    house.runner().kill()
    await house.until(lambda: len(house.registry.hellos) == 2)
    assert house.registry.hellos[1].runner.drain == before
    with pytest.raises(errors.FailedPrecondition), rpc_errors_as_domain():
        await house.launch("b")
    await house.stub.EndDrain(pb.EndDrainRequest())
    await house.until(lambda: not house.registry.runner.HasField("drain"))
    assert (await house.launch("b")).created


async def test_who_comes_after_one_that_has_left_takes_kernels(
    house: House,
) -> None:
    await drain(house)
    assert await ended(house) == 0
    await start_anew(house)
    assert not house.registry.runner.HasField("drain")
    assert (await house.launch()).created


async def test_told_to_stop_it_is_drained_first_if_it_shall(house: House) -> None:
    await start_anew(house, drain_on_stop_s="3600")
    await house.launch()
    house.supervisor.terminate()
    await house.until(lambda: house.registry.runner.drain.reason == "it was told to stop")
    assert await house.run("print(6 * 7)") == ["42\n"]
    await house.stub.ShutdownKernel(pb.ShutdownKernelRequest(kernel_id="a"))
    assert await ended(house) == 0


async def test_told_to_stop_again_it_stops_at_once(house: House) -> None:
    await start_anew(house, drain_on_stop_s="3600")
    await house.launch()
    house.supervisor.terminate()
    await house.until(lambda: house.registry.runner.HasField("drain"))
    house.supervisor.terminate()
    assert await ended(house) == 0
    await house.until(lambda: house.registry.kernels == {})


async def test_a_drain_that_is_over_cannot_be_ended(directory: Path) -> None:
    (directory / "s").mkdir()
    told: list[bool] = []
    draining = Draining(DrainFile(directory / "s"), lambda: told.append(True))
    draining.end()  # there is none
    empty = False
    leaving = asyncio.create_task(draining.over(lambda: empty))
    draining.begin("x", None)
    draining.end()
    draining.begin("y", 3600.0)
    assert DrainFile(directory / "s").load() == draining.drain
    empty = True
    assert (await leaving).reason == "y"
    with pytest.raises(errors.FailedPrecondition):
        draining.end()
    assert len(told) == 3
