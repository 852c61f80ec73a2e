"""Kernels that others have started."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from typing import TYPE_CHECKING

import pytest
from perijove_chassis.errors import FailedPrecondition, NotFound
from perijove_runner.culling import Culler, CullRule
from perijove_runner.external.backends.files import ConnectionDirectory
from perijove_runner.external.model import LABEL
from perijove_runner.external.watching import ExternalKernels
from perijove_runner.model import ExecutionState, ExitCause

from services.runner.tests.stand import Stand

if TYPE_CHECKING:
    from pathlib import Path

    from tests.relays import IpyKernel


def looking(stand: Stand, kernel: IpyKernel) -> ExternalKernels:
    return ExternalKernels(stand.manager, ConnectionDirectory(str(kernel.directory)))


async def taken_in(stand: Stand, kernel: IpyKernel) -> tuple[ExternalKernels, str]:
    """Look until the kernel is there; return what looks, and its id."""
    external = looking(stand, kernel)
    while not stand.manager.external():
        await external.look()
    (kernel_id,) = stand.manager.external().values()
    await stand.manager.relay(kernel_id).ready(60)
    return external, kernel_id


def is_alive(kernel: IpyKernel) -> bool:
    assert kernel.process
    return kernel.process.poll() is None


async def test_a_kernel_of_others_is_taken_in_once_and_answers(
    stand: Stand, kernel: IpyKernel
) -> None:
    external, kernel_id = await taken_in(stand, kernel)
    await external.look()
    ((found, one),) = stand.manager.external().items()
    assert (found.name, found.connection, one) == ("c.json", kernel.connection, kernel_id)
    view = stand.view(kernel_id)
    assert (view.kernelspec_name, view.labels) == ("python3", {LABEL: "c.json"})
    assert view.execution_state is ExecutionState.IDLE
    relay = stand.manager.relay(kernel_id)
    assert json.loads(await relay.request("shell", "kernel_info_request", b"{}", 60))
    await stand.manager.interrupt(kernel_id)
    with pytest.raises(FailedPrecondition):
        await stand.manager.restart(kernel_id)
    assert is_alive(kernel)


async def test_it_is_let_go_for_good_and_lives(stand: Stand, kernel: IpyKernel) -> None:
    external, kernel_id = await taken_in(stand, kernel)
    stand.feed.begin()
    await stand.manager.shut_down(kernel_id, "ada")
    (gone,) = (await stand.feed.take(0)).gone
    assert gone.last_exit
    assert gone.last_exit.cause is ExitCause.SHUTDOWN
    assert gone.last_exit.message.startswith("The kernel was let go of by ada.")
    for _ in range(3):
        await external.look()
    assert stand.manager.external() == {}
    # Under another file it is another kernel.
    (kernel.directory / "again.json").write_bytes((kernel.directory / "c.json").read_bytes())
    await external.look()
    assert [found.name for found in stand.manager.external()] == ["again.json"]
    assert is_alive(kernel)


async def test_it_is_lost_when_it_does_not_listen_any_more(stand: Stand, kernel: IpyKernel) -> None:
    external, kernel_id = await taken_in(stand, kernel)
    kernel.kill()
    await external.look()
    assert stand.manager.find(kernel_id)  # once may be chance
    stand.feed.begin()
    await external.look()
    (gone,) = (await stand.feed.take(0)).gone
    assert gone.execution_state is ExecutionState.DEAD
    assert gone.last_exit
    assert "cannot be reached" in gone.last_exit.message
    with pytest.raises(NotFound):
        stand.manager.relay(kernel_id)


async def test_the_next_runner_has_it_under_its_id(directory: Path, kernel: IpyKernel) -> None:
    stand = Stand(directory, dict(os.environ))
    _, kernel_id = await taken_in(stand, kernel)
    await stand.close(keep=True)
    stand = Stand(directory, dict(os.environ))
    try:
        await stand.manager.adopt()
        _, again = await taken_in(stand, kernel)
        assert again == kernel_id
        assert len(stand.manager.kernels()[0]) == 1
    finally:
        await stand.close()
    assert is_alive(kernel)


async def test_it_is_not_culled(stand: Stand, kernel: IpyKernel) -> None:
    _, kernel_id = await taken_in(stand, kernel)
    await Culler(stand.manager, CullRule(idle_s=1.0), clock=lambda: time.time() + 60).look()
    assert stand.manager.find(kernel_id)


async def test_one_that_signs_in_an_unknown_way_is_refused_once(
    stand: Stand, kernel: IpyKernel
) -> None:
    external = looking(stand, kernel)
    await taken_in(stand, kernel)
    odd = dataclasses.replace(kernel.connection, signature_scheme="none")
    (kernel.directory / "odd.json").write_text(json.dumps(dataclasses.asdict(odd)))
    await external.look()
    assert [found.name for found in stand.manager.external()] == ["c.json"]
    assert {found.name: bool(id_) for found, id_ in external._known.items()} == {
        "c.json": True,
        "odd.json": False,
    }


async def test_there_is_no_more_room_for_them_than_for_others(
    stand: Stand, kernel: IpyKernel
) -> None:
    await taken_in(stand, kernel)
    whole = (kernel.directory / "c.json").read_bytes()
    for number in range(5):
        (kernel.directory / f"{number}.json").write_bytes(whole)
    await looking(stand, kernel).look()
    assert len(stand.manager.external()) == 3  # what the stand has room for
