"""Every RPC of every process refuses who has no credential, or the wrong kind of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest
from perijove.contents.v1 import contents_pb2, conversion_pb2, documents_pb2
from perijove.events.v1 import events_pb2
from perijove.kernels.v1 import channels_pb2, execution_pb2, kernels_pb2, kernelspecs_pb2
from perijove.runners.v1 import runner_pb2, runners_pb2
from perijove.sessions.v1 import sessions_pb2
from perijove.terminals.v1 import terminals_pb2

if TYPE_CHECKING:
    from types import ModuleType

    from tests.running import RunningPerijove

SERVED_BY: dict[str, tuple[ModuleType, ...]] = {
    "contents": (contents_pb2, conversion_pb2, documents_pb2),
    "sessions": (sessions_pb2, events_pb2),
    "kernels": (
        *(kernels_pb2, kernelspecs_pb2, channels_pb2, execution_pb2, runners_pb2),
        terminals_pb2,
    ),
    "runner": (runner_pb2, channels_pb2, execution_pb2, terminals_pb2),
}
RPCS = [
    (process, f"/{service.full_name}/{method.name}")
    for process, modules in SERVED_BY.items()
    for module in modules
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]
HEALTH = [(process, "/grpc.health.v1.Health/Check") for process in SERVED_BY]
NOT_FOR_USERS = [
    (process, method)
    for process, method in RPCS
    if method.endswith(("RunnersService/Announce", "/GetKernelPath"))
]


def outcome(target: str, method: str, authorization: str | None) -> grpc.StatusCode:
    """Make a call with an empty request; the credential is looked at before it is read.

    The synchronous client: grpc.aio forgets the status of a call that ends
    while it still writes.
    """
    metadata = [("authorization", authorization)] if authorization else []
    with grpc.insecure_channel(target) as grpc_channel:
        call = grpc_channel.stream_stream(method)(iter([b""]), metadata=metadata, timeout=30)
        return call.code()


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Perijove e30=.00"])
@pytest.mark.parametrize(("process", "method"), [*RPCS, *HEALTH])
def test_an_rpc_without_a_valid_credential_is_refused(
    perijove: RunningPerijove, process: str, method: str, authorization: str | None
) -> None:
    found = outcome(perijove.target(process), method, authorization)
    assert found is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(("process", "method"), NOT_FOR_USERS)
def test_an_internal_rpc_refuses_the_token_of_users(
    perijove: RunningPerijove, process: str, method: str
) -> None:
    found = outcome(perijove.target(process), method, f"Bearer {perijove.token}")
    assert found is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize(
    ("process", "method"), [(process, method) for process, method in RPCS if process == "runner"]
)
def test_a_runner_does_not_know_the_token_of_users(
    perijove: RunningPerijove, process: str, method: str
) -> None:
    found = outcome(perijove.target(process), method, f"Bearer {perijove.token}")
    assert found is grpc.StatusCode.UNAUTHENTICATED
