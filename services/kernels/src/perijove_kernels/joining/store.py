"""The ports: where tokens are kept, and who signs certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import timedelta

    from perijove_kernels.joining.model import Applicant, Holder, KnownToken


class Tokens(Protocol):
    """Keeps tokens. Calls may take as long as a disk does."""

    def find(self, token_id: str) -> KnownToken | None:
        """Return a token that holds now: one that has expired or was revoked is not there."""

    def use(self, token_id: str, runner_id: str) -> None:
        """Note that a runner joins with a token.

        Raises:
            Unauthenticated: if it holds no more, or others have used it up.
        """


class Outcasts(Protocol):
    """Knows which runners were members, and are no more. Calls may take as long as a disk does."""

    def has(self, runner_id: str) -> bool:
        """Return whether a runner was cast out."""


class Authority(Protocol):
    """Signs certificates for runners. Calls may take as long as a computation does."""

    @property
    def lifetime(self) -> timedelta:
        """Return how long its certificates for runners hold."""

    def applicant(self, request: bytes) -> Applicant:
        """Return who has signed a request for a certificate.

        Raises:
            InvalidArgument: if it is none, is not signed with its own key, or the key
                is of another kind than those used here.
        """

    def certify(self, holder: Holder) -> bytes:
        """Return a new certificate for a runner, in PEM."""

    def holder(self, certificate: bytes) -> Holder:
        """Return whom a certificate was made out to.

        Raises:
            Unauthenticated: if it is none of this authority's for a runner, or has expired.
        """
