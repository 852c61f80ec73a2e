"""The way of a browser to whoever vouches for its user, and back (RFC 6749, RFC 7636).

What must be known when it comes back travels in a cookie of its own, signed and
short-lived: it may come back to another replica.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from typing import TYPE_CHECKING

import msgspec

from perijove_gateway_http.identity.cookies import sign, unsign
from perijove_gateway_http.keys import FORWARDING
from perijove_gateway_http.problems import Problem

if TYPE_CHECKING:
    from http.cookies import Morsel

    from aiohttp import web

    from perijove_gateway_http.identity.cookies import Cookies
    from perijove_gateway_http.identity.users import Caller

LIFETIME_S = 600.0
"""How long people have to log in elsewhere."""

MAX_PENDING = 5
"""How many logins may be under way in one browser."""

MAX_HINT = 3500
"""Longest word to be shown at the end of a login: browsers keep 4096 bytes with its name."""

_PREFIX = "perijove-login-"
_NAMED_BY = 16


class Pending(msgspec.Struct, frozen=True, array_like=True):
    """A login that is under way."""

    expires: float
    state: str
    """What must come back with the browser that was sent away."""
    nonce: str
    """What must be in the identity that is signed for it."""
    verifier: str
    """What proves that who asks for the token is who sent the browser (PKCE)."""
    asked: str
    """Where to go after the login."""

    @property
    def challenge(self) -> str:
        """What is told beforehand of the verifier."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    @classmethod
    def begin(cls, asked: str) -> Pending:
        """Make one up."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(time.time() + LIFETIME_S, state, nonce, verifier, asked)


class Flow:
    """Remembers logins that are under way, in the browsers whose they are."""

    def __init__(self, service_key: bytes, cookies: Cookies) -> None:
        self._key = hmac.digest(service_key, b"pending login", hashlib.sha256)
        self._cookies = cookies

    def remember(self, request: web.Request, pending: Pending) -> str:
        """Return a `Set-Cookie` value. Several logins may be under way in one browser."""
        value = sign(self._key, msgspec.json.encode(pending))
        cookie = self._cookies.make(request, _name(pending.state), value)
        cookie["httponly"] = True
        cookie["samesite"] = "Lax"
        cookie["max-age"] = str(int(LIFETIME_S))
        return cookie.OutputString()

    def forgotten(self, request: web.Request) -> list[str]:
        """Return `Set-Cookie` values that end all but a few of those that a browser brings.

        Any page can have a browser begin logins; too many cookies, and it gets no answer.
        """
        brought = [name for name in request.cookies if name.startswith(_PREFIX)]
        return [self._ended(request, name) for name in brought[: -MAX_PENDING + 1]]

    def recall(self, request: web.Request) -> Pending:
        """Return what was remembered of the login that a browser comes back from.

        Raises:
            Problem: 403 if this browser was not sent there, or long ago.
        """
        state = request.query.get("state", "")
        raw = unsign(self._key, request.cookies.get(_name(state), ""))
        pending = msgspec.json.decode(raw, type=Pending) if raw else None
        if (
            pending is None
            or not hmac.compare_digest(pending.state.encode(), _bytes(state))
            or pending.expires < time.time()
        ):
            raise Problem(403, "this login was not begun here, or took too long: try again")
        return pending

    def forget(self, request: web.Request, pending: Pending) -> str:
        """Return a `Set-Cookie` value that ends it."""
        return self._ended(request, _name(pending.state))

    def keep_hint(self, request: web.Request, caller: Caller) -> str:
        """Return a `Set-Cookie` value that keeps what is wanted at the end of a login.

        It is in a cookie of its own, that comes only when somebody logs out, and not if a page
        of another site has sent them to.
        """
        hint = caller.hint if len(caller.hint) <= MAX_HINT else ""
        cookie = self._of_hint(request, hint)
        cookie["max-age"] = str(int(self._cookies.lifetime_s)) if hint else "0"
        return cookie.OutputString()

    def hint(self, request: web.Request) -> str:
        """Return what was kept; empty if nothing was."""
        return request.cookies.get(self._name_of_hint(request), "")

    def forget_hint(self, request: web.Request) -> str:
        """Return a `Set-Cookie` value that ends what was kept."""
        cookie = self._of_hint(request, "")
        cookie["max-age"] = "0"
        return cookie.OutputString()

    def _of_hint(self, request: web.Request, hint: str) -> Morsel[str]:
        cookie = self._cookies.make(request, self._name_of_hint(request), hint)
        cookie["path"] += "logout"
        cookie["httponly"] = True
        cookie["samesite"] = "Strict"
        return cookie

    def _name_of_hint(self, request: web.Request) -> str:
        return f"{self._cookies.name(request)}-hint"

    def _ended(self, request: web.Request, name: str) -> str:
        cookie = self._cookies.make(request, name, "")
        cookie["max-age"] = "0"
        return cookie.OutputString()


def address_here(request: web.Request, path: str) -> str:
    """Return the whole address of a path of this server, as browsers reach it."""
    forwarding = request.app[FORWARDING]
    return f"{forwarding.scheme(request)}://{request.headers.get('Host', '')}{path}"


def _name(state: str) -> str:
    safe = "".join(letter for letter in state[:_NAMED_BY] if letter.isascii() and letter.isalnum())
    return _PREFIX + safe


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
