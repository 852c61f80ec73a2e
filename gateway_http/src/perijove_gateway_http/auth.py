"""Who asks: by token, or by the cookie that a login leaves."""

from __future__ import annotations

import hmac
import re
import secrets
import time
from typing import TYPE_CHECKING

import msgspec

from perijove_gateway_http.bodies import is_form, read_form
from perijove_gateway_http.identity.cookies import XSRF, Cookies
from perijove_gateway_http.identity.users import Caller, User
from perijove_gateway_http.problems import Problem

if TYPE_CHECKING:
    from aiohttp import web

    from perijove_gateway_http.identity.passwords import Passwords
    from perijove_gateway_http.identity.provider import Provider
    from perijove_gateway_http.settings import Settings

_HEADER = re.compile(r"(?:token|bearer)\s+(.+)", re.IGNORECASE)


class Authenticator:
    """Checks tokens, passwords and cookies."""

    def __init__(
        self, settings: Settings, passwords: Passwords, provider: Provider | None = None
    ) -> None:
        """Take what is to be presented, and who else vouches for users.

        Raises:
            CookieError: if the options of cookies name what no cookie has.
        """
        self._token = settings.token.reveal().encode()
        self._allow_anyone = settings.allow_anyone
        self.passwords = passwords
        self.provider = provider
        self.cookies = Cookies(settings, passwords)

    @property
    def needs_credential(self) -> bool:
        """Whether there is anything to present. If not, everybody is a user."""
        known = self._token or self.passwords.stored or self.provider
        return not self._allow_anyone or bool(known)

    @property
    def has_token(self) -> bool:
        """Whether there is a token."""
        return bool(self._token)

    async def identify(self, request: web.Request) -> Caller | None:
        """Return who asks, or None if the request has no valid credential.

        A token in the query wins over one in the header, even if it is wrong.
        """
        known = None
        if cookie := self.cookies.given(request):
            known = self.cookies.read(cookie)
            if known is None:
                # It may be one that another replica has set after a change of the password.
                await self.passwords.refresh()
                known = self.cookies.read(cookie)
        token = _presented_token(request)
        if token is None and known is None:
            token = await _token_in_form(request)
        if token is not None:
            if self.is_token(token):
                user = known.user if known and not known.is_named else User.anonymous()
                return Caller(user, by_token=True, is_new=known is None)
            if self.provider and (caller := await self.provider.of_token(token)):
                # A browser that was given it once in an address needs it no more.
                return msgspec.structs.replace(
                    caller, is_new=known is None and "token" in request.query
                )
        if known and known.is_named:
            known = await self.provider.confirm(known) if self.provider else None
        if known or self.needs_credential:
            return known
        return Caller(User.anonymous(), by_token=False, is_new=True)

    @property
    def generation(self) -> bytes:
        """What changes when logins of before hold no longer."""
        return self.cookies.key

    async def refresh(self) -> None:
        """Look whether what logins depend on was changed elsewhere."""
        await self.passwords.refresh()

    async def still_holds(self, caller: Caller) -> bool:
        """Whether who was let in before would be let in now."""
        if caller.expires and not (caller.key == self.cookies.key and caller.expires > time.time()):
            return False
        if caller.is_named:
            if not self.provider:
                return False
            try:
                return await self.provider.confirm(caller) is not None
            except Problem:
                # Nobody is thrown out because whoever vouches for them is away.
                return True
        return caller.by_token or bool(caller.expires) or not self.needs_credential

    async def close(self) -> None:
        """End what is under way."""
        await self.passwords.close()
        if self.provider:
            await self.provider.close()

    def brings_cookie(self, request: web.Request) -> bool:
        """Whether a request has a login cookie, be it good or not."""
        return bool(self.cookies.given(request))

    def is_token(self, text: str) -> bool:
        """Whether a text is the token, in a time that does not depend on it."""
        return bool(self._token) and hmac.compare_digest(
            text.encode(errors="surrogateescape"), self._token
        )

    async def is_secret(self, text: str) -> bool:
        """Whether a text is the token or the password.

        Raises:
            Problem: 429 if too many ask at the same time.
        """
        return self.is_token(text) or await self.passwords.check(text)

    def xsrf(self, request: web.Request) -> tuple[str, str | None]:
        """Return the value a page must repeat, and a `Set-Cookie` value if it is new.

        Scripts of the page must read the cookie, so it is not `HttpOnly`.
        """
        if known := request.cookies.get(XSRF):
            return known, None
        value = secrets.token_hex(16)
        return value, self.cookies.make(request, XSRF, value).OutputString()

    def xsrf_cookie(self, request: web.Request) -> str | None:
        """Return a `Set-Cookie` value for `_xsrf`, or None if the request has the cookie."""
        return self.xsrf(request)[1]


def _presented_token(request: web.Request) -> str | None:
    if in_query := request.query.getall("token", []):
        return in_query[-1]
    match = _HEADER.match(request.headers.get("Authorization", ""))
    return match[1].strip() if match else None


async def _token_in_form(request: web.Request) -> str | None:
    if request.method != "POST" or not is_form(request):
        return None
    return (await read_form(request)).get("token")
