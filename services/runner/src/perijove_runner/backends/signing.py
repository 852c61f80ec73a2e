"""Signatures of kernel messages."""

from __future__ import annotations

import hashlib
import hmac
from binascii import hexlify
from typing import TYPE_CHECKING, Final

from perijove_chassis.errors import FailedPrecondition

if TYPE_CHECKING:
    from collections.abc import Sequence

SIGNED_FRAMES: Final = 4
"""A message has at least these, and they are what is signed."""

_INNER_PAD: Final = 0x36
_OUTER_PAD: Final = 0x5C


class Signer:
    """Signs and verifies messages with a kernel's key; does neither if it is empty."""

    def __init__(self, key: str, scheme: str) -> None:
        """Make a signer.

        Raises:
            FailedPrecondition: if the scheme is not one of HMAC.
        """
        kind, _, digest = scheme.partition("-")
        known = kind == "hmac" and digest in hashlib.algorithms_available
        # Some give as many bytes as one asks for: they sign nothing.
        if not known or not hashlib.new(digest).digest_size:
            raise FailedPrecondition("the kernel signs its messages in an unknown way")
        self._signs = bool(key)
        block = hashlib.new(digest).block_size
        secret = key.encode()
        if len(secret) > block:
            secret = hashlib.new(digest, secret).digest()
        secret = secret.ljust(block, b"\0")
        # HMAC as RFC 2104 defines it. Copying the two hashes takes half the time that
        # the standard library's object takes to be copied, for every message.
        self._inner = hashlib.new(digest, bytes(byte ^ _INNER_PAD for byte in secret))
        self._outer = hashlib.new(digest, bytes(byte ^ _OUTER_PAD for byte in secret))

    def sign(self, frames: Sequence[bytes]) -> bytes:
        """Return the signature of a message's frames."""
        if not self._signs:
            return b""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(b"".join(frames[:SIGNED_FRAMES]))
        outer.update(inner.digest())
        return hexlify(outer.digest())

    def verify(self, signature: bytes, frames: Sequence[bytes]) -> bool:
        """Return whether a signature is that of a message's frames."""
        return not self._signs or hmac.compare_digest(self.sign(frames), signature)
