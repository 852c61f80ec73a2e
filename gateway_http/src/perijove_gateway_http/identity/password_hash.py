"""Passwords as they are stored: in the two forms that Jupyter knows."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import argon2
import msgspec

if TYPE_CHECKING:
    from typing import Any

_ARGON2 = "argon2:"
_FIELDS = (
    ("IdentityProvider", "hashed_password"),
    ("PasswordIdentityProvider", "hashed_password"),
    ("ServerApp", "password"),
    ("NotebookApp", "password"),
)
"""Where Jupyter's own configuration has had it over the years, the newest first."""

# Some 50 ms of one core, and 10 MB: what Jupyter takes, and more than OWASP asks for.
_hasher = argon2.PasswordHasher(time_cost=10, memory_cost=10_240, parallelism=1)


def make(password: str) -> str:
    """Return what is stored of a password. Takes its time: not for an event loop."""
    return _ARGON2 + _hasher.hash(password)


def matches(stored: str, password: str) -> bool:
    """Return whether a password is the one that is stored. Takes its time, too.

    What is stored in no known form matches nothing.
    """
    if stored.startswith(_ARGON2):
        try:
            return _hasher.verify(stored[len(_ARGON2) :], password)
        except argon2.exceptions.Argon2Error:
            return False
        except argon2.exceptions.InvalidHash:
            return False
    algorithm, _, rest = stored.partition(":")
    salt, _, digest = rest.partition(":")
    if not digest or algorithm not in hashlib.algorithms_available:
        return False
    try:
        found = hashlib.new(algorithm, password.encode(errors="surrogateescape") + salt.encode())
        return hmac.compare_digest(found.hexdigest().encode(), digest.encode())
    except (ValueError, TypeError):  # one that has no digest of its own length
        return False


def stored_in(text: str) -> str:
    """Return what a file says is stored; empty if it says that there is no password.

    Args:
        text: The stored form alone, or the JSON of a `jupyter_server_config.json`.
    """
    if not text.lstrip().startswith("{"):
        return text.strip()
    try:
        found: Any = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return ""
    for section, trait in _FIELDS:
        value = found.get(section)
        stored = value.get(trait) if isinstance(value, dict) else None
        if isinstance(stored, str) and stored:
            return stored
    return ""
