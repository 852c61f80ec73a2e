"""The headers that every answer carries."""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING

from aiohttp import web

from perijove_gateway_http.keys import AUTH, CALLER, HEADERS, MATCH, ORIGINS, SETTINGS

if TYPE_CHECKING:
    from perijove_gateway_http.routing import Handler, Row

SERVER = "Perijove"
"""What the `Server` header says: no version to look up weaknesses for."""

MAX_TAGGED_BYTES = 1024 * 1024
"""Largest body that an `Etag` is computed for."""

CSP = "Content-Security-Policy"


def content_security_policy(request: web.Request, *extra: str) -> str:
    """Return the policy of an answer with further directives."""
    if (given := request.app[HEADERS].get(CSP)) is not None:
        return "; ".join((given, *extra))
    return _policy(request.app[SETTINGS].base_url, extra)


@functools.lru_cache(maxsize=64)
def _policy(base_url: str, extra: tuple[str, ...]) -> str:
    report = base_url + "api/security/csp-report"
    return "; ".join(("frame-ancestors 'self'", f"report-uri {report}", *extra))


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Complete an answer just before it is sent."""
    app, headers = request.app, response.headers
    for name, value in app[HEADERS].items():
        if name.lower() != CSP.lower():
            headers.setdefault(name, value)
    headers.setdefault("Server", SERVER)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    match, caller = request.get(MATCH), request.get(CALLER)
    if CSP not in headers:
        headers[CSP] = content_security_policy(request, *_extra(match.row if match else None))
    auth = app[AUTH]
    if caller and caller.is_new:
        headers.add("Set-Cookie", auth.cookies.login(request, caller))
    elif caller is None and CALLER in request and auth.brings_cookie(request):
        # It does not hold any more: the browser is spared to send it.
        headers.add("Set-Cookie", auth.cookies.logout(request))
    if response.status < web.HTTPBadRequest.status_code:
        headers.update(app[ORIGINS].cors_headers(request, caller))
    if response.status in (204, 304):
        headers.pop("Content-Type", None)


def _extra(row: Row | None) -> tuple[str, ...]:
    if row and row.guard.is_api:
        return ("default-src 'none'",)
    return ("sandbox allow-scripts",) if row and row.in_sandbox else ()


@web.middleware
async def tagged(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give answers that are at hand a tag, and send none that the client has."""
    response = await handler(request)
    if (
        request.method != "GET"
        or response.status != web.HTTPOk.status_code
        or not isinstance(response, web.Response)
        or not isinstance(response.body, bytes)
        or len(response.body) > MAX_TAGGED_BYTES
        or "Last-Modified" in response.headers
        or "Etag" in response.headers
    ):
        return response
    tag = f'"{hashlib.sha1(response.body, usedforsecurity=False).hexdigest()}"'
    given = request.headers.get("If-None-Match", "")
    if tag in (part.strip().removeprefix("W/") for part in given.split(",")):
        return web.Response(status=304, headers={"Etag": tag})
    response.headers["Etag"] = tag
    return response
