"""Changes of sessions, and their ends."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from perijove.kernels.v1 import kernels_pb2
from perijove.sessions.v1 import sessions_pb2 as pb
from perijove_chassis import errors

if TYPE_CHECKING:
    from services.sessions.tests.conftest import World
    from services.sessions.tests.replicas import Replica


from services.sessions.tests.calls import (
    create,
    delete,
    get,
    listed,
    update,
)


async def test_a_session_is_renamed_and_its_kernel_is_told(world: World, replica: Replica) -> None:
    session = (await create(replica)).session
    changed = await update(replica, session.session_id, path="c/d.ipynb", name="d.ipynb")
    assert (changed.path, changed.name, changed.type) == ("c/d.ipynb", "d.ipynb", "notebook")
    assert changed.kernel.kernel_id == session.kernel.kernel_id
    assert await get(replica, session.session_id) == changed
    told = world.runner.updates[-1]
    assert dict(told.environment) == {"JPY_SESSION_NAME": "/srv/c/d.ipynb"}
    assert json.loads(told.labels[f"perijove.session.{session.session_id}"])["path"] == "c/d.ipynb"
    assert (await create(replica)).created  # the old path is free
    assert not (await create(replica, "c/d.ipynb")).created


async def test_only_the_named_fields_change(replica: Replica) -> None:
    session = (await create(replica)).session
    changed = await update(replica, session.session_id, "type", path="ignored", type="console")
    assert (changed.path, changed.type) == (session.path, "console")


async def test_a_session_gets_a_new_kernel_and_the_old_one_ends(
    world: World, replica: Replica
) -> None:
    session = (await create(replica)).session
    choice = pb.KernelChoice(kernelspec_name="python3")
    changed = await update(replica, session.session_id, kernel=choice)
    assert changed.session_id == session.session_id
    assert changed.kernel.kernel_id != session.kernel.kernel_id
    assert list(world.runner.kernels) == [changed.kernel.kernel_id]
    assert await listed(replica) == [changed]


async def test_a_session_takes_a_running_kernel_over(world: World, replica: Replica) -> None:
    session = (await create(replica)).session
    other = await world.kernels.kernels.StartKernel(kernels_pb2.StartKernelRequest())
    choice = pb.KernelChoice(kernel_id=other.kernel.kernel_id)
    changed = await update(replica, session.session_id, kernel=choice)
    assert changed.kernel.kernel_id == other.kernel.kernel_id
    assert list(world.runner.kernels) == [other.kernel.kernel_id]
    assert list(changed.kernel.labels) == [f"perijove.session.{session.session_id}"]


async def test_a_session_that_keeps_its_kernel_id_keeps_its_kernel(
    world: World, replica: Replica
) -> None:
    session = (await create(replica)).session
    choice = pb.KernelChoice(kernel_id=session.kernel.kernel_id, kernelspec_name="python3")
    await update(replica, session.session_id, kernel=choice)
    assert list(world.runner.kernels) == [session.kernel.kernel_id]


async def test_a_kernel_that_does_not_run_cannot_be_taken_over(
    world: World, replica: Replica
) -> None:
    session = (await create(replica)).session
    with pytest.raises(errors.InvalidArgument) as caught:
        await update(replica, session.session_id, kernel=pb.KernelChoice(kernel_id="nope"))
    assert caught.value.reason == "NO_SUCH_KERNEL"
    assert list(world.runner.kernels) == [session.kernel.kernel_id]


async def test_a_kernel_that_cannot_be_started_leaves_the_session_as_it_was(
    world: World, replica: Replica
) -> None:
    session = (await create(replica)).session
    with pytest.raises(errors.NotFound) as caught:
        await update(
            replica,
            session.session_id,
            path="new.ipynb",
            kernel=pb.KernelChoice(kernelspec_name="cobol"),
        )
    assert caught.value.reason == "NO_SUCH_KERNELSPEC"
    assert await get(replica, session.session_id) == session
    assert list(world.runner.kernels) == [session.kernel.kernel_id]


async def test_the_path_of_another_session_is_refused_and_starts_nothing(
    world: World, replica: Replica
) -> None:
    session = (await create(replica)).session
    await create(replica, "taken.ipynb")
    choice = pb.KernelChoice(kernelspec_name="python3")
    with pytest.raises(errors.AlreadyExists):
        await update(replica, session.session_id, path="taken.ipynb", kernel=choice)
    assert await get(replica, session.session_id) == session
    assert len(world.runner.launches) == 2


async def test_one_of_many_sessions_gets_a_path_they_all_want(world: World) -> None:
    replicas = [await world.sessions() for _ in range(3)]
    made = [(await create(replicas[0], f"n{number}")).session for number in range(9)]
    calls = [
        update(replicas[number % 3], session.session_id, path="wanted", type="file")
        for number, session in enumerate(made)
    ]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    won = [outcome for outcome in outcomes if isinstance(outcome, pb.Session)]
    assert len(won) == 1
    assert {type(outcome) for outcome in outcomes} == {pb.Session, errors.AlreadyExists}
    paths = [session.path for session in await listed(replicas[1])]
    assert sorted(paths) == sorted(
        {"wanted", *(s.path for s in made if s.session_id != won[0].session_id)}
    )


async def test_changes_of_different_fields_at_once_are_all_made(world: World) -> None:
    replicas = [await world.sessions() for _ in range(3)]
    session = (await create(replicas[0])).session
    await asyncio.gather(
        update(replicas[0], session.session_id, path="new.ipynb"),
        update(replicas[1], session.session_id, name="new name"),
        update(replicas[2], session.session_id, type="file"),
    )
    found = await get(replicas[0], session.session_id)
    assert (found.path, found.name, found.type) == ("new.ipynb", "new name", "file")


async def test_deleting_a_session_ends_its_kernel(world: World, replica: Replica) -> None:
    session = (await create(replica)).session
    await delete(replica, session.session_id)
    assert not world.runner.kernels
    assert await listed(replica) == []
    with pytest.raises(errors.NotFound) as caught:
        await delete(replica, session.session_id)
    assert caught.value.reason == "NO_SUCH_SESSION"


async def test_deleting_a_session_whose_kernel_is_gone_says_so_and_forgets_it(
    world: World, replica: Replica
) -> None:
    session = (await create(replica)).session
    assert await listed(replica) == [session]
    request = kernels_pb2.ShutdownKernelRequest(kernel_id=session.kernel.kernel_id)
    await world.kernels.kernels.ShutdownKernel(request)
    with pytest.raises(errors.NotFound) as caught:
        await delete(replica, session.session_id)
    assert caught.value.reason == "SESSION_KERNEL_GONE"
    assert await listed(replica) == []
