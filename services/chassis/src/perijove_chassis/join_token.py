"""What one machine is told to join others: a secret, and whom to tell it to."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Final

from perijove_chassis.errors import InvalidArgument
from perijove_chassis.settings import Secret

SCHEME: Final = "Join "
"""Begins the credential of who joins."""

_VERSION: Final = "pj1"
_ID: Final = re.compile(r"[0-9a-f]{8}")
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{22}")
_FINGERPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class JoinToken:
    """A token to join with."""

    token_id: str
    """What it is listed and revoked by; no secret."""
    secret: Secret
    fingerprint: str
    """Of the root certificate of those who made it: nobody else is told the secret."""

    @classmethod
    def new(cls, fingerprint: str) -> JoinToken:
        """Make one that nobody can guess."""
        return cls(secrets.token_hex(4), Secret(secrets.token_urlsafe(16)), fingerprint)

    @classmethod
    def parse(cls, text: str) -> JoinToken:
        """Return the token that is written so.

        Raises:
            InvalidArgument: if none is; the error does not repeat the text.
        """
        version, token_id, secret, fingerprint = (*text.strip().split("."), "", "", "", "")[:4]
        if (
            text.count(".") != 3  # noqa: PLR2004 - between the four parts
            or version != _VERSION
            or not _ID.fullmatch(token_id)
            or not _SECRET.fullmatch(secret)
            or not _FINGERPRINT.fullmatch(fingerprint)
        ):
            raise InvalidArgument("this is not a whole token to join with")
        return cls(token_id, Secret(secret), fingerprint)

    def text(self) -> str:
        """Return it as people pass it on."""
        return f"{_VERSION}.{self.token_id}.{self.secret.reveal()}.{self.fingerprint}"

    def credential(self) -> str:
        """Return a value for the `authorization` metadata of the one call it is for."""
        return f"{SCHEME}{self.token_id}.{self.secret.reveal()}"

    def secret_digest(self) -> str:
        """Return what is kept of the secret."""
        return digest_of(self.secret.reveal())


def parse_credential(authorization: str) -> tuple[str, str] | None:
    """Return the id of a token, and the digest of its secret, as a caller shows them."""
    if not authorization.startswith(SCHEME):
        return None
    token_id, _, secret = authorization.removeprefix(SCHEME).partition(".")
    if not _ID.fullmatch(token_id) or not _SECRET.fullmatch(secret):
        return None
    return token_id, digest_of(secret)


def digest_of(secret: str) -> str:
    """Return a digest that the secret cannot be had from: it has 128 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def fingerprint_of(certificate: bytes) -> str:
    """Return the fingerprint of a certificate in DER."""
    digest = hashlib.sha256(certificate).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
