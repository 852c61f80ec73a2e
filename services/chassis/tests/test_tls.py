"""Who gets through over TLS, and what may listen without it."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from perijove_chassis import tls
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.credentials import Issuer
from perijove_chassis.settings import ServerSettings, SettingsError

from services.chassis.tests.certificates import CLIENT, Root
from tests.ports import free_port

METHOD = "/perijove.test.Echo/Echo"
CALLEE = "runner/a"


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path)


@asynccontextmanager
async def serving(settings: ServerSettings) -> AsyncIterator[None]:
    async def echo(request: bytes, _context: Any) -> bytes:
        return request

    handlers = {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("perijove.test.Echo", handlers),)
    )
    for address in settings.addresses():
        tls.add_port(server, address, settings)
    await server.start()
    try:
        yield
    finally:
        await server.stop(0)


async def outcome(target: str, callee: str, dialing: tls.Dialing | None) -> grpc.StatusCode:
    channel = Channel(target, Issuer(b"k", "test", callee), Deadlines(), tls=dialing)
    try:
        await channel.unary_unary(METHOD)(b"x", timeout=20, wait_for_ready=False)
    except grpc.aio.AioRpcError as error:
        return error.code()
    finally:
        await channel.close()
    return grpc.StatusCode.OK


def served(root: Root, *, clients: bool = True) -> ServerSettings:
    certificate, key = root.sign(CALLEE, "server")
    return ServerSettings(
        listen=f"tls:127.0.0.1:{free_port()}",
        tls_cert=str(certificate),
        tls_key=str(key),
        tls_client_ca=str(root.certificate) if clients else "",
    )


def caller(root: Root) -> tls.Dialing:
    certificate, key = root.sign("services", "client", CLIENT)
    return tls.Dialing.load(str(root.certificate), str(certificate), str(key))


async def test_a_callee_is_talked_to_by_its_name(root: Root) -> None:
    settings = served(root)
    async with serving(settings):
        assert await outcome(settings.listen, CALLEE, caller(root)) is grpc.StatusCode.OK


async def test_a_callee_with_the_certificate_of_another_is_told_nothing(root: Root) -> None:
    settings = served(root)
    async with serving(settings):
        found = await outcome(settings.listen, "runner/b", caller(root))
    assert found is grpc.StatusCode.UNAVAILABLE


async def test_a_callee_of_another_authority_is_told_nothing(root: Root, tmp_path: Path) -> None:
    settings = served(root, clients=False)
    (tmp_path / "other").mkdir()
    stranger = tls.Dialing.load(str(Root(tmp_path / "other").certificate))
    async with serving(settings):
        found = [await outcome(settings.listen, CALLEE, who) for who in (stranger, None)]
    assert found == [grpc.StatusCode.UNAVAILABLE] * 2


async def test_a_caller_without_a_certificate_for_callers_does_not_get_in(root: Root) -> None:
    settings = served(root)
    server = tls.Dialing.load(str(root.certificate), settings.tls_cert, settings.tls_key)
    async with serving(settings):
        bare = await outcome(settings.listen, CALLEE, tls.Dialing.load(str(root.certificate)))
        posing = await outcome(settings.listen, CALLEE, server)
    assert (bare, posing) == (grpc.StatusCode.UNAVAILABLE,) * 2


async def test_a_certificate_that_was_renewed_is_shown_without_a_restart(root: Root) -> None:
    settings = served(root, clients=False)
    address = ("127.0.0.1", int(settings.listen.rpartition(":")[2]))
    async with serving(settings):
        before = await shown(address)
        root.sign(CALLEE, "server")
        after = await shown(address)
    assert before != after
    assert after == Path(settings.tls_cert).read_text()


async def test_a_file_that_is_gone_leaves_the_last_certificate(root: Root) -> None:
    settings = served(root, clients=False)
    address = ("127.0.0.1", int(settings.listen.rpartition(":")[2]))
    async with serving(settings):
        before = await shown(address)
        Path(settings.tls_cert).unlink()
        assert await shown(address) == before


async def shown(address: tuple[str, int]) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])

    def ask() -> str:
        with socket.create_connection(address) as plain, context.wrap_socket(plain) as found:
            return ssl.DER_cert_to_PEM_cert(found.getpeercert(binary_form=True) or b"")

    return await asyncio.to_thread(ask)


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0:1", "[::]:1", ":1", "192.0.2.1:1", "example.org:1", "dns:///example.org:1", "*:1"],
)
async def test_plain_text_is_not_for_other_machines(address: str) -> None:
    settings = ServerSettings(listen=address)
    with pytest.raises(SettingsError, match="PLAIN_TEXT"):
        tls.add_port(grpc.aio.server(), address, settings)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.3.2.1"])
async def test_plain_text_is_for_this_machine(host: str) -> None:
    address = f"{host}:0"
    try:
        tls.add_port(grpc.aio.server(), address, ServerSettings(listen=address))
    except RuntimeError:  # a machine without IPv6 cannot bind it; it was allowed to
        assert host == "[::1]"


async def test_plain_text_for_others_must_be_said() -> None:
    settings = ServerSettings(listen="0.0.0.0:0", plain_text=True)
    tls.add_port(grpc.aio.server(), settings.listen, settings)


async def test_tls_without_a_certificate_is_refused() -> None:
    settings = ServerSettings(listen="tls:127.0.0.1:0")
    with pytest.raises(SettingsError, match="TLS_CERT"):
        tls.add_port(grpc.aio.server(), settings.listen, settings)


async def test_a_private_key_is_not_shown() -> None:
    assert "secret" not in repr(tls.Dialing(b"a", b"b", b"secret"))


def test_names_differ_where_ids_differ_in_case_alone() -> None:
    assert tls.name_of("runner/a") != tls.name_of("runner/A")
