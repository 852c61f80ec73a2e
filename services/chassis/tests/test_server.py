"""Guarded calls through a real socket."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from perijove_chassis import credentials, errors, permissions, server, status, telemetry, users
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.credentials import PrincipalKind
from perijove_chassis.settings import Secret, ServerSettings
from prometheus_client import CollectorRegistry

KEY = Secret("k" * 32)
NAME = "perijove.test.Echo"


async def echo(request: bytes, context: Any) -> bytes:
    if request == b"not found":
        raise errors.NotFound("there is no b", reason="NO_SUCH_ENTRY")
    if request == b"bug":
        raise TypeError("a secret path /etc")
    if request == b"who":
        return server.principal.get().name.encode()
    if request == b"for whom":
        return users.user.get().encode()
    if request == b"request id":
        return telemetry.request_id.get().encode()
    if request == b"slow":
        await asyncio.sleep(30)
    if request == b"abort":
        await context.abort(grpc.StatusCode.OUT_OF_RANGE, "by hand")
    return request


async def count(request: bytes, _context: Any) -> AsyncIterator[bytes]:
    for number in range(int(request)):
        yield str(number).encode()


def register(grpc_server: grpc.aio.Server) -> None:
    handlers = {
        "Echo": grpc.unary_unary_rpc_method_handler(echo),
        "Count": grpc.unary_stream_rpc_method_handler(count),
        "Internal": grpc.unary_unary_rpc_method_handler(echo),
    }
    grpc_server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    service = server.Service(
        NAME,
        register,
        frozenset({PrincipalKind.SERVICE, PrincipalKind.USER}),
        {"Internal": frozenset({PrincipalKind.SERVICE})},
    )
    verifier = credentials.Verifier("echo", service_key=KEY, api_token=Secret("tok"))
    metrics = telemetry.CallMetrics(CollectorRegistry())
    grpc_server = grpc.aio.server(interceptors=(server.Guard(verifier, [service], metrics),))
    register(grpc_server)
    address = f"unix:{tmp_path}/s.sock"
    grpc_server.add_insecure_port(address)
    await grpc_server.start()
    yield address
    await grpc_server.stop(0)


@pytest.fixture
async def channel(address: str) -> AsyncIterator[Channel]:
    issuer = credentials.Issuer(credentials.derive_key(KEY, "echo"), "gateway_http", "echo")
    channel = Channel(address, issuer, Deadlines(by_method={"Count": None}))
    yield channel
    await channel.close()


async def test_a_signed_call_is_served_with_its_caller(channel: Channel) -> None:
    assert await channel.unary_unary(f"/{NAME}/Echo")(b"who") == b"gateway_http"


async def test_the_request_id_travels(channel: Channel) -> None:
    telemetry.request_id.set("r-1")
    assert await channel.unary_unary(f"/{NAME}/Echo")(b"request id") == b"r-1"


async def test_the_user_travels_signed_or_not_at_all(channel: Channel, address: str) -> None:
    users.user.set("Zoë O'Brien/ß")
    assert (await channel.unary_unary(f"/{NAME}/Echo")(b"for whom")).decode() == "Zoë O'Brien/ß"
    users.user.set("")
    assert await channel.unary_unary(f"/{NAME}/Echo")(b"for whom") == b""
    issuer = credentials.Issuer(credentials.derive_key(KEY, "echo"), "gateway_http", "echo")
    metadata = [("authorization", issuer.credential("ada")), ("perijove-user", "grace")]
    async with grpc.aio.insecure_channel(address) as plain:
        assert await plain.unary_unary(f"/{NAME}/Echo")(b"for whom", metadata=metadata) == b"ada"


async def test_a_call_that_says_nothing_of_permissions_is_for_no_limited_user(
    channel: Channel,
) -> None:
    before = permissions.permissions.set(frozenset({"echo:read", "*"}))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary(f"/{NAME}/Echo")(b"who")
    assert caught.value.code() == grpc.StatusCode.PERMISSION_DENIED
    with permissions.for_nobody():
        assert await channel.unary_unary(f"/{NAME}/Echo")(b"for whom") == b""
    permissions.permissions.reset(before)


async def test_a_stream_is_served_whole(channel: Channel) -> None:
    call = channel.unary_stream(f"/{NAME}/Count")(b"3")
    assert [item async for item in call] == [b"0", b"1", b"2"]


async def test_a_domain_error_keeps_code_message_and_reason(channel: Channel) -> None:
    with (
        pytest.raises(errors.NotFound, match="there is no b") as caught,
        status.rpc_errors_as_domain(),
    ):
        await channel.unary_unary(f"/{NAME}/Echo")(b"not found")
    assert caught.value.reason == "NO_SUCH_ENTRY"


async def test_an_unexpected_error_is_masked(channel: Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary(f"/{NAME}/Echo")(b"bug")
    assert caught.value.code() == grpc.StatusCode.INTERNAL
    assert caught.value.details() == "internal error"


async def test_an_abort_by_hand_keeps_its_code(channel: Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary(f"/{NAME}/Echo")(b"abort")
    assert caught.value.code() == grpc.StatusCode.OUT_OF_RANGE


async def test_an_unknown_method_is_unimplemented(channel: Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary(f"/{NAME}/Nothing")(b"")
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_a_call_past_its_deadline_ends(channel: Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary(f"/{NAME}/Echo")(b"slow", timeout=0.2)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Bearer wrong",
        "Bearer ",
        "Perijove x.y",
        "Perijove ",
        credentials.Issuer(
            credentials.derive_key(KEY, "other"), "gateway_http", "other"
        ).credential(),
        credentials.Issuer(b"another key", "gateway_http", "echo").credential(),
        # A runner's key speaks for that runner only.
        credentials.Issuer(
            credentials.derive_key(KEY, "runner/a"), "runner/b", "echo"
        ).credential(),
        credentials.Issuer(
            credentials.derive_key(KEY, "runner/a"), "gateway_http", "echo"
        ).credential(),
    ],
)
@pytest.mark.parametrize("method", ["Echo", "Nothing"])
async def test_a_call_without_a_valid_credential_is_refused(
    address: str, authorization: str | None, method: str
) -> None:
    metadata = [("authorization", authorization)] if authorization is not None else []
    async with grpc.aio.insecure_channel(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(f"/{NAME}/{method}")(b"", metadata=metadata)
    assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("method", "authorization"),
    [
        ("Internal", "Bearer tok"),
        (
            "Echo",
            credentials.Issuer(
                credentials.derive_key(KEY, "runner/a"), "runner/a", "echo"
            ).credential(),
        ),
    ],
)
async def test_a_valid_credential_of_the_wrong_kind_is_refused(
    address: str, method: str, authorization: str
) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(f"/{NAME}/{method}")(
                b"", metadata=[("authorization", authorization)]
            )
    assert caught.value.code() == grpc.StatusCode.PERMISSION_DENIED


async def test_an_api_token_is_a_user(address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        reply = await channel.unary_unary(f"/{NAME}/Echo")(
            b"who", metadata=[("authorization", "token tok")]
        )
    assert reply == b"token"


async def test_a_service_without_a_row_is_refused(tmp_path: Path) -> None:
    verifier = credentials.Verifier("echo", service_key=KEY, api_token=Secret("tok"))
    metrics = telemetry.CallMetrics(CollectorRegistry())
    grpc_server = grpc.aio.server(interceptors=(server.Guard(verifier, [], metrics),))
    register(grpc_server)
    address = f"unix:{tmp_path}/s.sock"
    grpc_server.add_insecure_port(address)
    await grpc_server.start()
    issuer = credentials.Issuer(credentials.derive_key(KEY, "echo"), "gateway_http", "echo")
    channel = Channel(address, issuer, Deadlines())
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary(f"/{NAME}/Echo")(b"who")
    assert caught.value.code() == grpc.StatusCode.PERMISSION_DENIED
    await channel.close()
    await grpc_server.stop(0)


SERVER = """
import asyncio, sys
from perijove_chassis import credentials, server
from perijove_chassis.settings import ServerSettings

async def main(settings):
    verifier = credentials.Verifier(
        "echo", service_key=settings.service_key, api_token=settings.api_token)
    await server.serve(settings, verifier, [])

server.run("echo", ServerSettings, main, prefix="ECHO_")
"""


async def start(tmp_path: Path, *arguments: str) -> asyncio.subprocess.Process:
    import sys

    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVER,
        env={"ECHO_LISTEN": f"unix:{tmp_path}/p.sock", "ECHO_SERVICE_KEY": KEY.reveal()}
        | dict(argument.split("=") for argument in arguments),
        stderr=asyncio.subprocess.PIPE,
    )


async def test_a_process_serves_health_and_drains_on_sigterm(tmp_path: Path) -> None:
    process = await start(tmp_path)
    issuer = credentials.Issuer(credentials.derive_key(KEY, "echo"), "test", "echo")
    channel = Channel(f"unix:{tmp_path}/p.sock", issuer, Deadlines())
    stub = health_pb2_grpc.HealthStub(channel)  # type: ignore[no-untyped-call]
    reply = await stub.Check(health_pb2.HealthCheckRequest())
    assert reply.status == health_pb2.HealthCheckResponse.SERVING
    assert (tmp_path / "p.sock").stat().st_mode & 0o777 == 0o600
    second = await start(tmp_path)
    _, said = await second.communicate()
    assert b"another process serves" in said
    process.terminate()
    _, logs = await process.communicate()
    await channel.close()
    assert process.returncode == 0
    assert [word in logs for word in (b'"serving"', b'"draining"', b'"stopped"')] == [True] * 3
    assert KEY.reveal().encode() not in logs


async def test_a_wrong_setting_is_named_and_not_shown(tmp_path: Path) -> None:
    process = await start(tmp_path, "ECHO_GRACE_S=hunter2")
    _, said = await process.communicate()
    assert process.returncode == 2
    assert b"ECHO_GRACE_S" in said
    assert b"hunter2" not in said


async def test_health_is_not_serving_until_the_process_is_of_use(tmp_path: Path) -> None:
    known = asyncio.Event()
    verifier = credentials.Verifier("echo", service_key=KEY, api_token=Secret(""))
    settings = ServerSettings(listen=f"unix:{tmp_path}/h.sock", service_key=KEY)
    serving = asyncio.create_task(server.serve(settings, verifier, [], ready=known.wait))
    issuer = credentials.Issuer(credentials.derive_key(KEY, "echo"), "test", "echo")
    channel = Channel(settings.listen, issuer, Deadlines())
    stub = health_pb2_grpc.HealthStub(channel)  # type: ignore[no-untyped-call]
    request = health_pb2.HealthCheckRequest()
    assert (await stub.Check(request)).status == health_pb2.HealthCheckResponse.NOT_SERVING
    known.set()
    async with asyncio.timeout(30):
        while (await stub.Check(request)).status != health_pb2.HealthCheckResponse.SERVING:
            pass
    await channel.close()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
