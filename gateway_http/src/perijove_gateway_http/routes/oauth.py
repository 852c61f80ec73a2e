"""Logins at another site: the way there, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove_gateway_http.identity.flow import Pending
from perijove_gateway_http.keys import AUTH, AUTHORIZER, CALLER, FLOW, SETTINGS
from perijove_gateway_http.problems import Problem
from perijove_gateway_http.responses import redirect
from perijove_gateway_http.routes.login import safe_next
from perijove_gateway_http.routing import Guard, Route

if TYPE_CHECKING:
    from aiohttp import web

    from perijove_gateway_http.identity.provider import Provider

MAX_NEXT = 2000
"""Longest address to go to after the login: it travels in a cookie."""


async def go(request: web.Request) -> web.Response:
    """GET oauth_login: send the browser to log in, and to come back."""
    asked = request.query.get("next") or request.app[SETTINGS].base_url
    pending = Pending.begin(asked if len(asked) <= MAX_NEXT else request.app[SETTINGS].base_url)
    where = await _provider(request).address(request, pending)
    response = redirect(where)
    flow = request.app[FLOW]
    for cookie in (*flow.forgotten(request), flow.remember(request, pending)):
        response.headers.add("Set-Cookie", cookie)
    response.headers["Cache-Control"] = "no-store"
    return response


async def come_back(request: web.Request) -> web.Response:
    """GET oauth_callback: log in whom the other site names, and go on."""
    flow = request.app[FLOW]
    pending = flow.recall(request)
    request[CALLER] = None
    groups = request.app[AUTHORIZER].groups
    request[CALLER] = caller = await _provider(request).finish(request, pending, groups)
    response = redirect(safe_next(request, pending.asked))
    response.headers.add("Set-Cookie", flow.forget(request, pending))
    if caller.hint:
        response.headers.add("Set-Cookie", flow.keep_hint(request, caller))
    return response


def _provider(request: web.Request) -> Provider:
    if provider := request.app[AUTH].provider:
        return provider
    raise Problem(404)


ROUTES = (
    Route("GET", "oauth_login", go, Guard.PUBLIC),
    Route("GET", "oauth_callback", come_back, Guard.PUBLIC),
)
