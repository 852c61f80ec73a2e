"""Nobody gets anywhere without a credential: by any route, WebSocket or RPC that is served."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import grpc
import psutil
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from perijove_chassis.credentials import Issuer, derive_key, runner_name
from perijove_chassis.settings import Secret
from perijove_gateway_http.routes import ROUTES, notebook_pages
from perijove_gateway_http.routing import Guard, Route

from tests.integration.test_access import SERVED_BY, outcome
from tests.raw_http import ask

if TYPE_CHECKING:
    from tests.conftest import StartPerijove
    from tests.running import RunningPerijove

SERVED = (*ROUTES, *notebook_pages.ROUTES)
PUBLIC = {
    *("", "api", "login", "logout", "api/notebooks", "api/notebooks/{path...}"),
    *("oauth_login", "oauth_callback", "favicon.ico"),
    *("static/lab/{path*}", "static/favicons/{name}", "lab/extensions/{path*}"),
}
"""What is documented to be for everybody: the way in, and files of packages that anybody has."""
HANDSHAKE = {
    "Connection": "Upgrade, close",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
WRONG = (None, "Bearer wrong", "token ", "Basic Og==")
_ID = "00000000-0000-4000-8000-000000000000"
_SAMPLES = {"kernel_id": _ID, "session_id": _ID, "format": "html", "checkpoint_id": "checkpoint"}


def address(pattern: str) -> str:
    """Return an address that a pattern matches."""
    parts = []
    for part in pattern.split("/"):
        name = re.match(r"\{(\w+)", part)
        parts.append(_SAMPLES.get(name[1], "x") if name else part)
    return "/" + "/".join(parts)


def test_what_is_public_is_known() -> None:
    public = {route.pattern for route in SERVED if route.guard in (Guard.PUBLIC, Guard.PUBLIC_API)}
    # Whether metrics are is said by a setting; by default they are not.
    assert public == PUBLIC | {"metrics"}


@pytest.mark.parametrize(
    "route",
    [route for route in SERVED if route.pattern not in PUBLIC],
    ids=lambda route: f"{route.method} {route.pattern}",
)
def test_a_route_refuses_who_has_no_credential(perijove: RunningPerijove, route: Route) -> None:
    target = address(route.pattern).encode()
    headers = HANDSHAKE if route.guard is Guard.WEBSOCKET else {}
    for wrong in WRONG:
        given = headers | ({"Authorization": wrong} if wrong else {})
        answer = ask(perijove.url, route.method.encode(), target, headers=given)
        is_page = route.guard is Guard.PAGE and route.method in ("GET", "HEAD")
        if not is_page:
            assert answer.status == 403
            continue
        assert answer.status == 302
        (where,) = answer.headers["location"]
        assert urlsplit(where).path == "/login"
        assert not answer.body


def test_with_the_right_one_the_same_routes_let_in(perijove: RunningPerijove) -> None:
    # Else the test above would pass for a server that refuses everybody.
    for route in SERVED:
        if route.method == "GET" and route.guard in (Guard.API, Guard.PAGE):
            answer = ask(
                perijove.url, b"GET", address(route.pattern).encode(), token=perijove.token
            )
            assert answer.status not in (0, 401, 403), route.pattern
            assert not answer.headers.get("location", [""])[0].startswith("/login"), route.pattern


@pytest.fixture(scope="module")
def reflecting(start_for_module: StartPerijove) -> RunningPerijove:
    """Run a stack that tells what it serves."""
    names = ("CONTENTS", "SESSIONS", "KERNELS", "RUNNER")
    return start_for_module(**{f"PERIJOVE_{name}_REFLECTION": "true" for name in names})


def issuing(perijove: RunningPerijove, process: str) -> tuple[bytes, str]:
    """Return the key of calls to a process, and who they are for."""
    environment = psutil.Process(perijove.pid(process)).environ()
    if process == "runner":
        key = bytes.fromhex(environment["PERIJOVE_RUNNER_SERVICE_KEY"])
        return key, runner_name(environment["PERIJOVE_RUNNER_ID"])
    secret = Secret(environment[f"PERIJOVE_{process.upper()}_SERVICE_KEY"])
    return derive_key(secret, process), process


def credential(perijove: RunningPerijove, process: str) -> str:
    """Return what another service shows to a process."""
    key, audience = issuing(perijove, process)
    return Issuer(key, "gateway_http", audience).credential()


def methods_of(perijove: RunningPerijove, process: str) -> list[str]:
    """Return every RPC that a process says it serves."""
    shown = credential(perijove, process)
    with grpc.insecure_channel(perijove.target(process)) as plain:
        with_credential = grpc.intercept_channel(plain, _Shows(shown))
        database = ProtoReflectionDescriptorDatabase(with_credential)
        pool = DescriptorPool(database)
        services = list(database.get_services())
        expected = {
            service.full_name
            for module in SERVED_BY[process]
            for service in module.DESCRIPTOR.services_by_name.values()
        }
        assert expected <= set(services)
        methods = [
            f"/{name}/{method.name}"
            for name in services
            for method in pool.FindServiceByName(name).methods
        ]
    assert len(methods) > len(services)
    return methods


@pytest.mark.parametrize("process", SERVED_BY)
def test_an_rpc_that_reflection_finds_refuses_who_has_no_credential(
    reflecting: RunningPerijove, process: str
) -> None:
    for method in methods_of(reflecting, process):
        found = outcome(reflecting.target(process), method, None)
        assert found is grpc.StatusCode.UNAUTHENTICATED, method


class _Shows(grpc.StreamStreamClientInterceptor):
    """Adds a credential to calls of reflection."""

    def __init__(self, shown: str) -> None:
        self._shown = shown

    def intercept_stream_stream(self, continuation: Any, details: Any, requests: Any) -> Any:
        metadata = [*(details.metadata or ()), ("authorization", self._shown)]
        return continuation(details._replace(metadata=metadata), requests)
