"""Who asks: by token, or by the cookie that a login leaves.

The cookie is signed with a key that all replicas derive from the service key
and the token, so that any of them accepts it, and none does once the token has
changed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
import uuid
from dataclasses import dataclass
from http.cookies import Morsel, SimpleCookie
from typing import TYPE_CHECKING

import msgspec

from perijove_gateway_http.keys import FORWARDING

if TYPE_CHECKING:
    from aiohttp import web

    from perijove_gateway_http.settings import Settings

COOKIE_LIFETIME_S = 30 * 24 * 3600.0
"""How long a login lasts."""

XSRF_COOKIE = "_xsrf"
"""Cookie whose value a page must repeat in whatever it sends."""

_HEADER = re.compile(r"(?:token|bearer)\s+(.+)", re.IGNORECASE)
_MOONS = (
    *("Metis", "Adrastea", "Amalthea", "Thebe", "Io", "Europa", "Ganymede", "Callisto"),
    *("Themisto", "Leda", "Himalia", "Ersa", "Pandia", "Elara", "Lysithea", "Dia", "Carpo"),
    *("Valetudo", "Euporie", "Thyone", "Ananke", "Kore", "Pasiphae", "Sinope", "Carme"),
)


class User(msgspec.Struct, frozen=True):
    """The identity that `api/me` shows."""

    username: str
    name: str
    display_name: str
    initials: str
    avatar_url: str | None = None
    color: str | None = None

    @classmethod
    def anonymous(cls) -> User:
        """Make up a user who has a good credential and no name."""
        moon = secrets.choice(_MOONS)
        name = f"Anonymous {moon}"
        return cls(uuid.uuid4().hex, name, name, f"A{moon[0]}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and how that is known."""

    user: User
    by_token: bool
    """Whether the request itself carries the token. No foreign page can have it sent."""
    is_new: bool
    """Whether the answer is to set the login cookie."""


class Authenticator:
    """Checks tokens and cookies, and makes cookies."""

    def __init__(self, settings: Settings) -> None:
        self._token = settings.token.reveal().encode()
        self._base_url = settings.base_url
        self._secure = settings.secure_cookie
        key = settings.service_key.reveal().encode()
        self._key = hmac.digest(key, b"login cookie\0" + self._token, hashlib.sha256)

    @property
    def needs_credential(self) -> bool:
        """Whether there is a token at all. If not, everybody is a user."""
        return bool(self._token)

    def identify(self, request: web.Request) -> Caller | None:
        """Return who asks, or None if the request has no valid credential.

        A token in the query wins over one in the header, even if it is wrong.
        """
        known = self._user_of_cookie(request)
        token = _presented_token(request)
        if token is not None and self.is_token(token):
            return Caller(known or User.anonymous(), by_token=True, is_new=known is None)
        if known:
            return Caller(known, by_token=False, is_new=False)
        if not self._token:
            return Caller(User.anonymous(), by_token=False, is_new=True)
        return None

    def is_token(self, text: str) -> bool:
        """Whether a text is the token, in a time that does not depend on it."""
        return bool(self._token) and hmac.compare_digest(
            text.encode(errors="surrogateescape"), self._token
        )

    def login_cookie(self, request: web.Request, user: User) -> str:
        """Return a `Set-Cookie` value that makes later requests those of a user."""
        expires = time.time() + COOKIE_LIFETIME_S
        payload = base64.urlsafe_b64encode(msgspec.json.encode((int(expires), user))).decode()
        value = f"{payload}.{self._signature(payload)}"
        cookie = self._cookie(request, _cookie_name(request), value)
        cookie["httponly"] = True
        cookie["max-age"] = str(int(COOKIE_LIFETIME_S))
        return cookie.OutputString()

    def logout_cookie(self, request: web.Request) -> str:
        """Return a `Set-Cookie` value that ends a login."""
        cookie = self._cookie(request, _cookie_name(request), "")
        cookie["max-age"] = "0"
        return cookie.OutputString()

    def xsrf(self, request: web.Request) -> tuple[str, str | None]:
        """Return the value a page must repeat, and a `Set-Cookie` value if it is new.

        Scripts of the page must read the cookie, so it is not `HttpOnly`.
        """
        if known := request.cookies.get(XSRF_COOKIE):
            return known, None
        value = secrets.token_hex(16)
        return value, self._cookie(request, XSRF_COOKIE, value).OutputString()

    def xsrf_cookie(self, request: web.Request) -> str | None:
        """Return a `Set-Cookie` value for `_xsrf`, or None if the request has the cookie."""
        return self.xsrf(request)[1]

    def _user_of_cookie(self, request: web.Request) -> User | None:
        cookie = request.cookies.get(_cookie_name(request))
        if not cookie:
            return None
        payload, _, signature = cookie.partition(".")
        if not hmac.compare_digest(
            self._signature(payload).encode(), signature.encode(errors="surrogateescape")
        ):
            return None
        try:
            expires, user = msgspec.json.decode(
                base64.urlsafe_b64decode(payload), type=tuple[float, User]
            )
        except (ValueError, msgspec.MsgspecError):
            return None
        return user if expires > time.time() else None

    def _signature(self, payload: str) -> str:
        signed = payload.encode(errors="surrogateescape")
        return hmac.new(self._key, signed, hashlib.sha256).hexdigest()

    def _cookie(self, request: web.Request, name: str, value: str) -> Morsel[str]:
        jar = SimpleCookie({name: value})
        jar[name]["path"] = self._base_url
        if self._secure or request.app[FORWARDING].scheme(request) == "https":
            jar[name]["secure"] = True
        return jar[name]


def _presented_token(request: web.Request) -> str | None:
    if in_query := request.query.getall("token", []):
        return in_query[-1]
    match = _HEADER.match(request.headers.get("Authorization", ""))
    return match[1].strip() if match else None


def _cookie_name(request: web.Request) -> str:
    # Not `request.host`: without the header that asks the name service.
    return "username-" + re.sub(r"[^A-Za-z0-9]", "-", request.headers.get("Host", ""))
