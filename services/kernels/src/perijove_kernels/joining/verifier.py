"""Who may call where runners join."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove_chassis.credentials import Principal, PrincipalKind, Verifier
from perijove_chassis.errors import Unauthenticated
from perijove_chassis.join_token import parse_credential
from perijove_chassis.settings import Secret

if TYPE_CHECKING:
    from perijove_kernels.joining.store import Tokens


class JoiningVerifier(Verifier):
    """Checks tokens to join with, and the credentials of runners. Users have none here."""

    def __init__(self, tokens: Tokens, service_key: Secret) -> None:
        super().__init__("kernels", service_key=service_key, api_token=Secret(""))
        self._tokens = tokens

    def verify(self, authorization: str) -> Principal:
        """Return who presents a value of the `authorization` metadata.

        Raises:
            Unauthenticated: if it does not hold.
        """
        shown = parse_credential(authorization)
        if shown is None:
            return self._runner(super().verify(authorization))
        token_id, secret_digest = shown
        token = self._tokens.find(token_id)
        if token is None or not token.is_for(secret_digest):
            raise Unauthenticated(
                "the token to join with is unknown, has expired or was revoked",
                reason="NO_CREDENTIAL",
            )
        return Principal(PrincipalKind.JOINER, token_id)

    def _runner(self, caller: Principal) -> Principal:
        if caller.kind is not PrincipalKind.RUNNER:
            raise Unauthenticated("only runners may call here", reason="NO_CREDENTIAL")
        return caller
