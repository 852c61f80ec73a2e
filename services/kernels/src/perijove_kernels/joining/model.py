"""Tokens to join with, and those who join, as values."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

from perijove_chassis.errors import InvalidArgument

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
_OWN_BYTES: Final = 10
"""80 bits of an id are made of a key: no second key for an id can be found."""


@dataclass(frozen=True, slots=True)
class KnownToken:
    """What is kept of a token."""

    token_id: str
    secret_digest: str
    expires: float
    """Seconds since the epoch."""
    uses: int
    """How many runners may join with it."""
    runner_ids: tuple[str, ...] = ()
    """Those that have."""

    def is_for(self, secret_digest: str) -> bool:
        """Return whether a secret is its own."""
        return hmac.compare_digest(self.secret_digest, secret_digest)

    def admits(self, runner_id: str) -> bool:
        """Return whether a runner may join with it: a new one, or one that asks again."""
        return runner_id in self.runner_ids or len(self.runner_ids) < self.uses


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who asks for a certificate, and has shown that the key is its own."""

    name: str
    """What it is to be called."""
    public_key: bytes
    """In DER."""

    def runner_id(self) -> str:
        """Return the id it gets, the same each time, that nobody else can get.

        Raises:
            InvalidArgument: if the name cannot be part of one.
        """
        if not _NAME.fullmatch(self.name):
            raise InvalidArgument("a runner's name has 1 to 40 letters, digits, - and _")
        digest = hashlib.sha256(self.public_key).digest()[:_OWN_BYTES]
        return f"{self.name}-{base64.b32encode(digest).decode().lower()}"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a certificate was made out to."""

    runner_id: str
    public_key: bytes
    """In DER."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """A certificate in place of another."""

    certificate: bytes
    """In PEM."""
    renew_after_s: float


@dataclass(frozen=True, slots=True)
class Member:
    """What a runner is given when it joins."""

    runner_id: str
    certificate: bytes
    """In PEM."""
    key: bytes
    """For its credentials."""
