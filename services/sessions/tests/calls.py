"""Calls of the sessions service, and what they come to in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perijove.sessions.v1 import sessions_pb2 as pb
from perijove_chassis.status import rpc_errors_as_domain

if TYPE_CHECKING:
    from services.sessions.tests.replicas import Replica


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


async def is_true(value: object) -> bool:
    return bool(value)


async def still_there(replica: Replica, session_id: str) -> bool:
    await get(replica, session_id)
    return False


async def equal(replica: Replica, session: pb.Session) -> bool:
    return await listed(replica) == [session]


async def is_empty(replica: Replica) -> bool:
    return not await listed(replica)


async def count_is(replica: Replica, count: int) -> bool:
    return len(await listed(replica)) == count


async def lists(replica: Replica, condition: Any) -> bool:
    await listed(replica)
    return bool(condition())
