"""What owners settle at the door: proxies, other sites, the end of the server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.conformance.client import Answer, cookie_header
from tests.running import wait_for

if TYPE_CHECKING:
    from tests.conformance.client import Server
    from tests.conformance.conftest import StartServer

FRIEND = "https://portal.example"
STRANGERS = ("https://portal.example.evil.org", "https://portal-example", "null")


@pytest.fixture(scope="module")
def behind_proxy(start_server: StartServer) -> Server:
    return start_server(
        trust_xheaders=True, allow_origin_pat=r"https://portal\.example", allow_credentials=True
    )


def get(server: Server, target: str, **headers: str) -> Answer:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.ask("GET", target, headers=given)


@pytest.mark.parametrize(
    ("header", "value", "is_secure"),
    [
        ("X_Forwarded_Proto", "https", True),
        ("X_Scheme", "https", True),
        ("X_Forwarded_Proto", "http, https", True),
        ("X_Forwarded_Proto", "https, http", False),
        ("X_Forwarded_Proto", "gopher", False),
    ],
)
def test_a_trusted_proxy_says_whether_cookies_are_for_https_only(
    behind_proxy: Server, header: str, value: str, *, is_secure: bool
) -> None:
    answer = get(behind_proxy, "api/me", **{header: value})
    assert answer.status == 200
    assert ("secure" in answer.headers["Set-Cookie"].lower()) is is_secure


def test_a_proxy_that_is_not_trusted_says_nothing(server: Server) -> None:
    answer = get(server, "api/me", X_Forwarded_Proto="https", X_Real_IP="192.0.2.1")
    assert "secure" not in answer.headers["Set-Cookie"].lower()


def test_a_site_that_is_named_may_read_and_another_may_not(behind_proxy: Server) -> None:
    answer = get(behind_proxy, "api/me", Origin=FRIEND)
    assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    cookie = cookie_header(answer)
    for origin in STRANGERS:
        assert (
            "Access-Control-Allow-Origin" not in get(behind_proxy, "api/me", Origin=origin).headers
        )
        headers = {"Origin": origin, "Cookie": cookie}
        refused = behind_proxy.ask("GET", "api/me", headers=headers, token=None)
        assert refused.status == 404
    headers = {"Origin": FRIEND, "Cookie": cookie}
    assert behind_proxy.ask("GET", "api/me", headers=headers, token=None).status == 200


def test_a_preflight_lets_a_named_site_send_its_token(behind_proxy: Server) -> None:
    headers = {"Origin": FRIEND, "Access-Control-Request-Headers": "authorization"}
    answer = behind_proxy.ask("OPTIONS", "api/me", headers=headers, token=None)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "authorization" in answer.headers["Access-Control-Allow-Headers"]


def test_the_document_about_the_api_is_for_users(server: Server) -> None:
    answer = server.ask("GET", "api/spec.yaml")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/x-yaml")
    for path in ("/contents/{path}", "/kernels/{kernel_id}", "/sessions", "/terminals"):
        pattern = rf"^ +\"?/(api/)?{re.escape(path[1:])}\"?:"
        assert re.search(pattern, answer.body.decode(), re.MULTILINE), path
    assert server.ask("GET", "api/spec.yaml", token=None).status == 302


def test_a_request_ends_the_server(start_server: StartServer) -> None:
    server = start_server()
    assert server.ask("POST", "api/shutdown", token=None).status == 403
    answer = server.ask("POST", "api/shutdown")
    assert (answer.status, answer.body) == (200, b"")
    wait_for(lambda: _is_gone(server))


def _is_gone(server: Server) -> bool:
    try:
        server.ask("GET", "api", token=None)
    except OSError:
        return True
    return False
