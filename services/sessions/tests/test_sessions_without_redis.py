"""Sessions while Redis is away, and after it came back with nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from perijove.sessions.v1 import sessions_pb2 as pb
from perijove_chassis import errors
from perijove_chassis.status import rpc_errors_as_domain

from services.kernels.tests.own_redis import OwnRedis
from services.kernels.tests.replicas import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from services.sessions.tests.conftest import World
    from services.sessions.tests.replicas import Replica


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    own = OwnRedis(tmp_path)
    yield own
    own.kill()


async def create(replica: Replica, path: str) -> pb.CreateSessionResponse:
    request = pb.CreateSessionRequest(path=path, type="notebook", name=path)
    with rpc_errors_as_domain():
        return await replica.sessions.CreateSession(request)


async def listed(replica: Replica) -> list[pb.Session]:
    with rpc_errors_as_domain():
        return list((await replica.sessions.ListSessions(pb.ListSessionsRequest())).sessions)


async def test_sessions_answer_as_last_known_and_return_with_their_kernels(
    world: World, own_redis: OwnRedis
) -> None:
    await own_redis.start()
    replica = await world.sessions(own_redis.url)
    made = [(await create(replica, path)).session for path in ("a", "b", "c")]
    assert await listed(replica) == made
    own_redis.kill()
    assert await listed(replica) == made
    request = pb.GetSessionRequest(session_id=made[0].session_id)
    assert (await replica.sessions.GetSession(request)).session == made[0]
    deletion = pb.DeleteSessionRequest(session_id=made[0].session_id)
    fresh = await world.sessions(own_redis.url)
    for failing in (
        create(replica, "d"),
        create(replica, "a"),
        listed(fresh),
        fresh.sessions.GetSession(request),
        fresh.sessions.DeleteSession(deletion),
    ):
        with pytest.raises(errors.Unavailable) as caught, rpc_errors_as_domain():
            await failing
        assert caught.value.reason == "STATE_UNREACHABLE"
    assert len(world.runner.kernels) == 3
    await own_redis.start()

    async def back() -> bool:
        return {s.session_id for s in await listed(fresh)} == {s.session_id for s in made}

    await until(back)
    assert not (await create(fresh, "a")).created
    assert len(world.runner.kernels) == 3
