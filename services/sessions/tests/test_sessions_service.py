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
    (label,) = launch.labels.items()
    assert label[0] == f"perijove.session.{session.session_id}"
    assert json.loads(label[1]) == {"path": "a/b.ipynb", "type": "notebook", "name": "b.ipynb"}
