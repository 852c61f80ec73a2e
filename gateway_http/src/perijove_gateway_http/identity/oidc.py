"""Logins by OpenID Connect: the authorization code flow with PKCE.

What a provider is asked and what it answers: OpenID Connect Core 1.0, Discovery 1.0,
RP-Initiated Logout 1.0; RFC 9207 for `iss` in its answers. Signatures are checked by joserfc.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from perijove_chassis.credentials import SHARED_USER
from perijove_chassis.users import MOST_CHARACTERS

from perijove_gateway_http.identity.discovery import ALGORITHMS, Discovery
from perijove_gateway_http.identity.flow import address_here
from perijove_gateway_http.identity.outside import Outside, Refused, Unreachable
from perijove_gateway_http.identity.users import Caller, User
from perijove_gateway_http.keys import CALLER
from perijove_gateway_http.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from aiohttp import web

    from perijove_gateway_http.identity.flow import Pending
    from perijove_gateway_http.settings import Settings

log = structlog.get_logger()

EVERYBODY = "*"
_CALLBACK = "oauth_callback"
_LEEWAY_S = 60
_MOST_GROUPS = 32


class Oidc:
    """An OpenID provider, and whom of its users it is to let in."""

    def __init__(self, settings: Settings, outside: Outside) -> None:
        self._issuer = settings.oidc_issuer
        self._client_id = settings.oidc_client_id
        self._secret = settings.oidc_client_secret
        self._scopes = settings.oidc_scopes
        self._redirect_url = settings.oidc_redirect_url
        self._base_url = settings.base_url
        self._ends_logins = settings.oidc_logout
        self._logout_url = settings.oidc_logout_redirect_url
        self._username_claim = settings.oidc_username_claim
        self._groups_claim = settings.oidc_groups_claim
        self._users = _names(settings.oidc_allowed_users)
        self._groups = _names(settings.oidc_allowed_groups)
        self.name = settings.oidc_name
        self._outside = outside
        self._discovery = Discovery(self._issuer, outside)

    async def address(self, request: web.Request, pending: Pending) -> str:
        """Return where to send a browser to log in."""
        found = await self._found()
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect(request),
            "scope": self._scopes,
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": pending.challenge,
            "code_challenge_method": "S256",
        }
        return _with_query(found["authorization_endpoint"], asked)

    async def finish(
        self, request: web.Request, pending: Pending, groups: AbstractSet[str]
    ) -> Caller:
        """Return who has logged in, from the code that a browser comes back with."""
        query = request.query
        if query.get("iss", self._issuer) != self._issuer:
            raise Problem(403, "the answer comes from another provider")
        if "error" in query or not query.get("code"):
            raise Problem(403, f"the login was refused: {query.get('error', 'no code')[:100]}")
        try:
            id_token, claims = await self._claims(request, pending)
            return msgspec.structs.replace(self._caller(claims, groups), hint=id_token)
        except Refused as error:
            log.warning("the provider refuses a login", error=str(error))
            raise Problem(403, "the provider does not know of this login") from None
        except Unreachable as error:
            raise self._away(error) from None
        except JoseError as error:
            log.warning("what the provider says of a user does not hold", error=str(error))
            raise Problem(403, "what the provider says does not hold") from None

    async def of_token(self, token: str) -> Caller | None:
        """Return nobody: programs have the token."""
        del token
        return None

    async def confirm(self, caller: Caller) -> Caller | None:
        """Return who it was, if that one may still log in. The provider is not asked."""
        return caller if self._lets_in(caller.account, frozenset(caller.groups)) else None

    async def after_logout(self, request: web.Request, hint: str) -> str:
        """Return where its own login ends, if this one was by it and it says where."""
        caller = request[CALLER]
        if not self._ends_logins or not (hint or (caller and caller.is_named)):
            return ""
        try:
            where = (await self._found()).get("end_session_endpoint", "")
        except Problem:
            # Here they are logged out all the same.
            return ""
        told = {"client_id": self._client_id, "post_logout_redirect_uri": self._back(request)}
        if hint:
            told["id_token_hint"] = hint
        return where and _with_query(where, told)

    def page_config(self, caller: Caller) -> Mapping[str, str]:
        """Return nothing: front ends have no way to show it."""
        del caller
        return {}

    async def close(self) -> None:
        """Close the connections to it."""
        await self._outside.close()

    async def _found(self) -> Mapping[str, str]:
        try:
            return await self._discovery.document()
        except (Refused, Unreachable) as error:
            raise self._away(error) from None

    def _away(self, error: Exception) -> Problem:
        log.warning("the provider of logins does not answer", error=str(error))
        return Problem(503, f"{self.name} does not answer: try again")

    async def _claims(self, request: web.Request, pending: Pending) -> tuple[str, dict[str, Any]]:
        """Return what it has signed of a user, and all that it says."""
        found = await self._found()
        form = {
            "grant_type": "authorization_code",
            "code": request.query["code"],
            "redirect_uri": self._redirect(request),
            "client_id": self._client_id,
            "code_verifier": pending.verifier,
        }
        headers = {"Accept": "application/json"}
        if self._secret:
            # The only way that every provider must know.
            pair = f"{quote(self._client_id, safe='')}:{quote(self._secret.reveal(), safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        tokens = await self._outside.post(found["token_endpoint"], headers, form=form)
        id_token = str(tokens.get("id_token", ""))
        claims = await self._verified(id_token, pending.nonce)
        wanted = {self._username_claim, *([self._groups_claim] if self._groups else [])}
        if wanted <= claims.keys() or "userinfo_endpoint" not in found:
            return id_token, claims
        bearer = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
        more = await self._outside.get(found["userinfo_endpoint"], bearer)
        if more.get("sub") != claims["sub"]:
            raise Refused("what it says of the user is of another one")
        return id_token, more | claims

    async def _verified(self, id_token: str, nonce: str) -> dict[str, Any]:
        keys = await self._discovery.keys(id_token)
        claims = jwt.decode(id_token, keys, algorithms=list(ALGORITHMS)).claims
        jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._client_id},
            exp={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(claims)
        if claims.get("azp", self._client_id) != self._client_id:
            raise Refused("it is for another client")
        return claims

    def _caller(self, claims: Mapping[str, Any], groups: AbstractSet[str]) -> Caller:
        account = claims.get(self._username_claim)
        claimed = claims.get(self._groups_claim, ())
        member = {name for name in claimed if isinstance(name, str)} if claimed else set()
        if self._username_claim == "email" and claims.get("email_verified") is not True:
            account = None
        if not isinstance(account, str) or not 0 < len(account) <= MOST_CHARACTERS:
            raise Problem(403, f"{self.name} does not say who you are")
        # Everybody who has the token is that one.
        if account == SHARED_USER or not self._lets_in(account, member):
            log.warning("somebody was not let in", account=account)
            raise Problem(403, f"{account} may not log in here")
        user = User.named(account, _text(claims, "name"), _text(claims, "picture") or None)
        kept = tuple(sorted(member & (groups | self._groups))[:_MOST_GROUPS])
        return Caller(user, by_token=False, is_new=True, account=account, groups=kept)

    def _lets_in(self, account: str, groups: AbstractSet[str]) -> bool:
        is_named = EVERYBODY in self._users or account in self._users
        return is_named or bool(groups & self._groups)

    def _redirect(self, request: web.Request) -> str:
        return self._redirect_url or address_here(request, self._base_url + _CALLBACK)

    def _back(self, request: web.Request) -> str:
        if self._logout_url:
            return self._logout_url
        base = self._redirect(request).removesuffix(_CALLBACK)
        return f"{base}logout"


def _with_query(address: str, query: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"


def _names(text: str) -> frozenset[str]:
    return frozenset(name for part in text.split(",") if (name := part.strip()))


def _text(claims: Mapping[str, Any], name: str) -> str:
    found = claims.get(name)
    return found[:MOST_CHARACTERS] if isinstance(found, str) else ""
