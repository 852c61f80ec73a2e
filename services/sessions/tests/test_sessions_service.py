"""The sessions service on real sockets, over real Redis and the real kernels service."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from perijove.kernels.v1 import kernels_pb2
from perijove.sessions.v1 import sessions_pb2 as pb
from perijove_chassis import errors
from perijove_chassis.status import rpc_errors_as_domain

from services.kernels.tests.replicas import until

if TYPE_CHECKING:
    from services.sessions.tests.conftest import World
    from services.sessions.tests.replicas import Replica


@pytest.fixture
async def replica(world: World) -> Replica:
    return await world.sessions()


async def create(
    replica: Replica,
    path: str = "a/b.ipynb",
    kernel_id: str = "",
    kernelspec_name: str = "",
    **fields: Any,
) -> pb.CreateSessionResponse:
    kernel = pb.KernelChoice(kernel_id=kernel_id, kernelspec_name=kernelspec_name)
    fields = {"type": "notebook", "name": "b.ipynb"} | fields
    request = pb.CreateSessionRequest(path=path, kernel=kernel, **fields)
    with rpc_errors_as_domain():
        return await replica.sessions.CreateSession(request)


async def get(replica: Replica, session_id: str) -> pb.Session:
    with rpc_errors_as_domain():
        reply = await replica.sessions.GetSession(pb.GetSessionRequest(session_id=session_id))
    return reply.session


async def listed(replica: Replica) -> list[pb.Session]:
    with rpc_errors_as_domain():
        reply = await replica.sessions.ListSessions(pb.ListSessionsRequest())
    return list(reply.sessions)


async def update(replica: Replica, session_id: str, *mask: str, **fields: Any) -> pb.Session:
    request = pb.UpdateSessionRequest(session_id=session_id, **fields)
    request.update_mask.paths.extend(mask or fields)
    with rpc_errors_as_domain():
        return (await replica.sessions.UpdateSession(request)).session


async def delete(replica: Replica, session_id: str) -> None:
    with rpc_errors_as_domain():
        await replica.sessions.DeleteSession(pb.DeleteSessionRequest(session_id=session_id))


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
    await until(lambda: _true(len(world.runner.launches) >= 3))
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
        await until(lambda: _still_there(replica, session.session_id))
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
    await until(lambda: _empty(replica))


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


async def test_sessions_are_rebuilt_from_their_kernels_after_redis_lost_all(
    world: World, replica: Replica
) -> None:
    made = [(await create(replica, f"n{number}")).session for number in range(3)]
    renamed = await update(replica, made[0].session_id, path="renamed")
    await replica.store._commands._connections.client.flushall()
    await until(lambda: _count(replica, 3))
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
    await until(lambda: _equal(fresh, session))


async def test_a_kernel_whose_creator_died_before_the_session_was_written_becomes_the_session(
    world: World, replica: Replica
) -> None:
    world.runner.launch_gate.clear()
    dying = asyncio.create_task(create(replica))
    await until(lambda: _true(world.runner.launches))
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
    await until(lambda: _lists(replica, lambda: list(world.runner.kernels) == ["someone-elses"]))


@pytest.mark.parametrize(
    ("method", "request_", "error", "reason"),
    [
        ("CreateSession", pb.CreateSessionRequest(), errors.InvalidArgument, ""),
        ("CreateSession", pb.CreateSessionRequest(path="a"), errors.InvalidArgument, ""),
        ("CreateSession", pb.CreateSessionRequest(type="a"), errors.InvalidArgument, ""),
        (
            "CreateSession",
            pb.CreateSessionRequest(path="x" * 5000, type="a"),
            errors.InvalidArgument,
            "",
        ),
        (
            "CreateSession",
            pb.CreateSessionRequest(path="a\0b", type="a"),
            errors.InvalidArgument,
            "",
        ),
        (
            "CreateSession",
            pb.CreateSessionRequest(path="../etc", type="a"),
            errors.InvalidArgument,
            "BAD_PATH",
        ),
        (
            "CreateSession",
            pb.CreateSessionRequest(
                path="a", type="a", kernel=pb.KernelChoice(kernel_id="../../etc")
            ),
            errors.InvalidArgument,
            "",
        ),
        ("GetSession", pb.GetSessionRequest(), errors.InvalidArgument, ""),
        (
            "GetSession",
            pb.GetSessionRequest(session_id="nope"),
            errors.NotFound,
            "NO_SUCH_SESSION",
        ),
        ("ListSessions", pb.ListSessionsRequest(page_size=-1), errors.InvalidArgument, ""),
        ("ListSessions", pb.ListSessionsRequest(page_token="?"), errors.InvalidArgument, ""),
        ("DeleteSession", pb.DeleteSessionRequest(), errors.InvalidArgument, ""),
        (
            "DeleteSession",
            pb.DeleteSessionRequest(session_id="nope"),
            errors.NotFound,
            "NO_SUCH_SESSION",
        ),
        ("UpdateSession", pb.UpdateSessionRequest(), errors.InvalidArgument, ""),
    ],
)
async def test_bad_input_is_refused(
    world: World,
    replica: Replica,
    method: str,
    request_: Any,
    error: type[errors.DomainError],
    reason: str,
) -> None:
    with pytest.raises(error) as caught, rpc_errors_as_domain():
        await getattr(replica.sessions, method)(request_)
    assert caught.value.reason == reason
    assert not world.runner.kernels


@pytest.mark.parametrize(
    ("mask", "fields"),
    [
        ([], {"path": "x"}),
        (["path", "session_id"], {"path": "x"}),
        (["path"], {}),
        (["type"], {}),
        (["kernel"], {}),
        (["path"], {"path": "../x"}),
        (["name"], {"name": "x" * 5000}),
    ],
)
async def test_a_bad_change_is_refused_and_changes_nothing(
    replica: Replica, mask: list[str], fields: dict[str, Any]
) -> None:
    session = (await create(replica)).session
    request = pb.UpdateSessionRequest(session_id=session.session_id, **fields)
    request.update_mask.paths.extend(mask)
    with pytest.raises(errors.InvalidArgument), rpc_errors_as_domain():
        await replica.sessions.UpdateSession(request)
    assert await get(replica, session.session_id) == session
    request.session_id = str(uuid.uuid4())
    request.update_mask.paths[:] = ["name"]
    request.name = "x"
    with pytest.raises(errors.NotFound), rpc_errors_as_domain():
        await replica.sessions.UpdateSession(request)


async def _true(value: object) -> bool:
    return bool(value)


async def _still_there(replica: Replica, session_id: str) -> bool:
    await get(replica, session_id)
    return False


async def _equal(replica: Replica, session: pb.Session) -> bool:
    return await listed(replica) == [session]


async def _empty(replica: Replica) -> bool:
    return not await listed(replica)


async def _count(replica: Replica, count: int) -> bool:
    return len(await listed(replica)) == count


async def _lists(replica: Replica, condition: Any) -> bool:
    await listed(replica)
    return bool(condition())
