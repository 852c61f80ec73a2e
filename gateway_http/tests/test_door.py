"""Settings of the door: proxies, further headers, the name of a unix socket."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from perijove_chassis.settings import Secret, SettingsError
from perijove_gateway_http.settings import Settings

if TYPE_CHECKING:
    from conftest import MakeEdge

PROXIED = {"X-Forwarded-Proto": "https"}


@pytest.mark.parametrize("is_trusted", [True, False])
async def test_cookies_are_for_https_only_if_a_trusted_proxy_says_https(
    make_edge: MakeEdge, *, is_trusted: bool
) -> None:
    edge = await make_edge(trust_xheaders=is_trusted)
    for target in ("/api/me", "/login"):
        token = "a-token" if target == "/api/me" else None
        response, _ = await edge.ask("GET", target, headers=PROXIED, token=token)
        assert ("secure" in response.headers["Set-Cookie"].lower()) is is_trusted
        plain, _ = await edge.ask("GET", target, token=token)
        assert "secure" not in plain.headers["Set-Cookie"].lower()


async def test_further_headers_are_on_every_answer(make_edge: MakeEdge) -> None:
    given = {
        "Strict-Transport-Security": "max-age=1",
        "content-security-policy": "frame-ancestors https://portal.example",
        "Access-Control-Allow-Headers": "x-own",
    }
    edge = await make_edge(headers=json.dumps(given))
    for target, policy in (("/api", "; default-src 'none'"), ("/nope", ""), ("/login", "")):
        response, _ = await edge.ask("GET", target)
        assert response.headers["Strict-Transport-Security"] == "max-age=1"
        expected = "frame-ancestors https://portal.example" + policy
        assert response.headers.getall("Content-Security-Policy") == [expected]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    preflight, _ = await edge.ask("OPTIONS", "/api/me", token=None)
    assert preflight.headers["Access-Control-Allow-Headers"] == "x-own"


async def test_a_unix_socket_is_a_host_by_its_own_path_alone(make_edge: MakeEdge) -> None:
    edge = await make_edge(sock="/run/p.sock")
    for host, status in (("%2Frun%2Fp.sock", 200), ("%2Frun%2Fother.sock", 403), ("evil", 403)):
        response, _ = await edge.ask("GET", "/api", headers={"Host": host})
        assert response.status == status


async def test_a_server_that_nobody_launched_is_not_ended(make_edge: MakeEdge) -> None:
    edge = await make_edge()
    response, body = await edge.ask("POST", "/api/shutdown")
    assert response.status == 403
    assert "whoever runs it" in json.loads(body)["message"]


async def test_whoever_launched_the_server_is_asked_for_its_end(make_edge: MakeEdge) -> None:
    asking, asked = os.pipe()
    try:
        edge = await make_edge(launcher_fd=asked)
        response, _ = await edge.ask("POST", "/api/shutdown", token=None)
        assert response.status == 403
        response, body = await edge.ask("POST", "/api/shutdown")
        assert (response.status, body) == (200, b"")
        assert os.read(asking, 10) == b"s"
    finally:
        os.close(asking)
        os.close(asked)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("headers", "[]"),
        ("headers", '{"a": 5}'),
        ("headers", '{"a b": "c"}'),
        ("headers", '{"a": "b\\r\\nc: d"}'),
        ("sock_mode", "600x"),
        ("sock_mode", "0000"),
        ("shutdown_no_activity_timeout", 60.0),
    ],
)
def test_a_setting_that_cannot_be_is_named(name: str, value: object) -> None:
    settings = Settings(
        service_key=Secret("k"), token=Secret("t"), contents="", sessions="", kernels=""
    )
    from msgspec.structs import replace

    with pytest.raises(SettingsError, match=name.upper()):
        replace(settings, **{name: value}).checked()
