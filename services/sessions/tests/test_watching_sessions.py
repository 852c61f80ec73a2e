"""`WatchSessions` over real sockets and Redis, beside `ListSessions`."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from perijove.kernels.v1 import kernels_pb2
from perijove.sessions.v1 import sessions_pb2 as pb
from perijove_chassis import errors

from services.kernels.tests.replicas import until
from services.kernels.tests.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from services.sessions.tests.conftest import World


@contextmanager
def watching(replica: Any, before: Watched | None = None) -> Iterator[Watched]:
    """Watch from the beginning, or from where an earlier one left off."""
    request = pb.WatchSessionsRequest(after=before.last.position if before else None)
    call = replica.sessions.WatchSessions(request)
    watched = Watched(call, "session", before and dict(before.items))
    yield watched
    watched.close()


async def create(replica: Any, path: str) -> pb.Session:
    reply = await replica.sessions.CreateSession(
        pb.CreateSessionRequest(path=path, type="notebook", name=path)
    )
    session: pb.Session = reply.session
    return session


async def begun(replica: Any) -> None:
    """Wait until the replica has read the sessions."""
    while True:
        with watching(replica) as watched:
            try:
                await watched.read()
            except errors.Unavailable:
                await asyncio.sleep(0.02)
            else:
                return


async def same(watched: Watched, replica: Any) -> None:
    """Check that the watcher is told of the sessions that are listed."""
    listed = await replica.sessions.ListSessions(pb.ListSessionsRequest())
    await watched.reaches(listed.position)
    for session in listed.sessions:
        session.kernel.CopyFrom(kernels_pb2.Kernel(kernel_id=session.kernel.kernel_id))
    assert watched.items == {session.session_id: session for session in listed.sessions}


@pytest.fixture
async def replica(world: World) -> Any:
    replica = await world.sessions()
    await begun(replica)
    return replica


async def test_a_watcher_is_told_of_all_sessions_and_every_change_of_them(replica: Any) -> None:
    first, second = await create(replica, "a"), await create(replica, "b")
    with watching(replica) as watched:
        await same(watched, replica)
        assert watched.items.keys() == {first.session_id, second.session_id}
        await create(replica, "c")
        await same(watched, replica)
        change = pb.UpdateSessionRequest(session_id=first.session_id, path="d")
        change.update_mask.paths.append("path")
        await replica.sessions.UpdateSession(change)
        await same(watched, replica)
        assert watched.items[first.session_id].path == "d"
        await replica.sessions.DeleteSession(pb.DeleteSessionRequest(session_id=second.session_id))
        await same(watched, replica)
        assert second.session_id not in watched.items
        assert watched.resyncs == 1


async def test_a_list_says_as_of_when_its_kernels_are(replica: Any, world: World) -> None:
    await create(replica, "a")
    listed = await replica.sessions.ListSessions(pb.ListSessionsRequest())
    kernels = await world.kernels.kernels.ListKernels(kernels_pb2.ListKernelsRequest())
    assert listed.kernels_position == kernels.position


async def test_a_watcher_goes_on_where_it_was(replica: Any, world: World) -> None:
    other = await world.sessions()
    await begun(other)
    session = await create(replica, "a")
    with watching(replica) as first:
        await same(first, replica)
    await replica.sessions.DeleteSession(pb.DeleteSessionRequest(session_id=session.session_id))
    await create(replica, "b")
    for resumed in (replica, other):
        with watching(resumed, first) as second:
            await same(second, replica)
            assert second.resyncs == 0


async def test_sessions_lost_by_redis_are_put_back_though_nobody_lists(
    replica: Any, world: World
) -> None:
    session = await create(replica, "a")
    with watching(replica) as watched:
        await same(watched, replica)
        redis = replica.store._commands._connections.client
        keys = [key async for key in redis.scan_iter("{s}:*")]
        feed_id = watched.last.position.feed_id
        await redis.delete(*keys)
        await watched.until(lambda: watched.last.position.feed_id not in ("", feed_id))
        await watched.until(lambda: session.session_id in watched.items)
        assert len(world.runner.kernels) == 1


async def test_a_session_whose_kernel_ended_stays_for_who_asks_for_it(
    replica: Any, world: World
) -> None:
    session = await create(replica, "a")
    world.runner.end(session.kernel.kernel_id)

    async def gone() -> bool:
        listed = await world.kernels.kernels.ListKernels(kernels_pb2.ListKernelsRequest())
        return not listed.kernels

    await until(gone)
    await world.settled()
    await replica.reconciler.tend()
    assert await replica.store.get(session.session_id)
    listed = await replica.sessions.ListSessions(pb.ListSessionsRequest())
    assert not listed.sessions
    assert await replica.store.get(session.session_id) is None


async def test_a_replica_that_leaves_sends_its_watchers_elsewhere(replica: Any) -> None:
    with watching(replica) as watched:
        await watched.read()
        replica.tending.cancel()
        with pytest.raises(errors.Unavailable):
            await watched.until(lambda: False)
