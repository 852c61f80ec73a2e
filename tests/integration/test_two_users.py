"""What the users of one deployment may do to it, over every route and every RPC."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import time
from typing import TYPE_CHECKING, Any

import aiohttp
import grpc
import psutil
import pytest
from perijove_chassis.credentials import Issuer, derive_key, runner_name
from perijove_chassis.permissions import READ, permission
from perijove_chassis.settings import Secret
from perijove_gateway_http.identity.resources import (
    ANY_USER,
    PERMISSIONS,
    resource_of,
)
from perijove_gateway_http.routing import Guard

from tests.integration.openid import Browser, provider
from tests.integration.test_access import SERVED_BY
from tests.integration.test_no_credential import (
    HANDSHAKE,
    PUBLIC,
    SERVED,
    address,
    issuing,
    methods_of,
)
from tests.jupyter_ws import JupyterClient
from tests.raw_http import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import StartPerijove
    from tests.running import RunningPerijove

POLICY = "\n".join(
    [
        '[users.ada]\n"*" = ["*"]',
        *(f'[users.{what}-{action}]\n{what} = ["{action}"]' for action, what in PERMISSIONS),
    ]
)
"""Of what is to be allowed, eve has nothing, ada all, and a user of its own each part."""

FREE = {
    *("Check", "List", "Watch", "ServerReflectionInfo"),
    *("GetDocument", "ListDocuments", "GetKernelPath"),
}
"""RPCs for every user: health, what there is, and what the pages of front ends are made of."""

READING = ("Get", "List", "Read", "Watch", "Convert")
EVERYTHING = frozenset(permission(action, resource) for action, resource in PERMISSIONS)
ALL_TO_READ = frozenset(one for one in EVERYTHING if one.endswith(f":{READ}"))
GATEWAY = "https://events.jupyter.org/jupyter_server/gateway_client/v1"
EVENT = {"schema_id": GATEWAY, "version": "1", "data": {"status": "success", "msg": "m"}}


@pytest.fixture(scope="module")
def shared(
    start_for_module: StartPerijove, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningPerijove]:
    """Run a deployment with many users, who are let in by a provider."""
    policy = tmp_path_factory.mktemp("policy") / "policy.toml"
    policy.write_text(POLICY)
    with provider() as issuer:
        told = {"ISSUER": issuer, "CLIENT_ID": "perijove", "CLIENT_SECRET": "s", "SCOPES": "openid"}
        yield start_for_module(
            PERIJOVE_GATEWAY_HTTP_POLICY_FILE=str(policy),
            PERIJOVE_GATEWAY_HTTP_OIDC_ALLOWED_USERS="*",
            **{f"PERIJOVE_GATEWAY_HTTP_OIDC_{name}": value for name, value in told.items()},
            **{f"PERIJOVE_{name.upper()}_REFLECTION": "true" for name in SERVED_BY},
        )


class User:
    """Somebody who has logged in."""

    def __init__(self, http: aiohttp.ClientSession, url: str, name: str) -> None:
        self._browser = Browser(http, url.rstrip("/"), {})
        self.name = name

    async def log_in(self) -> User:
        """Log in at the provider."""
        browser = self._browser
        status, _, page = await browser.get(await browser.log_in(await browser.leave(), self.name))
        assert status == 302, page
        browser.cookies["_xsrf"] = "x"
        return self

    @property
    def headers(self) -> dict[str, str]:
        """What the browser sends with each request of a page."""
        cookies = "; ".join(f"{name}={value}" for name, value in self._browser.cookies.items())
        return {"Cookie": cookies, "X-XSRFToken": "x"}

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Return status and answer of an API call."""
        url = f"{self._browser.url}/{path}"
        async with self._browser.http.request(
            method, url, headers=self.headers, allow_redirects=False, **options
        ) as answer:
            raw = await answer.read()
            is_json = answer.headers.get("Content-Type", "").startswith("application/json")
            return answer.status, json.loads(raw) if is_json and raw else raw


@pytest.fixture
async def users(shared: RunningPerijove) -> Any:
    """Log people in by their names."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:

        async def log_in(name: str) -> User:
            return await User(http, shared.url, name).log_in()

        yield log_in


async def test_a_user_whom_the_policy_allows_nothing_gets_nothing_by_any_route(
    shared: RunningPerijove, users: Any
) -> None:
    ada, eve = await users("ada"), await users("eve")
    for route in SERVED:
        if route.pattern in PUBLIC or route.guard in (Guard.PUBLIC, Guard.PUBLIC_API):
            continue
        more = HANDSHAKE if route.guard is Guard.WEBSOCKET else {}
        target, method = address(route.pattern).encode(), route.method.encode()

        def status_for(
            user: User, method: bytes = method, target: bytes = target, more: Any = more
        ) -> int:
            return ask(shared.url, method, target, headers=user.headers | more).status

        free = resource_of(route) == ANY_USER
        status = await asyncio.to_thread(status_for, eve)
        assert (status != 403 and status < 500) if free else status == 403, route.pattern
        if route.method == "GET" and route.guard is not Guard.WEBSOCKET:
            # Else this would pass for a server that refuses everybody.
            assert await asyncio.to_thread(status_for, ada) not in (401, 403), route.pattern


async def test_who_is_allowed_something_is_refused_it_by_no_service(
    shared: RunningPerijove, users: Any
) -> None:
    async def as_(who: str, method: str, path: str, expected: int, **options: Any) -> Any:
        user = await users(who)
        status, answer = await user.ask(method, path, **options)
        assert status == expected, (who, method, path, answer)
        return answer

    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
    saved = {"type": "notebook", "format": "json", "content": notebook}
    await as_("contents-write", "PUT", "api/contents/a.ipynb", 201, json=saved)
    await as_("contents-write", "POST", "api/contents/a.ipynb/checkpoints", 201)
    await as_("contents-write", "POST", "api/contents", 201, json={"copy_from": "a.ipynb"})
    for path in ("api/contents/", "api/contents/a.ipynb", "files/a.ipynb"):
        await as_("contents-read", "GET", path, 200)
    await as_("nbconvert-read", "GET", "nbconvert/script/a.ipynb", 200)
    await as_("config-write", "PUT", "api/config/x", 204, json={"a": 1})
    assert await as_("config-read", "GET", "api/config/x", 200) == {"a": 1}
    await as_("kernelspecs-read", "GET", "api/kernelspecs", 200)
    await as_("kernelspecs-read", "GET", "kernelspecs/python3/logo-64x64.png", 200)
    await as_("events-write", "POST", "api/events", 204, json=EVENT)
    await as_("api-read", "GET", "api/status", 200)

    wanted = {"path": "a.ipynb", "type": "notebook", "name": "", "kernel": {"name": "python3"}}
    session = await as_("sessions-write", "POST", "api/sessions", 201, json=wanted)
    assert [session] == await as_("sessions-read", "GET", "api/sessions", 200)
    kernel = await as_("kernels-write", "POST", "api/kernels", 201, json={})
    for one in (kernel["id"], session["kernel"]["id"]):
        await as_("kernels-read", "GET", f"api/kernels/{one}", 200)
    user = await users("kernels-execute")
    async with (
        aiohttp.ClientSession(headers=user.headers) as http,
        JupyterClient(http, shared.url).kernel(kernel["id"]) as socket,
    ):
        assert await socket.run("print(6 * 7)") == "42\n"
    await as_("kernels-write", "POST", f"api/kernels/{kernel['id']}/interrupt", 204)
    await as_("kernels-write", "POST", f"api/kernels/{kernel['id']}/restart", 200)
    await as_("kernels-write", "DELETE", f"api/kernels/{kernel['id']}", 204)
    await as_("sessions-write", "DELETE", f"api/sessions/{session['id']}", 204)

    terminal = await as_("terminals-write", "POST", "api/terminals", 200)
    assert len(await as_("terminals-read", "GET", "api/terminals", 200)) == 1
    user = await users("terminals-execute")
    async with aiohttp.ClientSession(headers=user.headers) as http:
        url = f"{shared.url}terminals/websocket/{terminal['name']}"
        async with http.ws_connect(url) as shell:
            assert (await shell.receive_json())[0] == "setup"
    await as_("terminals-write", "DELETE", f"api/terminals/{terminal['name']}", 204)
    # Pages are for everybody who is logged in, with what they are made of.
    for page in ("lab", "lab/tree/a.ipynb", "tree", "tree/x", "notebooks/a.ipynb"):
        await as_("eve", "GET", page, 200)
    await as_("eve", "GET", "lab/api/settings/@jupyterlab/apputils-extension:themes", 200)


class Calls:
    """Calls to one process, by whoever."""

    def __init__(self, shared: RunningPerijove, process: str) -> None:
        self.key, self.audience = issuing(shared, process)
        self.methods = methods_of(shared, process)
        self._target = shared.target(process)

    def outcomes(self, shown: str) -> dict[str, grpc.StatusCode]:
        """Make every call there is, with an empty request, and return what came of each."""
        with grpc.insecure_channel(self._target) as channel:
            return {method: self._outcome(channel, method, shown) for method in self.methods}

    @staticmethod
    def _outcome(channel: grpc.Channel, method: str, shown: str) -> grpc.StatusCode:
        call = channel.stream_stream(method)(
            iter([b""]), metadata=[("authorization", shown)], timeout=30
        )
        try:
            answered = next(call, None) is not None
        except grpc.RpcError:
            answered = False
        # What answers may go on for as long as somebody listens.
        return grpc.StatusCode.OK if answered and call.cancel() else call.code()

    def issued(self, *asked: Any, audience: str = "", key: bytes = b"") -> str:
        issuer = Issuer(key or self.key, "gateway_http", audience or self.audience)
        return issuer.credential(*asked)

    def signed(self, payload: bytes) -> str:
        text = base64.urlsafe_b64encode(payload)
        return f"Perijove {text.decode()}.{hmac.new(self.key, text, 'sha256').hexdigest()}"


def changed(credential: str, **claims: Any) -> str:
    """Return a credential that says something else than what was signed."""
    head, _, signature = credential.removeprefix("Perijove ").partition(".")
    said = json.loads(base64.urlsafe_b64decode(head)) | claims
    text = base64.urlsafe_b64encode(json.dumps(said).encode()).decode()
    return f"Perijove {text}.{signature}"


@pytest.fixture(scope="module", params=list(SERVED_BY))
def calls(shared: RunningPerijove, request: pytest.FixtureRequest) -> Calls:
    return Calls(shared, request.param)


def test_no_rpc_takes_a_principal_that_nobody_has_signed_for_it(calls: Calls) -> None:
    good = calls.issued("ada")
    of_eve = calls.issued("eve", frozenset())
    claims = {"issuer": "gateway_http", "audience": calls.audience, "user": "ada"}
    others = [
        name for name in ("contents", "sessions", "kernels", "runner/x") if name != calls.audience
    ]
    wrong = {
        "another deployment's": calls.issued("ada", key=derive_key(Secret("x"), calls.audience)),
        **{f"for {name}": calls.issued("ada", audience=name) for name in others},
        "expired": calls.signed(json.dumps(claims | {"expires": time.time() - 1}).encode()),
        "without an end": calls.signed(json.dumps(claims).encode()),
        "of another user": changed(of_eve, user="ada"),
        "with more permissions": changed(of_eve, permissions=sorted(EVERYTHING)),
        "without limits": changed(of_eve, permissions=None),
        "for longer": changed(good, expires=time.time() + 9999),
        "with another's signature": good.partition(".")[0] + "." + of_eve.partition(".")[2],
    }
    for what, shown in wrong.items():
        for method, found in calls.outcomes(shown).items():
            assert found is grpc.StatusCode.UNAUTHENTICATED, (what, method)


def test_no_rpc_does_for_a_user_what_the_policy_denies(calls: Calls) -> None:
    for method, found in calls.outcomes(calls.issued("eve", frozenset())).items():
        is_free = method.rpartition("/")[2] in FREE
        assert (found is grpc.StatusCode.PERMISSION_DENIED) is not is_free, method


def test_no_rpc_changes_anything_for_a_user_who_may_only_read(calls: Calls) -> None:
    shown = calls.issued("reader", ALL_TO_READ)
    changing = [
        method for method in calls.methods if not method.rpartition("/")[2].startswith(READING)
    ]
    calls.methods = [method for method in changing if method.rpartition("/")[2] not in FREE]
    for method, found in calls.outcomes(shown).items():
        assert found is grpc.StatusCode.PERMISSION_DENIED, method


def test_no_rpc_of_a_service_is_for_a_runner_but_those_for_runners(
    shared: RunningPerijove,
) -> None:
    environment = psutil.Process(shared.pid("runner")).environ()
    name = runner_name(environment["PERIJOVE_RUNNER_ID"])
    key = bytes.fromhex(environment["PERIJOVE_RUNNER_SERVICE_KEY"])
    for process in ("contents", "sessions", "kernels"):
        shown = Issuer(key, name, process).credential()
        for method, found in Calls(shared, process).outcomes(shown).items():
            is_free = method.startswith("/grpc.") or method.endswith("/Announce")
            assert (found is grpc.StatusCode.PERMISSION_DENIED) is not is_free, method
