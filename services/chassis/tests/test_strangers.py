"""What strangers can do to a server that listens to the world: nothing, at no cost."""

from pathlib import Path
from typing import Any

import grpc
from perijove_chassis import credentials, server, telemetry
from perijove_chassis.settings import Secret
from prometheus_client import CollectorRegistry

KEY = Secret("k" * 32)
NAME = "perijove.test.Echo"


async def echo(request: bytes, _context: Any) -> bytes:
    return request


async def test_nothing_is_read_of_a_stranger(tmp_path: Path) -> None:
    read: list[int] = []

    def deserialize(message: bytes) -> bytes:
        read.append(len(message))
        return message

    def register_reading(grpc_server: grpc.aio.Server) -> None:
        handler = grpc.unary_unary_rpc_method_handler(echo, request_deserializer=deserialize)
        handlers = grpc.method_handlers_generic_handler(NAME, {"Echo": handler})
        grpc_server.add_generic_rpc_handlers((handlers,))

    verifier = credentials.Verifier("echo", service_key=KEY, api_token=Secret("tok"))
    service = server.Service(NAME, register_reading, server.ANYONE)
    metrics = telemetry.CallMetrics(CollectorRegistry())
    grpc_server = grpc.aio.server(interceptors=(server.Guard(verifier, [service], metrics),))
    register_reading(grpc_server)
    address = f"unix:{tmp_path}/s.sock"
    grpc_server.add_insecure_port(address)
    await grpc_server.start()
    codes = []
    async with grpc.aio.insecure_channel(address) as stranger:
        for token in ("wrong", "tok"):
            metadata = (("authorization", f"Bearer {token}"),)
            call = stranger.unary_unary(f"/{NAME}/Echo")(b"x" * 1_000_000, metadata=metadata)
            codes.append(await call.code())
    await grpc_server.stop(0)
    assert codes == [grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.OK]
    assert read == [1_000_000]
