"""Sessions and their kernels, as callers see them come and go."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from perijove.kernels.v1 import kernels_pb2
from perijove.sessions.v1 import sessions_pb2 as pb
from perijove_chassis import errors

from services.kernels.tests.replicas import until

if TYPE_CHECKING:
    from services.sessions.tests.conftest import World
    from services.sessions.tests.replicas import Replica


from services.sessions.tests.calls import (
    create,
    get,
    is_empty,
    is_true,
    listed,
    still_there,
)


async def test_a_session_comes_with_a_kernel_in_its_directory(
    world: World, replica: Replica
) -> None:
    reply = await create(replica)
    assert reply.created
    session = reply.session
    assert (session.path, session.name, session.type) == ("a/b.ipynb", "b.ipynb", "notebook")
    assert session.kernel.execution_state == kernels_pb2.EXECUTION_STATE_STARTING
    assert session.kernel.runner_address == world.runner.address
    assert await get(replica, session.session_id) == session
    assert await listed(replica) == [session]
    launch = world.runner.launches[0]
    assert launch.working_directory == "/srv/a"
    assert dict(launch.environment) == {"JPY_SESSION_NAME": "/srv/a/b.ipynb"}
    label, where = sorted(launch.labels.items())
    assert where == ("perijove.working_directory", "/srv/a")
    assert label[0] == f"perijove.session.{session.session_id}"
    assert json.loads(label[1]) == {"path": "a/b.ipynb", "type": "notebook", "name": "b.ipynb"}


async def test_the_session_of_a_path_is_returned_as_it_is(world: World, replica: Replica) -> None:
    first = await create(replica)
    again = await create(replica, kernelspec_name="other", type="console", name="x")
    assert not again.created
    assert again.session == first.session
    assert len(world.runner.launches) == 1


async def test_a_session_may_have_no_name(world: World, replica: Replica) -> None:
    request = pb.CreateSessionRequest(path="c/d.txt", type="file")
    session = (await replica.sessions.CreateSession(request)).session
    assert not session.HasField("name")
    assert not (await get(replica, session.session_id)).HasField("name")
    assert dict(world.runner.launches[0].environment) == {"JPY_SESSION_NAME": "c/d.txt"}


async def test_fifty_callers_of_one_path_at_three_replicas_get_one_session_and_one_kernel(
    world: World,
) -> None:
    replicas = [await world.sessions() for _ in range(3)]
    world.runner.launch_gate.clear()
    calls = [asyncio.create_task(create(replicas[number % 3])) for number in range(50)]
    await until(lambda: is_true(len(world.runner.launches) >= 3))
    world.runner.launch_gate.set()
    replies = await asyncio.gather(*calls)
    assert {reply.session.session_id for reply in replies} == {replies[0].session.session_id}
    assert sum(reply.created for reply in replies) == 1
    assert len(world.runner.kernels) == 1
    assert len(await listed(replicas[0])) == 1


async def test_many_paths_at_once_each_get_their_own_kernel(world: World) -> None:
    replicas = [await world.sessions() for _ in range(3)]
    calls = [create(replicas[number % 3], f"n{number}.ipynb") for number in range(30)]
    replies = await asyncio.gather(*calls)
    assert len({reply.session.kernel.kernel_id for reply in replies}) == 30
    sessions = await listed(replicas[0])
    assert len(sessions) == 30
    request = pb.ListSessionsRequest(page_size=20)
    first = await replicas[1].sessions.ListSessions(request)
    request.page_token = first.next_page_token
    second = await replicas[2].sessions.ListSessions(request)
    assert [*first.sessions, *second.sessions] == sessions
    assert not second.next_page_token


async def test_a_session_attaches_to_a_running_kernel(world: World, replica: Replica) -> None:
    first = await create(replica)
    kernel_id = first.session.kernel.kernel_id
    second = await create(replica, "console-1", kernel_id=kernel_id, type="console")
    assert second.created
    assert second.session.kernel.kernel_id == kernel_id
    assert len(world.runner.kernels) == 1
    labels = world.runner.kernels[kernel_id].labels
    assert {key for key in labels if key.startswith("perijove.session.")} == {
        f"perijove.session.{reply.session.session_id}" for reply in (first, second)
    }


async def test_an_unknown_kernel_id_starts_a_kernel_under_that_id(
    world: World, replica: Replica
) -> None:
    reply = await create(replica, kernel_id="chosen-by_me")
    assert reply.session.kernel.kernel_id == "chosen-by_me"
    assert list(world.runner.kernels) == ["chosen-by_me"]


async def test_an_unknown_kernelspec_is_named_and_leaves_nothing(replica: Replica) -> None:
    with pytest.raises(errors.NotFound) as caught:
        await create(replica, kernelspec_name="cobol")
    assert caught.value.reason == "NO_SUCH_KERNELSPEC"
    assert await listed(replica) == []
    assert (await create(replica)).created  # the path is not blocked


async def test_the_session_of_an_ended_kernel_is_gone(world: World, replica: Replica) -> None:
    session = (await create(replica)).session
    other = (await create(replica, "other.ipynb")).session
    world.runner.end(session.kernel.kernel_id)
    with pytest.raises(errors.NotFound) as caught:
        await until(lambda: still_there(replica, session.session_id))
    assert caught.value.reason == "SESSION_KERNEL_GONE"
    with pytest.raises(errors.NotFound) as caught:
        await get(replica, session.session_id)
    assert caught.value.reason == "NO_SUCH_SESSION"
    assert [s.session_id for s in await listed(replica)] == [other.session_id]
    again = await create(replica)
    assert again.created
    assert again.session.session_id != session.session_id


async def test_the_session_of_a_dead_kernel_is_dropped(world: World, replica: Replica) -> None:
    session = (await create(replica)).session
    world.runner.say(session.kernel.kernel_id, execution_state=kernels_pb2.EXECUTION_STATE_DEAD)
    await until(lambda: is_empty(replica))


async def test_a_session_keeps_its_kernel_while_the_runner_is_lost(
    world: World, replica: Replica
) -> None:
    session = (await create(replica)).session
    await world.settled()
    await world.runner.fall_silent()

    async def dead() -> bool:
        (found,) = await listed(replica)
        return found.kernel.execution_state == kernels_pb2.EXECUTION_STATE_DEAD

    await until(dead)
    found = await get(replica, session.session_id)
    assert found.kernel.last_exit.cause == kernels_pb2.EXIT_CAUSE_RUNNER_LOST
    world.runner.announce_to(world.kernels.target)

    async def back() -> bool:
        (found,) = await listed(replica)
        return found.kernel.execution_state == kernels_pb2.EXECUTION_STATE_STARTING

    await until(back)
