"""Who is calling: short-lived signed credentials between processes, and API tokens.

Services share one key. What a caller signs is bound to the process it calls:
the key for a callee is derived from the shared key and the callee's name. A
runner holds its own derived key only, so that it can check calls to itself and
speak for itself, and for nobody else.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac
import time
from dataclasses import dataclass

import msgspec

from perijove_chassis.errors import Unauthenticated
from perijove_chassis.settings import Secret

LIFETIME_S = 300.0
"""How long a credential holds. Longer than any clock skew worth serving."""

SHARED_USER = "token"
"""The user that everybody is who presents the one API token."""

_RENEW_BEFORE_S = 60.0
_MAX_SIGNED = 1024
_MAX_REMEMBERED = 2048
_SCHEME = "Perijove "
_RUNNER = "runner/"


class PrincipalKind(enum.Enum):
    """What kind of caller a credential stands for."""

    SERVICE = "service"
    RUNNER = "runner"
    USER = "user"
    JOINER = "joiner"
    """Holds a token to join with, and is nobody yet."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose credential was checked."""

    kind: PrincipalKind
    name: str
    user: str = ""
    """For whom it calls; empty if for nobody in particular."""
    permissions: frozenset[str] | None = None
    """What that user may do; None if that is not limited."""


class _Claims(msgspec.Struct, frozen=True, omit_defaults=True):
    issuer: str
    audience: str
    expires: float
    user: str = ""
    permissions: tuple[str, ...] | None = None


def runner_name(runner_id: str) -> str:
    """Return the name under which a runner calls and is called."""
    return _RUNNER + runner_id


def derive_key(service_key: Secret, name: str) -> bytes:
    """Return the key for calls to `name`, or for calls by it if it is a runner."""
    return hmac.digest(service_key.reveal().encode(), name.encode(), hashlib.sha256)


class Issuer:
    """Signs credentials for calls from one process to one other."""

    def __init__(self, key: bytes, issuer: str, audience: str) -> None:
        self._key = key
        self._issuer = issuer
        self._audience = audience
        # By the user for whom it calls: one is signed once in minutes, not for each call.
        self._signed: dict[tuple[str, frozenset[str] | None], tuple[str, float]] = {}

    @property
    def audience(self) -> str:
        """Whom the credentials are for."""
        return self._audience

    def credential(self, user: str = "", permissions: frozenset[str] | None = None) -> str:
        """Return a value for the `authorization` metadata that holds now.

        Args:
            user: For whom the call is made; empty if for nobody in particular.
            permissions: What that user may do; None if that is not limited.
        """
        now, asked = time.time(), (user, permissions)
        credential, renew_at = self._signed.get(asked, ("", 0.0))
        if now >= renew_at:
            told = None if permissions is None else tuple(sorted(permissions))
            expires = now + LIFETIME_S
            credential = self._sign(_Claims(self._issuer, self._audience, expires, user, told))
            self._signed.pop(asked, None)
            while len(self._signed) >= _MAX_SIGNED:
                del self._signed[next(iter(self._signed))]
            self._signed[asked] = (credential, now + LIFETIME_S - _RENEW_BEFORE_S)
        return credential

    def _sign(self, claims: _Claims) -> str:
        payload = base64.urlsafe_b64encode(msgspec.json.encode(claims))
        signature = hmac.new(self._key, payload, hashlib.sha256).hexdigest()
        return f"{_SCHEME}{payload.decode()}.{signature}"


class Verifier:
    """Checks the credentials of calls to one process."""

    def __init__(self, audience: str, *, service_key: Secret, api_token: Secret) -> None:
        self._audience = audience
        self._service_key = service_key
        self._api_token = api_token.reveal().encode()
        # A caller presents the same credential for minutes. To check a signature
        # costs little, but lets another thread in, and the way back costs much.
        self._checked: dict[str, tuple[Principal, float]] = {}

    def verify(self, authorization: str) -> Principal:
        """Return who presents a value of the `authorization` metadata.

        Raises:
            Unauthenticated: if it is malformed, expired, meant for another
                process, or signed with the wrong key.
        """
        if authorization.startswith(_SCHEME):
            return self._verify_signed(authorization[len(_SCHEME) :])
        scheme, _, token = authorization.partition(" ")
        if (
            scheme.lower() in ("bearer", "token")
            and self._api_token
            and hmac.compare_digest(token.strip().encode(), self._api_token)
        ):
            return Principal(PrincipalKind.USER, SHARED_USER, SHARED_USER)
        raise Unauthenticated("a valid credential is required", reason="NO_CREDENTIAL")

    def _verify_signed(self, credential: str) -> Principal:
        who, expires = self._checked.get(credential, (None, 0.0))
        if who and expires >= time.time():
            return who
        payload, _, signature = credential.partition(".")
        try:
            claims = msgspec.json.decode(base64.urlsafe_b64decode(payload), type=_Claims)
        except (ValueError, msgspec.MsgspecError):
            raise Unauthenticated("the credential is malformed", reason="NO_CREDENTIAL") from None
        expected = hmac.new(self._key(claims.issuer), payload.encode(), hashlib.sha256)
        if (
            not hmac.compare_digest(expected.hexdigest().encode(), signature.encode())
            or claims.audience != self._audience
            or claims.expires < time.time()
        ):
            raise Unauthenticated("the credential does not hold", reason="NO_CREDENTIAL")
        held = None if claims.permissions is None else frozenset(claims.permissions)
        who = Principal(PrincipalKind.SERVICE, claims.issuer, claims.user, held)
        if claims.issuer.startswith(_RUNNER):
            who = Principal(PrincipalKind.RUNNER, claims.issuer[len(_RUNNER) :])
        while len(self._checked) >= _MAX_REMEMBERED:
            del self._checked[next(iter(self._checked))]
        self._checked[credential] = (who, claims.expires)
        return who

    def _key(self, issuer: str) -> bytes:
        if issuer.startswith(_RUNNER):
            return derive_key(self._service_key, issuer)
        return derive_key(self._service_key, self._audience)


class RunnerVerifier(Verifier):
    """Checks the credentials of calls to a runner, which holds its own key only."""

    def __init__(self, runner_id: str, runner_key: bytes) -> None:
        super().__init__(runner_name(runner_id), service_key=Secret(""), api_token=Secret(""))
        self._runner_key = runner_key

    def _key(self, issuer: str) -> bytes:
        del issuer  # whoever it is, the call is to this runner
        return self._runner_key
