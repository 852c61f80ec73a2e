"""Who may do what: what each route is about, and what a policy allows."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from perijove_gateway_http.app import build_app
from perijove_gateway_http.identity.policy import PolicyError, PolicyFile
from perijove_gateway_http.identity.resources import ANY_USER, action_of, resource_of
from perijove_gateway_http.identity.users import Caller, User
from perijove_gateway_http.routes import ROUTES
from perijove_gateway_http.routing import Guard, Route

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeEdge

POLICY = """
[users."*"]
api = ["read"]
[users.token]
contents = ["read"]
kernels = ["*"]
[users.root]
"*" = ["*"]
[groups.teachers]
terminals = ["execute"]
[members]
teachers = ["grace"]
"""

JUPYTER = {"api", "config", "contents", "csp", "events", "kernels", "kernelspecs", "nbconvert"} | {
    "server",
    "sessions",
    "terminals",
}
"""The resources of Jupyter Server."""


def caller(account: str, *groups: str) -> Caller:
    return Caller(User.named(account), False, False, account, groups)


async def test_a_policy_allows_what_it_says_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    policy = PolicyFile(str(path))
    rows = [
        (caller("token"), "read", "contents", True),
        (caller("token"), "write", "contents", False),
        (caller("token"), "execute", "kernels", True),
        (caller("token"), "read", "api", True),
        (caller("token"), "write", "api", False),
        (caller("root"), "write", "anything", True),
        (caller("ada"), "read", "api", True),
        (caller("ada"), "read", "contents", False),
        (caller("ada"), "execute", "terminals", False),
        (caller("ada", "teachers"), "execute", "terminals", True),
        (caller("grace"), "execute", "terminals", True),
        (caller("grace"), "read", "terminals", False),
        (caller("*"), "read", "contents", False),
    ]
    for who, action, resource, expected in rows:
        found = await policy.is_authorized(who, action, resource)
        assert found is expected, (who.account, action, resource)


@pytest.mark.parametrize(
    "text", ["x", "[users]\nada = 1", '[users.ada]\ncontents = ["delete"]', "[user.ada]\n", "\xff"]
)
def test_what_is_no_policy_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(PolicyError):
        PolicyFile(str(path))
    with pytest.raises(PolicyError):
        PolicyFile(str(tmp_path / "absent"))


async def test_a_policy_that_cannot_be_used_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    policy = PolicyFile(str(path))
    before = policy.generation
    path.write_text("x")
    await policy.refresh()
    assert policy.generation == before
    path.write_text('[users.ada]\n"*" = ["*"]')
    await policy.refresh()
    assert policy.generation != before
    assert await policy.is_authorized(caller("ada"), "write", "contents")


def test_every_route_is_about_something_that_jupyter_knows_or_free_for_users() -> None:
    for route in ROUTES:
        if route.guard in (Guard.PUBLIC, Guard.PUBLIC_API):
            continue
        resource = resource_of(route)
        assert resource in JUPYTER | {ANY_USER}, route.pattern
        is_page = route.pattern.split("/")[0] in {
            *("lab", "doc", "tree", "notebooks", "edit", "consoles", "terminals", "custom", "lsp"),
        }
        if resource == ANY_USER:
            assert route.pattern == "api/me" or (is_page and action_of(route) == "read"), route


def test_a_route_of_an_extension_is_about_its_prefix() -> None:
    assert resource_of(Route("GET", "hello/world", build_app)) == "hello"  # type: ignore[arg-type]


async def test_a_request_that_is_not_allowed_is_refused(
    make_edge: MakeEdge, tmp_path: Path
) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    edge = await make_edge(policy_file=str(path))
    for method, target, message in [
        ("POST", "/api/contents", "User is not authorized to write on resource: contents."),
        ("PUT", "/lab/api/settings/x", "User is not authorized to write on resource: config."),
        ("POST", "/api/shutdown", "User is not authorized to write on resource: server."),
        ("GET", "/api/sessions", "User is not authorized to read on resource: sessions."),
        (
            "GET",
            "/api/events/subscribe",
            "User is not authorized to execute on resource: events.",
        ),
    ]:
        response, body = await edge.ask(method, target)
        assert response.status == 403, target
        assert json.loads(body)["message"] == message
    asked = {"contents": ["read", "write"], "terminals": ["execute"], "kernels": ["x", "read"]}
    response, body = await edge.ask("GET", "/api/me?permissions=" + quote(json.dumps(asked)))
    permissions = json.loads(body)["permissions"]
    del permissions["updatable_fields"]
    assert permissions == {"contents": ["read"], "terminals": [], "kernels": ["x", "read"]}


async def test_sockets_close_when_their_permission_is_taken(
    make_edge: MakeEdge, tmp_path: Path
) -> None:
    path = tmp_path / "policy.toml"
    path.write_text('[users.token]\nevents = ["execute"]')
    edge = await make_edge(policy_file=str(path))
    url = f"http://127.0.0.1:{edge.port}/api/events/subscribe?token=a-token"
    async with edge.http.ws_connect(url) as socket:
        path.write_text('[users.token]\nevents = ["read"]')
        async with asyncio.timeout(20):
            await socket.receive()
        assert socket.close_code == 1008
