"""What an OpenID provider says of itself: its addresses and its keys."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from perijove_gateway_http.identity.outside import Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perijove_gateway_http.identity.outside import Outside

ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)
"""Signatures that are made with a key that only the provider has."""

KEPT_S = 3600.0
"""How long what it says holds."""

AGAIN_S = 30.0
"""How soon its keys are asked for again because of one that is not among them."""

_WELL_KNOWN = "/.well-known/openid-configuration"


class Discovery:
    """Asks once, and again after a while. One who asks serves all who wait."""

    def __init__(self, issuer: str, outside: Outside) -> None:
        self._issuer = issuer
        self._outside = outside
        self._document: dict[str, str] = {}
        self._document_until = 0.0
        self._keys = KeySet([])
        self._keys_since = -KEPT_S
        self._lock = asyncio.Lock()

    async def document(self) -> Mapping[str, str]:
        """Return its addresses, by their names.

        Raises:
            Unreachable: if it does not tell them.
            Refused: the same.
        """
        async with self._lock:
            if time.monotonic() >= self._document_until:
                found = await self._outside.get(self._issuer.rstrip("/") + _WELL_KNOWN)
                if found.get("issuer") != self._issuer:
                    raise Unreachable("the provider calls itself by another name")
                document = {key: value for key, value in found.items() if isinstance(value, str)}
                if not {"authorization_endpoint", "token_endpoint", "jwks_uri"} <= document.keys():
                    raise Unreachable("the provider lacks an address")
                self._document = document
                self._document_until = time.monotonic() + KEPT_S
            return self._document

    async def keys(self, token: str) -> KeySet:
        """Return its keys, with the one that a token names if it has that.

        Raises:
            JoseError: if the token is none.
            Unreachable: if it does not tell its keys.
            Refused: the same.
        """
        try:
            named = jws.extract_compact(token.encode()).headers().get("kid")
        except (ValueError, JoseError) as error:
            raise JoseError(str(error)) from None
        where = (await self.document())["jwks_uri"]
        async with self._lock:
            age_s = time.monotonic() - self._keys_since
            has_it = any(key.kid == named for key in self._keys.keys)
            if age_s >= KEPT_S or (not has_it and age_s >= AGAIN_S):
                found = await self._outside.get(where)
                try:
                    self._keys = KeySet.import_key_set(found)  # type: ignore[arg-type]
                except (ValueError, TypeError, KeyError, JoseError):
                    raise Unreachable("the keys of the provider cannot be read") from None
                self._keys_since = time.monotonic()
            return self._keys
