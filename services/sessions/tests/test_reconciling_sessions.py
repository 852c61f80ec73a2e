"""What is repaired at the same time as something else happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove_sessions.backends.redis import RedisSessionStore

from services.sessions.tests.replicas import start_replica
from services.sessions.tests.test_sessions_without_redis import create, listed

if TYPE_CHECKING:
    from perijove.sessions.v1 import sessions_pb2 as pb
    from perijove_sessions.model import Session

    from services.sessions.tests.conftest import World
    from services.sessions.tests.replicas import Replica


class Interrupted(RedisSessionStore):
    """Has another replica make a session just after one was put back."""

    other: Replica
    meanwhile: pb.Session | None = None

    async def adopt(self, session: Session) -> tuple[Session | None, bool]:
        adopted = await super().adopt(session)
        if self.meanwhile is None:
            self.meanwhile = (await create(self.other, "meanwhile")).session
        return adopted


class Overtaken(RedisSessionStore):
    """Has another put back each session first."""

    other: RedisSessionStore

    async def adopt(self, session: Session) -> tuple[Session | None, bool]:
        await self.other.adopt(session)
        return await super().adopt(session)


async def test_a_session_that_is_made_while_another_is_put_back_is_not_forgotten(
    world: World,
) -> None:
    other = await world.sessions()
    lost = (await create(other, "lost")).session
    await world.settled()
    await other.tending_ended()
    store = Interrupted(world.redis_url)
    store.other = other
    replica = await start_replica(
        f"unix:{world.folder}/interrupted.sock", store, world.kernels.target, world.contents_target
    )
    world.stack.push_async_callback(replica.close)
    await replica.tending_ended()
    await other.store._commands._connections.client.delete("{s}:rows", "{s}:paths")
    assert [session.path for session in await listed(replica)] == ["lost"]
    assert store.meanwhile
    # Its kernel remembers it, too; but until it was put back, its path would be free.
    assert await store.get(store.meanwhile.session_id)
    assert lost.kernel.kernel_id in world.runner.kernels


async def test_a_session_that_another_replica_puts_back_first_is_listed(world: World) -> None:
    other = await world.sessions()
    await create(other, "lost")
    await world.settled()
    await other.tending_ended()
    store = Overtaken(world.redis_url)
    store.other = other.store
    replica = await start_replica(
        f"unix:{world.folder}/overtaken.sock", store, world.kernels.target, world.contents_target
    )
    world.stack.push_async_callback(replica.close)
    await replica.tending_ended()
    await store._commands._connections.client.delete("{s}:rows", "{s}:paths")
    assert [session.path for session in await listed(replica)] == ["lost"]
