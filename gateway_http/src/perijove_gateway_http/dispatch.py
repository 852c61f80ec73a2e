"""Around every request: the checks in their order, then the route's handler."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import structlog
from aiohttp import web
from perijove_chassis.permissions import NOTHING, permissions
from perijove_chassis.telemetry import new_request_id, request_id
from perijove_chassis.users import user

from perijove_gateway_http.identity.resources import action_of, resource_of
from perijove_gateway_http.keys import (
    ACTIVITY,
    AUTH,
    AUTHORIZER,
    CALLER,
    FORWARDING,
    HEADERS,
    MATCH,
    METRICS,
    ORIGINS,
    PARAMS,
    SETTINGS,
)
from perijove_gateway_http.problems import Problem
from perijove_gateway_http.responses import location, redirect
from perijove_gateway_http.routing import Guard

if TYPE_CHECKING:
    from perijove_gateway_http.identity.users import Caller
    from perijove_gateway_http.routing import Handler, Match, Route

log = structlog.get_logger()

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_METHODS = (*_SAFE_METHODS, "POST", "PUT", "PATCH", "DELETE")
_PREFLIGHT = {
    "Access-Control-Allow-Headers": "accept, content-type, authorization, x-xsrftoken",
    "Access-Control-Allow-Methods": "GET, PUT, POST, PATCH, DELETE, OPTIONS",
}
_REQUEST_ID = re.compile(r"[\w-]{1,64}", re.ASCII)


async def dispatch(request: web.Request) -> web.StreamResponse:
    """Answer a request. The order of the checks is what clients see when several fail."""
    caller = await request.app[AUTH].identify(request)
    request[CALLER] = caller
    user.set(caller.account if caller else "")
    permissions.set(request.app[AUTHORIZER].permissions(caller) if caller else NOTHING)
    match = request.get(MATCH)
    route = match.route if match else None
    origins = request.app[ORIGINS]
    if request.method not in _METHODS:
        raise Problem(405)
    if request.method not in _SAFE_METHODS and (route is None or route.checks_xsrf):
        await origins.check_xsrf(request, caller)
    origins.check_host(request)
    if match is None:
        return _answer_unknown(request)
    guard = match.row.guard
    if request.method == "OPTIONS" and guard.is_api:
        given = request.app[HEADERS]
        told = {name: given.get(name, value) for name, value in _PREFLIGHT.items()}
        return web.Response(status=200, headers=told)
    if route is None or route.checks_xsrf:
        _check_origin(request, guard, caller)
    if route is None:
        raise Problem(405)
    if caller is None:
        refused = _refuse(request, guard)
        if refused:
            return refused
    else:
        await _authorize(request, route, caller)
    if (
        caller
        and guard.is_api
        and route.counts_as_activity
        and "no_track_activity" not in request.query
    ):
        request.app[ACTIVITY].note()
    _refuse_large_body(request)
    request[PARAMS] = _params(match)
    response: web.StreamResponse = await route.handler(request)
    return response


def _check_origin(request: web.Request, guard: Guard, caller: Caller | None) -> None:
    if guard.is_api and not request.app[ORIGINS].is_allowed(request, caller):
        raise Problem(404)
    if guard is Guard.WEBSOCKET and not request.app[ORIGINS].is_allowed(request, caller):
        raise Problem(403)


def _refuse(request: web.Request, guard: Guard) -> web.Response | None:
    if guard in (Guard.PUBLIC, Guard.PUBLIC_API):
        return None
    if guard is Guard.PAGE and request.method in ("GET", "HEAD"):
        asked = quote(request.rel_url.raw_path_qs, safe="")
        return redirect(location(request, "login") + "?next=" + asked)
    raise Problem(403)


async def _authorize(request: web.Request, route: Route, caller: Caller) -> None:
    if route.guard in (Guard.PUBLIC, Guard.PUBLIC_API):
        return
    action, resource = action_of(route), resource_of(route)
    if not resource or await request.app[AUTHORIZER].is_authorized(caller, action, resource):
        return
    raise Problem(403, f"User is not authorized to {action} on resource: {resource}.")


def _refuse_large_body(request: web.Request) -> None:
    # At once: a client need not send all of it in vain.
    if (request.content_length or 0) > request.app[SETTINGS].max_body_bytes:
        raise Problem(413, "the request body is too large")


def _params(match: Match) -> dict[str, str]:
    try:
        return match.params()
    except UnicodeDecodeError:
        raise Problem(400, "Invalid unicode in path") from None


def _answer_unknown(request: web.Request) -> web.Response:
    """Take trailing slashes off an address that is unknown with them."""
    raw_path = request.rel_url.raw_path
    base = request.app[SETTINGS].base_url
    if unquote(raw_path) + "/" == unquote(base):
        return redirect(base + _query(request))
    if not raw_path.endswith("/") or raw_path.strip("/") == "":
        raise Problem(404)
    if request.method == "GET":
        # One slash at the front only: `//elsewhere` would be another host.
        return redirect("/" + raw_path.strip("/") + _query(request))
    raise Problem(405 if request.method in _SAFE_METHODS else 403)


def _query(request: web.Request) -> str:
    raw = request.rel_url.raw_query_string
    return "?" + raw if raw else ""


@web.middleware
async def observed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, log one line, and count and time it.

    The query stays out of the log: it may hold the token.
    """
    given = request.headers.get("X-Request-Id", "")
    request_id.set(given if _REQUEST_ID.fullmatch(given) else new_request_id())
    began = time.perf_counter()
    status = 499
    try:
        response = await handler(request)
        status = response.status
    finally:
        seconds = time.perf_counter() - began
        match = request.get(MATCH)
        route = match.row.pattern if match else "unknown"
        method = request.method if request.method in _METHODS else "OTHER"
        request.app[METRICS].observe(method, route, status, seconds)
        log.info(
            "request",
            method=method,
            route=route,
            path=request.rel_url.raw_path[:500],
            client=request.app[FORWARDING].client(request),
            status=status,
            ms=round(seconds * 1000, 2),
        )
    return response
