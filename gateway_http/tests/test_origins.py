"""Hosts, origins and cookies, under every setting that changes what is allowed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from perijove_chassis.settings import Secret, SettingsError
from perijove_gateway_http.identity import cookies
from perijove_gateway_http.settings import Settings

if TYPE_CHECKING:
    import aiohttp

    from gateway_http.tests.conftest import MakeEdge, RunningEdge


def _cookie(response: aiohttp.ClientResponse) -> str:
    """Return what a browser sends back."""
    return "; ".join(
        header.partition(";")[0] for header in response.headers.getall("Set-Cookie", [])
    )


async def _logged_in(edge: RunningEdge) -> dict[str, str]:
    response, _ = await edge.ask("GET", "/api/me")
    return {"Cookie": _cookie(response)}


async def test_named_origin_may_use_the_api_with_a_cookie(make_edge: MakeEdge) -> None:
    edge = await make_edge(allow_origin="http://ok.example", allow_credentials=True)
    headers = {**await _logged_in(edge), "Origin": "http://ok.example"}
    response, _ = await edge.ask("GET", "/api/me", token=None, headers=headers)
    assert response.status == 200
    assert response.headers["Access-Control-Allow-Origin"] == "http://ok.example"
    assert response.headers["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://a.ok.example", 200),
        ("http://a.ok.example.evil.example", 404),
        ("http://evil.example/http://a.ok.example", 404),
        ("null", 404),
    ],
)
async def test_pattern_matches_the_whole_origin(
    origin: str, status: int, make_edge: MakeEdge
) -> None:
    edge = await make_edge(allow_origin_pat=r"http://\w+\.ok\.example")
    headers = {**await _logged_in(edge), "Origin": origin}
    response, _ = await edge.ask("GET", "/api/me", token=None, headers=headers)
    assert response.status == status
    assert ("Access-Control-Allow-Origin" in response.headers) == (status == 200)


async def test_any_host_is_answered_where_others_reach_the_socket(make_edge: MakeEdge) -> None:
    headers = {"Host": "hub.example"}
    for given, status in (
        ({"on_loopback": True}, 403),
        ({"on_loopback": False}, 200),
        ({"on_loopback": True, "allow_remote_access": "yes"}, 200),
        ({"on_loopback": False, "allow_remote_access": "no"}, 403),
        ({"on_loopback": True, "local_hostnames": "localhost, Hub.example"}, 200),
    ):
        edge = await make_edge(**given)
        response, _ = await edge.ask("GET", "/api", headers=headers)
        assert response.status == status, given


async def test_empty_token_needs_a_second_word() -> None:
    given = {
        "service_key": Secret("k"),
        "token": Secret(""),
        "contents": "c",
        "sessions": "s",
        "kernels": "k",
    }
    with pytest.raises(SettingsError, match="TOKEN"):
        Settings(**given).checked()
    assert Settings(**given, allow_anyone=True).checked()


async def test_without_a_token_everybody_is_a_user_with_a_cookie(make_edge: MakeEdge) -> None:
    edge = await make_edge(token=Secret(""), allow_anyone=True)
    response, _ = await edge.ask("GET", "/api/me", token=None)
    assert response.status == 200
    assert _cookie(response).startswith("username-")
    # The cookie is a user's; a foreign page could still send one.
    refused, _ = await edge.ask("PATCH", "/api/me", token=None, json={"color": "red"})
    assert refused.status == 403
    # No empty token is a token.
    refused, _ = await edge.ask("PATCH", "/api/me?token=", token=None, json={})
    assert refused.status == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Authorization": "Basic dTpw"}, 403),
        ({"Cookie": ""}, 403),
    ],
)
async def test_without_a_token_a_server_may_have_it_as_its_gateway_and_no_page_may(
    headers: dict[str, str], status: int, make_edge: MakeEdge
) -> None:
    edge = await make_edge(token=Secret(""), allow_anyone=True)
    if "Cookie" in headers:
        response, _ = await edge.ask("GET", "/api/me", token=None)
        headers["Cookie"] = _cookie(response)
    headers = {"Authorization": "token ", **headers}
    body = {"color": "red"}
    answer, _ = await edge.ask("PATCH", "/api/me", token=None, json=body, headers=headers)
    assert answer.status == status


async def test_replicas_accept_each_others_cookies_until_the_token_changes(
    make_edge: MakeEdge,
) -> None:
    first, second = await make_edge(), await make_edge()
    other = await make_edge(token=Secret("another"))
    response, _ = await first.ask("GET", "/api/me", headers={"Host": "localhost"})
    headers = {"Cookie": _cookie(response), "Host": "localhost"}
    for edge, status in ((first, 200), (second, 200), (other, 403)):
        answer, _ = await edge.ask("GET", "/api/me", token=None, headers=headers)
        assert answer.status == status


async def test_login_ends(make_edge: MakeEdge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cookies, "LIFETIME_S", -1.0)
    edge = await make_edge()
    headers = await _logged_in(edge)
    answer, _ = await edge.ask("GET", "/api/me", token=None, headers=headers)
    assert answer.status == 403


async def test_cookies_are_for_https_only_if_told(make_edge: MakeEdge) -> None:
    edge = await make_edge(secure_cookie=True, base_url="user/ada")
    response, _ = await edge.ask("GET", "/user/ada/api/me")
    attributes = response.headers["Set-Cookie"]
    assert re.search(r"; HttpOnly\b", attributes)
    assert "; Path=/user/ada/" in attributes
    assert "; Secure" in attributes


async def test_base_url_may_hold_escapes(make_edge: MakeEdge) -> None:
    edge = await make_edge(base_url="/a%40b/")
    assert (await edge.ask("GET", "/a%40b/api"))[0].status == 200
    assert (await edge.ask("GET", "/api"))[0].status == 404
    response, _ = await edge.ask("GET", "/a%40b/")
    assert response.headers["Location"] == "/a@b/lab"
    response, _ = await edge.ask("GET", "/a%40b")
    assert response.headers["Location"] == "/a@b/"
