"""The door for runners of other machines: what is served there, to whom, and what is not."""

from __future__ import annotations

import asyncio
import json
import ssl
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from cryptography import x509
from perijove.kernels.v1 import channels_pb2, execution_pb2, kernels_pb2, kernelspecs_pb2
from perijove.runners.v1 import joining_pb2, runner_pb2, runners_pb2
from perijove.terminals.v1 import terminals_pb2
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.credentials import Issuer, derive_key, runner_name
from perijove_chassis.join_token import JoinToken
from perijove_chassis.settings import Secret
from perijove_chassis.tls import Dialing, name_of
from perijove_kernels.joining.backends.authority import CertificateAuthority
from perijove_kernels.joining.backends.files import PoolFiles

from tests.joined import JoinedRunner, install_kernelspec, invitation, token
from tests.jupyter_ws import JupyterClient
from tests.ports import free_port
from tests.running import Home, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.running import RunningPerijove

MODULES = (
    *(kernels_pb2, kernelspecs_pb2, channels_pb2, execution_pb2, terminals_pb2),
    *(runners_pb2, runner_pb2, joining_pb2),
)
RPCS = [
    f"/{service.full_name}/{method.name}"
    for module in MODULES
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]
FOR_RUNNERS = ("/Announce", "/RenewCertificate")


class Pool:
    """A deployment, and the files by which everybody in it can be played."""

    def __init__(self, perijove: RunningPerijove, address: str) -> None:
        self.perijove = perijove
        self.address = address
        self.files = PoolFiles(perijove.runtime_dir / "pool")
        self.service_key = Secret(self.files.service_key.read_text())

    def outcome(self, method: str, authorization: str, payload: bytes = b"") -> grpc.StatusCode:
        """Call the door, and return what it says."""
        credentials = grpc.ssl_channel_credentials(self.files.root.read_bytes())
        options = [("grpc.ssl_target_name_override", name_of("kernels"))]
        metadata = [("authorization", authorization)] if authorization else []
        with grpc.secure_channel(self.address, credentials, options=options) as channel:
            call = channel.stream_stream(method)(iter([payload]), metadata=metadata, timeout=30)
            return call.code()

    def runner_credential(self, runner_id: str) -> str:
        name = runner_name(runner_id)
        return Issuer(derive_key(self.service_key, name), name, "kernels").credential()


@pytest.fixture(scope="module")
def pool(start_for_module: Callable[..., RunningPerijove]) -> Pool:
    address = f"127.0.0.1:{free_port()}"
    return Pool(start_for_module("--pool-listen", address), address)


@pytest.fixture(scope="module")
def joined(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JoinedRunner]:
    runner = JoinedRunner(Home(tmp_path_factory.mktemp("joined")))
    runner.start(*invitation(pool.perijove.said), "--listen", f"127.0.0.1:{free_port()}")
    yield runner.wait_ready()
    runner.end()


@pytest.mark.parametrize("method", [*RPCS, "/grpc.health.v1.Health/Check"])
@pytest.mark.parametrize(
    "authorization", ["", "Bearer wrong", "Perijove e30=.00", "Join wrong", "the user's"]
)
def test_nothing_is_for_strangers_or_users_at_the_door(
    pool: Pool, method: str, authorization: str
) -> None:
    if authorization == "the user's":
        authorization = f"Bearer {pool.perijove.token}"
    assert pool.outcome(method, authorization) is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("method", RPCS)
def test_not_even_a_service_is_served_at_the_door(pool: Pool, method: str) -> None:
    key = derive_key(pool.service_key, "kernels")
    credential = Issuer(key, "gateway_http", "kernels").credential()
    assert pool.outcome(method, credential) is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("method", [name for name in RPCS if not name.endswith(FOR_RUNNERS)])
def test_a_runner_may_announce_itself_and_renew_and_no_more(pool: Pool, method: str) -> None:
    assert pool.outcome(method, pool.runner_credential("r")) is grpc.StatusCode.PERMISSION_DENIED


def test_a_token_is_for_joining_alone(pool: Pool) -> None:
    made = JoinToken.parse(invitation(token(pool.perijove, "create"))[-1])
    for method in RPCS:
        expected = grpc.StatusCode.PERMISSION_DENIED
        if method.endswith("/Join"):
            expected = grpc.StatusCode.INVALID_ARGUMENT  # the request is empty
        assert pool.outcome(method, made.credential()) is expected


@pytest.mark.parametrize(
    ("claimed", "address", "expected"),
    [
        ("other", "tls:127.0.0.1:1", grpc.StatusCode.PERMISSION_DENIED),
        ("r", "127.0.0.1:1", grpc.StatusCode.INVALID_ARGUMENT),
        ("r", "unix:/run/contents.sock", grpc.StatusCode.INVALID_ARGUMENT),
        ("r", "tls:", grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
def test_a_runner_announces_itself_alone_and_over_tls(
    pool: Pool, claimed: str, address: str, expected: grpc.StatusCode
) -> None:
    runner = runners_pb2.Runner(runner_id=claimed, address=address, capacity=1)
    hello = runners_pb2.AnnounceRequest(hello=runners_pb2.Hello(runner=runner))
    method = f"/{runners_pb2.DESCRIPTOR.services_by_name['RunnersService'].full_name}/Announce"
    found = pool.outcome(method, pool.runner_credential("r"), hello.SerializeToString())
    assert found is expected


async def test_a_runner_is_dialled_by_services_alone(pool: Pool, joined: JoinedRunner) -> None:
    """By its name, with a certificate of a service, and a credential for it."""
    own = joined.state / "membership"
    services = [str(pool.files.certificate("services")), str(pool.files.key("services"))]
    root = str(pool.files.root)
    service, bare = Dialing.load(root, *services), Dialing.load(root)
    runner = Dialing.load(root, str(own / "runner.crt"), str(own / "runner.key"))
    key, name = derive_key(pool.service_key, runner_name(joined.runner_id)), joined.runner_id
    assert await dialled(joined, name, key, service) is grpc.StatusCode.OK
    for dialing in (bare, runner):
        assert await dialled(joined, name, key, dialing) is grpc.StatusCode.UNAVAILABLE
    assert await dialled(joined, "other", key, service) is grpc.StatusCode.UNAVAILABLE
    assert await dialled(joined, name, b"other", service) is grpc.StatusCode.UNAUTHENTICATED


async def dialled(joined: JoinedRunner, name: str, key: bytes, dialing: Dialing) -> grpc.StatusCode:
    issuer = Issuer(key, "gateway_http", runner_name(name))
    channel = Channel(f"tls:{joined.address}", issuer, Deadlines(20), tls=dialing)
    try:
        await channel.unary_unary("/grpc.health.v1.Health/Check")(b"", wait_for_ready=False)
    except grpc.aio.AioRpcError as error:
        return error.code()
    finally:
        await channel.close()
    return grpc.StatusCode.OK


def test_a_certificate_is_renewed_and_shown_while_the_runner_runs(joined: JoinedRunner) -> None:
    file = joined.state / "membership/runner.crt"
    # Every start renews, so what it joined with may be gone by now.
    joined.stop()
    before = file.read_text()
    joined.start("--listen", joined.address).wait_ready()
    wait_for(lambda: file.read_text() != before)
    host, _, port = joined.address.rpartition(":")
    shown = ssl.get_server_certificate((host, int(port)))
    assert serial(shown) == serial(file.read_text()) != serial(before)


def serial(certificate: str) -> int:
    return x509.load_pem_x509_certificate(certificate.encode()).serial_number


def test_a_runner_whose_certificate_expired_needs_a_token_and_is_the_same(
    pool: Pool, joined: JoinedRunner
) -> None:
    before = joined.runner_id
    joined.stop()
    file = joined.state / "membership/runner.crt"
    root, key = pool.files.root.read_bytes(), pool.files.root_key.read_bytes()
    past = CertificateAuthority.load(root, key, -timedelta(minutes=1))
    file.write_bytes(past.certify(past.holder(file.read_bytes())))
    joined.start("--listen", joined.address)
    assert "has expired: it needs --join and --token" in joined.wait_refused()
    again = invitation(token(pool.perijove, "create"))
    joined.start(*again, "--listen", joined.address).wait_ready()
    assert joined.runner_id == before


def test_a_state_directory_of_another_deployment_is_left_alone(
    pool: Pool, joined: JoinedRunner
) -> None:
    text = invitation(token(pool.perijove, "create"))[-1]
    version, token_id, secret, fingerprint = text.split(".")
    elsewhere = ".".join((version, token_id, secret, fingerprint[::-1]))
    joined.stop()
    before = (joined.state / "membership/membership.json").read_bytes()
    joined.start("--join", pool.address, "--token", elsewhere, "--listen", joined.address)
    assert "another deployment" in joined.wait_refused()
    assert (joined.state / "membership/membership.json").read_bytes() == before
    joined.start("--listen", joined.address).wait_ready()


def test_what_a_machine_is_told_is_its_own_alone(pool: Pool, joined: JoinedRunner) -> None:
    perijove, key = pool.perijove, pool.service_key.reveal()
    told = [path for path in joined.state.rglob("*") if path.is_file()]
    assert not [path for path in told if key.encode() in path.read_bytes()]
    assert not [path for path in told if path.stat().st_mode & 0o077]
    secret = invitation(perijove.said)[-1].split(".")[2]
    own = json.loads((joined.state / "membership/membership.json").read_text())["runner_key"]
    logs = [*joined.state.glob("logs/*.log"), *perijove.runtime_dir.glob("logs/*.log")]
    assert len(logs) > 3
    for text in [path.read_text() for path in logs]:
        assert not any(word in text for word in (key, secret, own))
    environments = [process.environ() for process in joined.left()]
    assert not [name for found in environments for name, text in found.items() if key in text]


def test_a_pool_is_private_and_its_record_says_where_to_join(pool: Pool) -> None:
    paths = [pool.files.directory, *pool.files.directory.rglob("*")]
    assert [path for path in paths if path.stat().st_mode & 0o077] == []
    record = json.loads((pool.perijove.runtime_dir / "perijove.json").read_text())
    assert record["pool"] == pool.address


def test_without_a_pool_nobody_joins(start_perijove: Callable[..., RunningPerijove]) -> None:
    perijove = start_perijove()
    assert "Add a machine" not in perijove.said
    assert not Path(perijove.runtime_dir, "pool").exists()


async def test_a_deployment_that_starts_again_has_its_machines_back(
    start_perijove: Callable[..., RunningPerijove], tmp_path: Path
) -> None:
    arguments = ("--pool-listen", f"127.0.0.1:{free_port()}")
    perijove = start_perijove(*arguments)
    runner = JoinedRunner(Home(tmp_path))
    join = (*invitation(perijove.said), "--listen", f"127.0.0.1:{free_port()}")
    try:
        runner.start(*join, **install_kernelspec(tmp_path, "far")).wait_ready()
        async with JupyterClient.http(perijove.token) as http:
            jupyter = JupyterClient(http, perijove.url)
            made = await jupyter.call("POST", "api/kernels", {"name": "far"}, expect=201)
            async with jupyter.kernel(made["id"]) as kernel:
                await kernel.run("x = 12345")
        await asyncio.to_thread(perijove.stop)
        again = start_perijove(*arguments, home=perijove.home)
        async with JupyterClient.http(again.token) as http:
            jupyter = JupyterClient(http, again.url)
            async with asyncio.timeout(60):
                while await is_dead(jupyter, made["id"]):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.05)
            async with jupyter.kernel(made["id"]) as kernel:
                assert await kernel.run("print(x)") == "12345\n"
        await asyncio.to_thread(again.stop)
    finally:
        runner.end()


async def is_dead(jupyter: JupyterClient, kernel_id: str) -> bool:
    kernels = await jupyter.call("GET", "api/kernels")
    states = {row["id"]: row["execution_state"] for row in kernels}
    return states.get(kernel_id, "dead") == "dead"
