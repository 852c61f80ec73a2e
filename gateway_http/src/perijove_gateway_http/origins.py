"""Where a request comes from: hosts, origins, and proof that no foreign page sent it."""

from __future__ import annotations

import functools
import hmac
import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from perijove_gateway_http.bodies import is_form, read_form
from perijove_gateway_http.identity.cookies import XSRF
from perijove_gateway_http.problems import Problem

if TYPE_CHECKING:
    from aiohttp import web

    from perijove_gateway_http.identity.users import Caller
    from perijove_gateway_http.settings import Settings


@functools.lru_cache(maxsize=64)
def is_loopback(address: str) -> bool:
    """Whether an address is one of this machine alone."""
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


class Origins:
    """Decides which hosts and origins are answered, and what browsers are told of it."""

    def __init__(self, settings: Settings, *, on_loopback: bool) -> None:
        """Take the rules.

        Args:
            settings: What the process was told.
            on_loopback: Whether only this machine can reach the socket.
        """
        self._allow_origin = settings.allow_origin
        self._pattern = re.compile(settings.allow_origin_pat) if settings.allow_origin_pat else None
        self._credentials = settings.allow_credentials
        self._socket = settings.sock
        self._check_xsrf = not settings.disable_check_xsrf
        wanted = settings.allow_remote_access
        self._any_host = wanted == "yes" or (wanted == "auto" and not on_loopback)
        self._local = {name.strip().lower() for name in settings.local_hostnames.split(",")}

    def check_host(self, request: web.Request) -> None:
        """Refuse names that others could point at this machine (DNS rebinding).

        Raises:
            Problem: 403 if the `Host` is not this machine's.
        """
        if self._any_host:
            return
        given = _without_port(request.headers.get("Host", ""))
        if self._socket and unquote(given) == self._socket:
            return  # what clients of a unix socket call it
        host = given.lower()
        if host not in self._local and not is_loopback(host):
            raise Problem(403)

    def is_allowed(self, request: web.Request, caller: Caller | None) -> bool:
        """Whether a page of the request's origin may use the API."""
        if caller and caller.by_token:
            return True
        origin, host = request.headers.get("Origin"), request.headers.get("Host")
        if not origin or not host or self._allow_origin == "*":
            return True
        return _split(origin)[1] == host.lower() or self.allows(origin)

    def allows(self, origin: str) -> bool:
        """Whether the settings name an origin."""
        if self._allow_origin:
            return origin in (self._allow_origin, self._allow_origin + "/")
        return bool(self._pattern and self._pattern.fullmatch(origin))

    def cors_headers(self, request: web.Request, caller: Caller | None) -> dict[str, str]:
        """Return what tells a browser that a page of another site may read the answer."""
        headers = {}
        origin = request.headers.get("Origin", "")
        if self._allow_origin:
            headers["Access-Control-Allow-Origin"] = self._allow_origin
        elif self._pattern:
            if origin and self._pattern.fullmatch(origin):
                headers["Access-Control-Allow-Origin"] = origin
        elif caller and caller.by_token:
            headers["Access-Control-Allow-Origin"] = origin
        if self._credentials:
            headers["Access-Control-Allow-Credentials"] = "true"
        return headers

    async def check_xsrf(self, request: web.Request, caller: Caller | None) -> None:
        """Refuse what a foreign page may have sent with the user's cookie.

        Raises:
            Problem: 403 if the request does not repeat the value of `_xsrf`.
        """
        if not self._check_xsrf or (caller and (caller.by_token or _is_program(request, caller))):
            return
        given = await _given_xsrf(request)
        if not given:
            raise Problem(403, "'_xsrf' argument missing from POST")
        if not _is_same(given, request.cookies.get(XSRF, "")):
            raise Problem(403, "XSRF cookie does not match POST argument")

    async def check_read_xsrf(self, request: web.Request, caller: Caller | None) -> None:
        """Refuse to hand a user's file to a foreign page. A referer of this host will do.

        Raises:
            Problem: 403 if the request shows no origin, or a foreign one.
        """
        if not self._check_xsrf or (caller and caller.by_token):
            return
        if _is_same(await _given_xsrf(request), request.cookies.get(XSRF, "")):
            return
        referer = request.headers.get("Referer")
        if not referer:
            raise Problem(403, "Blocking request from unknown origin")
        scheme, site = _split(referer)
        here = request.headers.get("Host", "").lower()
        if site != here and not self.allows(f"{scheme}://{site}"):
            raise Problem(403, "Blocking Cross Origin request from another site.")


def _is_program(request: web.Request, caller: Caller) -> bool:
    """Whether who needs no credential is no page: a server that has this one as its gateway.

    It has no cookie, sends a token though there is none, which no browser adds by itself, and
    does not say where it comes from, which every page does.
    """
    given = request.headers.get("Authorization", "").lower()
    return caller.is_new and given.startswith("token") and "Origin" not in request.headers


async def _given_xsrf(request: web.Request) -> str:
    for name in ("X-XSRFToken", "X-CSRFToken"):
        if value := request.headers.get(name):
            return value
    if in_query := request.query.get(XSRF):
        return in_query
    if is_form(request):
        return (await read_form(request)).get(XSRF, "")
    return ""


def _split(address: str) -> tuple[str, str]:
    """Return scheme and site of an address; a site that is none if it is malformed."""
    try:
        parts = urlsplit(address.lower())
    except ValueError:
        return "", "?"
    return parts.scheme, parts.netloc


def _is_same(given: str, cookie: str) -> bool:
    return bool(given) and hmac.compare_digest(
        given.encode(errors="surrogateescape"), cookie.encode(errors="surrogateescape")
    )


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
