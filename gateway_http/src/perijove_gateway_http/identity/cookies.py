"""Login cookies: signed, so that every replica accepts what any of them has set.

The key is made of the service key, the token and what is stored of the password.
Whoever changes one of these ends every login.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import re
import time
from http.cookies import CookieError, Morsel
from typing import TYPE_CHECKING

import msgspec

from perijove_gateway_http.identity.users import Caller, Login
from perijove_gateway_http.keys import FORWARDING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from perijove_gateway_http.identity.passwords import Passwords
    from perijove_gateway_http.settings import Settings

LIFETIME_S = 30 * 24 * 3600.0
"""How long a login lasts."""

XSRF = "_xsrf"
"""Cookie whose value a page must repeat in whatever it sends."""


class Cookies:
    """Makes cookies, and checks those of logins."""

    def __init__(self, settings: Settings, passwords: Passwords) -> None:
        """Take what cookies are to be like.

        Raises:
            CookieError: if the options of cookies name what no cookie has.
        """
        self._service_key = settings.service_key.reveal().encode()
        self._token = settings.token.reveal().encode()
        self._passwords = passwords
        self._name = settings.cookie_name
        self._path = settings.base_url
        self._options = parse_options(settings.cookie_options)
        self._secure = settings.secure_cookie
        self.lifetime_s = float(self._options.get("max-age", LIFETIME_S))
        # Who comes with a token gets one with each answer.
        self._of_logins = {
            secure: self._attributes_of_login(secure=secure) for secure in (False, True)
        }
        self._made_for = passwords.stored
        self._key = self._make_key()

    @property
    def key(self) -> bytes:
        """What logins are signed with now."""
        if self._passwords.stored != self._made_for:
            self._made_for = self._passwords.stored
            self._key = self._make_key()
        return self._key

    def name(self, request: web.Request) -> str:
        """Return the name of the login cookie: one for each address of the server."""
        # Not `request.host`: without the header that asks the name service.
        return self._name or _name_at(request.headers.get("Host", ""))

    def given(self, request: web.Request) -> str:
        """Return the login cookie of a request; empty if it has none."""
        cookies = request.cookies
        return cookies.get(self.name(request), "") if cookies else ""

    def read(self, cookie: str) -> Caller | None:
        """Return whom a login cookie names, if it holds."""
        raw = unsign(self.key, cookie)
        if raw is None:
            return None
        try:
            login = msgspec.json.decode(raw, type=Login)
        except msgspec.MsgspecError:
            return None
        if login.expires <= time.time():
            return None
        return Caller(
            login.user,
            by_token=False,
            is_new=False,
            account=login.account,
            groups=login.groups,
            expires=login.expires,
            key=self.key,
            proof=login.proof,
        )

    def login(self, request: web.Request, caller: Caller) -> str:
        """Return a `Set-Cookie` value that makes later requests those of a user."""
        expires = int(time.time() + self.lifetime_s)
        login = Login(expires, caller.user, caller.account, caller.groups, caller.proof)
        value = sign(self.key, msgspec.json.encode(login))
        return f"{self.name(request)}={value}; {self._of_logins[self._is_secure(request)]}"

    def logout(self, request: web.Request) -> str:
        """Return a `Set-Cookie` value that ends a login."""
        cookie = self.make(request, self.name(request), "")
        cookie.update(self._options)
        cookie["max-age"] = "0"
        return cookie.OutputString()

    def make(self, request: web.Request, name: str, value: str) -> Morsel[str]:
        """Return a cookie for this server, with a value that needs no quotes."""
        return self._made(name, value, secure=self._is_secure(request))

    def _made(self, name: str, value: str, *, secure: bool) -> Morsel[str]:
        cookie: Morsel[str] = Morsel()
        cookie.set(name, value, value or '""')
        cookie["path"] = self._path
        if secure:
            cookie["secure"] = True
        return cookie

    def _attributes_of_login(self, *, secure: bool) -> str:
        cookie = self._made("login", "", secure=secure)
        cookie["httponly"] = True
        cookie["max-age"] = str(int(self.lifetime_s))
        cookie.update(self._options)
        return cookie.OutputString().partition("; ")[2]

    def _is_secure(self, request: web.Request) -> bool:
        return self._secure or request.app[FORWARDING].scheme(request) == "https"

    def _make_key(self) -> bytes:
        parts = b"\0".join((self._token, self._made_for.encode()))
        return hmac.digest(self._service_key, b"login cookie\0" + parts, hashlib.sha256)


@functools.lru_cache(maxsize=64)
def _name_at(host: str) -> str:
    return "username-" + re.sub(r"[^A-Za-z0-9]", "-", host)


def sign(key: bytes, payload: bytes) -> str:
    """Return a text that holds a payload, and that nobody can make without the key."""
    text = base64.urlsafe_b64encode(payload).decode().rstrip("=")
    return f"{text}.{_signature(key, text)}"


def unsign(key: bytes, text: str) -> bytes | None:
    """Return what such a text holds; None if it was not signed with the key."""
    payload, _, signature = text.partition(".")
    given = signature.encode(errors="surrogateescape")
    if not hmac.compare_digest(_signature(key, payload).encode(), given):
        return None
    return base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))


def parse_options(text: str) -> Mapping[str, str]:
    """Return attributes of cookies from JSON such as `{"SameSite": "None"}`.

    Raises:
        CookieError: if it is no such JSON, or no cookie has such an attribute.
    """
    try:
        given = msgspec.json.decode(text or "{}", type=dict[str, str | int | bool])
    except msgspec.MsgspecError:
        raise CookieError("it is no JSON object of attributes") from None
    options: dict[str, str] = {}
    for name, value in given.items():
        attribute = name.lower().replace("_", "-")
        if attribute == "expires-days":
            options["max-age"] = str(int(value) * 86_400)
        elif isinstance(value, bool):
            options[attribute] = "true" if value else ""
        else:
            options[attribute] = str(value)
    if not options.get("max-age", "1").isdecimal():
        raise CookieError("its lifetime is no number of seconds")
    Morsel[str]().update(options)
    return options


def _signature(key: bytes, payload: str) -> str:
    signed = payload.encode(errors="surrogateescape")
    return hmac.digest(key, signed, "sha256").hex()
