"""A server of JupyterHub's: its users are those of the hub.

The hub is a provider of OAuth. What it gives is a token, with which it says whose it
is and what that user may; the token is in the login cookie. What it has said is kept
for a short time, so that a user whom it logs out is out here soon.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
import structlog
from perijove_chassis.settings import Secret, SettingsError
from perijove_chassis.users import MOST_CHARACTERS

from perijove_gateway_http.encryption import calling_context
from perijove_gateway_http.identity.outside import Outside, Refused, Unreachable
from perijove_gateway_http.identity.users import Caller, User
from perijove_gateway_http.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from aiohttp import web

    from perijove_gateway_http.identity.flow import Pending

log = structlog.get_logger()

PREFIX = "JUPYTERHUB_"
"""What the hub's variables begin with."""

KEPT_S = 30.0
"""How long what the hub says of a token holds."""

KEPT_WHILE_AWAY_S = 300.0
"""The same while the hub does not answer."""

MAX_KEPT = 1024
"""Of how many tokens it is kept."""

MAX_TOKEN = 512
"""Longest token that the hub is asked about."""

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class HubSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub tells a server that it starts, from variables that begin with `PREFIX`."""

    api_url: str
    """Where its API is, as this process reaches it."""
    api_token: Secret
    """What this server presents to it."""
    client_id: str
    """What this server is to its OAuth."""
    user: str = ""
    """Whose server it is."""
    server_name: str = ""
    """Which one of that user's."""
    host: str = ""
    """Scheme and host of the hub as browsers reach it; empty if those of this server."""
    base_url: str = "/"
    """Under which path browsers reach all of the hub."""
    oauth_callback_url: str
    """Where it sends browsers back to."""
    oauth_access_scopes: str = "[]"
    """JSON list of scopes, of which a user needs one to use this server."""
    activity_url: str = ""
    """Where it is told of activity; empty if nowhere."""
    activity_interval: float = 300.0
    """Seconds between that; never if 0."""
    cache_max_age: float = KEPT_S
    """How many seconds what the hub says of a token holds."""
    ssl_certfile: str = ""
    """File of the certificate that this server shows to the hub, in PEM; none if empty."""
    ssl_keyfile: str = ""
    """File of its private key, in PEM."""
    ssl_client_ca: str = ""
    """File of roots, in PEM, of the certificate that the hub must show."""

    def outside(self) -> Outside:
        """Return how to call the hub.

        Raises:
            SettingsError: if a certificate is no good.
        """
        if not self.ssl_certfile:
            return Outside()
        files = (self.ssl_certfile, self.ssl_keyfile, self.ssl_client_ca)
        return Outside(calling_context(*files))

    def scopes(self) -> frozenset[str]:
        """Return the scopes of which a user needs one.

        Raises:
            SettingsError: if they are no JSON list, or there are none.
        """
        try:
            found = frozenset(msgspec.json.decode(self.oauth_access_scopes, type=list[str]))
        except msgspec.MsgspecError:
            found = frozenset()
        if not found:
            raise SettingsError(f"{PREFIX}OAUTH_ACCESS_SCOPES: must be a JSON list of scopes")
        return found


class _Model(msgspec.Struct, frozen=True):
    """What the hub says of whose a token is."""

    name: str
    kind: str = "user"
    groups: list[str] = []
    scopes: list[str] = []


class Hub:
    """A JupyterHub."""

    name = "JupyterHub"

    def __init__(self, settings: HubSettings, outside: Outside) -> None:
        """Take what the hub says of itself.

        Raises:
            SettingsError: if it does not say who may use this server.
        """
        self.settings = settings
        self._scopes = settings.scopes()
        self._outside = outside
        self._prefix = f"{settings.base_url.rstrip('/')}/hub/"
        self._known: dict[str, tuple[asyncio.Task[_Model | None], float]] = {}

    async def address(self, request: web.Request, pending: Pending) -> str:
        """Return where to send a browser to log in."""
        del request
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.settings.oauth_callback_url,
            "state": pending.state,
            "code_challenge": pending.challenge,
            "code_challenge_method": "S256",
        }
        return f"{self.settings.host}{self._prefix}api/oauth2/authorize?{urlencode(asked)}"

    async def finish(
        self, request: web.Request, pending: Pending, groups: AbstractSet[str]
    ) -> Caller:
        """Return who has logged in, from the code that a browser comes back with."""
        if "error" in request.query or not request.query.get("code"):
            raise Problem(403, "the hub has refused the login")
        form = {
            "grant_type": "authorization_code",
            "code": request.query["code"],
            "redirect_uri": self.settings.oauth_callback_url,
            "client_id": self.settings.client_id,
            "client_secret": self.settings.api_token.reveal(),
            "code_verifier": pending.verifier,
        }
        try:
            url = f"{self.settings.api_url}/oauth2/token"
            token = str((await self._outside.post(url, _FORM, form=form)).get("access_token", ""))
        except Refused:
            raise Problem(403, "the hub does not know of this login") from None
        except Unreachable as error:
            raise _away(error) from None
        model = await self._model(token)
        if model is None:
            raise Problem(403, "you may not use this server")
        return _caller(model, token, groups, is_new=True)

    async def of_token(self, token: str) -> Caller | None:
        """Return whose a token of the hub is, if that may use this server."""
        if not 0 < len(token) <= MAX_TOKEN or not token.isascii():
            return None
        model = await self._model(token)
        return _caller(model, token, frozenset(), is_new=False, by_token=True) if model else None

    async def confirm(self, caller: Caller) -> Caller | None:
        """Return who it was, if the hub still says so."""
        model = await self._model(caller.proof) if caller.proof else None
        return caller if model and _account(model) == caller.account else None

    async def after_logout(self, request: web.Request, hint: str) -> str:
        """Return where it logs people out."""
        del request, hint
        return f"{self.settings.host}{self._prefix}logout"

    def page_config(self, caller: Caller) -> Mapping[str, str]:
        """Return what front ends are told: they then show the way to the hub."""
        return {
            "hubHost": self.settings.host,
            "hubPrefix": self._prefix,
            "hubUser": caller.account,
            "hubServerUser": self.settings.user,
            "hubServerName": self.settings.server_name,
            "shareUrl": f"{self._prefix}user-redirect",
        }

    async def version(self) -> str:
        """Return the version of the hub; empty if it does not say."""
        try:
            found = await self._outside.get(f"{self.settings.api_url}/")
        except (Refused, Unreachable) as error:
            log.warning("the hub does not answer", error=str(error))
            return ""
        return str(found.get("version", ""))

    async def tell(self, last_activity: str) -> None:
        """Tell the hub when somebody last worked here.

        Raises:
            Refused: if it does not want to know.
            Unreachable: if it does not answer.
        """
        told = {
            "servers": {self.settings.server_name: {"last_activity": last_activity}},
            "last_activity": last_activity,
        }
        await self._outside.post(
            self.settings.activity_url, _bearer(self.settings.api_token.reveal()), json=told
        )

    async def close(self) -> None:
        """Close the connections to it."""
        tasks = [task for task, _ in self._known.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._outside.close()

    async def _model(self, token: str) -> _Model | None:
        """Return whose a token is; None if nobody's who may use this server."""
        now = time.monotonic()
        task, since = self._known.get(token, (None, 0.0))
        if task is None or (
            task.done() and (now - since >= self.settings.cache_max_age or _failed(task))
        ):
            asking = asyncio.ensure_future(self._ask(token, task, since))
            self._known.pop(token, None)
            while len(self._known) >= MAX_KEPT:
                del self._known[next(iter(self._known))]
            self._known[token] = (asking, now)
            task = asking
        # Others wait for it, too: it goes on if this request does not.
        return await asyncio.shield(task)

    async def _ask(
        self, token: str, before: asyncio.Task[_Model | None] | None, since: float
    ) -> _Model | None:
        try:
            found = await self._outside.get(f"{self.settings.api_url}/user", _bearer(token))
            model = msgspec.convert(found, _Model)
        except Refused:
            return None
        except (Unreachable, msgspec.ValidationError) as error:
            is_fresh = time.monotonic() - since < KEPT_WHILE_AWAY_S
            if before and before.done() and not _failed(before) and is_fresh:
                return before.result()
            raise _away(error) from None
        return model if self._may_enter(model) else None

    def _may_enter(self, model: _Model) -> bool:
        # A scope without a filter comprises those with one.
        held = set(model.scopes)
        has_scope = any(scope in held or scope.partition("!")[0] in held for scope in self._scopes)
        return has_scope and 0 < len(model.name) <= MOST_CHARACTERS


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.cancelled() or task.exception() is not None


def _account(model: _Model) -> str:
    return model.name if model.kind == "user" else f"{model.kind}/{model.name}"


def _caller(
    model: _Model, token: str, groups: AbstractSet[str], *, is_new: bool, by_token: bool = False
) -> Caller:
    account = _account(model)
    kept = tuple(sorted(groups & set(model.groups)))
    caller = Caller(User.named(account), by_token=by_token, is_new=is_new, account=account)
    return msgspec.structs.replace(caller, groups=kept, proof=token)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"token {token}"}


def _away(error: Exception) -> Problem:
    log.warning("the hub does not answer", error=str(error))
    return Problem(503, "the hub does not answer: try again")
