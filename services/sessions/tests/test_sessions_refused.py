"""What the sessions service refuses."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from perijove.sessions.v1 import sessions_pb2 as pb
from perijove_chassis import errors
from perijove_chassis.status import rpc_errors_as_domain

if TYPE_CHECKING:
    from services.sessions.tests.conftest import World
    from services.sessions.tests.replicas import Replica


from services.sessions.tests.calls import (
    create,
    get,
)


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
