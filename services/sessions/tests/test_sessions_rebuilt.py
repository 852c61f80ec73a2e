"""Sessions after Redis, a registry or a creator was lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from perijove.kernels.v1 import kernels_pb2
from perijove_chassis import errors

from services.kernels.tests.replicas import until

if TYPE_CHECKING:
    from services.sessions.tests.conftest import World
    from services.sessions.tests.replicas import Replica


from services.sessions.tests.calls import (
    count_is,
    create,
    equal,
    get,
    is_true,
    listed,
    lists,
    update,
)


async def test_sessions_are_rebuilt_from_their_kernels_after_redis_lost_all(
    world: World, replica: Replica
) -> None:
    made = [(await create(replica, f"n{number}")).session for number in range(3)]
    renamed = await update(replica, made[0].session_id, path="renamed")
    await replica.store._commands._connections.client.flushall()
    await until(lambda: count_is(replica, 3))
    found = {session.session_id: session for session in await listed(replica)}
    assert found.keys() == {session.session_id for session in made}
    assert found[renamed.session_id].path == "renamed"
    again = await create(replica, "n1")
    assert not again.created
    assert len(world.runner.kernels) == 3


async def test_a_session_that_redis_lost_is_found_by_its_kernel_when_it_is_asked_for(
    world: World, replica: Replica
) -> None:
    session = (await create(replica)).session
    redis = replica.store._commands._connections.client
    await redis.delete("{s}:rows", "{s}:paths")
    found = await get(replica, session.session_id)
    # It was created when its kernel was: nothing else is known of that.
    session.create_time.CopyFrom(found.create_time)
    assert found == session
    await redis.delete("{s}:rows", "{s}:paths")
    assert not (await create(replica)).created
    assert len(world.runner.kernels) == 1


async def test_sessions_stay_as_they_were_while_the_kernels_service_is_away(
    world: World, replica: Replica
) -> None:
    session = (await create(replica)).session
    assert await listed(replica) == [session]
    fresh = await world.sessions()
    await world.kernels.close()
    assert await listed(replica) == [session]
    assert await get(replica, session.session_id) == session
    with pytest.raises((errors.Unavailable, errors.DeadlineExceeded)):
        await listed(fresh)
    await world.start_kernels()
    assert [s.session_id for s in await listed(fresh)] == [session.session_id]
    assert [s.session_id for s in await listed(replica)] == [session.session_id]


async def test_no_session_is_forgotten_while_the_registry_is_being_rebuilt(
    world: World, replica: Replica
) -> None:
    session = (await create(replica)).session
    await world.settled()
    await world.runner.fall_silent()
    await world.kernels.close()
    redis = replica.store._commands._connections.client
    await redis.delete(*[key async for key in redis.scan_iter("{k}:*")])
    await world.start_kernels()
    fresh = await world.sessions()
    (found,) = await listed(fresh)
    assert (found.session_id, found.kernel.kernel_id) == (
        session.session_id,
        session.kernel.kernel_id,
    )
    with pytest.raises(errors.Unavailable):
        await get(fresh, session.session_id)
    assert await redis.hexists("{s}:rows", session.session_id)
    world.runner.announce_to(world.kernels.target)
    await until(lambda: equal(fresh, session))


async def test_a_kernel_whose_creator_died_before_the_session_was_written_becomes_the_session(
    world: World, replica: Replica
) -> None:
    world.runner.launch_gate.clear()
    dying = asyncio.create_task(create(replica))
    await until(lambda: is_true(world.runner.launches))
    dying.cancel()
    await asyncio.wait([dying])
    world.runner.launch_gate.set()
    reply = await create(await world.sessions())
    assert list(world.runner.kernels) == [reply.session.kernel.kernel_id]


async def test_a_kernel_that_no_session_took_is_ended(world: World) -> None:
    replica = await world.sessions(hold_s=0.0)
    await world.kernels.kernels.StartKernel(
        kernels_pb2.StartKernelRequest(kernel_id="someone-elses")
    )
    await replica.store.leave("left-over")
    await world.kernels.kernels.StartKernel(kernels_pb2.StartKernelRequest(kernel_id="left-over"))
    await world.settled()
    await until(lambda: lists(replica, lambda: list(world.runner.kernels) == ["someone-elses"]))
