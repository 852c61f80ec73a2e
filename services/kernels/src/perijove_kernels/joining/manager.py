"""The rules for those who join."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from perijove_chassis.credentials import derive_key, runner_name
from perijove_chassis.errors import PermissionDenied

from perijove_kernels.joining.model import Holder, Member, Renewed

if TYPE_CHECKING:
    from perijove_chassis.settings import Secret

    from perijove_kernels.joining.store import Authority, Outcasts, Tokens

log = structlog.get_logger()


class JoiningManager:
    """Takes runners in, and prolongs their certificates."""

    def __init__(
        self, tokens: Tokens, outcasts: Outcasts, authority: Authority, service_key: Secret
    ) -> None:
        self._outcasts = outcasts
        self._tokens = tokens
        self._authority = authority
        self._service_key = service_key

    async def join(self, token_id: str, request: bytes) -> Member:
        """Take in who has made a request for a certificate.

        Raises:
            InvalidArgument: if the request is malformed.
            Unauthenticated: if the token was used up, or holds no more.
            PermissionDenied: if the runner was cast out.
        """
        member = await asyncio.to_thread(self._join, token_id, request)
        log.info("runner joined", runner_id=member.runner_id, token_id=token_id)
        return member

    async def renew(self, runner_id: str, certificate: bytes) -> Renewed:
        """Return a new certificate for a runner that has one.

        Raises:
            Unauthenticated: if the one it has does not hold.
            PermissionDenied: if that is another's, or the runner was cast out.
        """
        await asyncio.to_thread(self.admit, runner_id)
        holder = await asyncio.to_thread(self._authority.holder, certificate)
        if holder.runner_id != runner_id:
            raise PermissionDenied("a runner speaks for itself only", reason="NOT_ALLOWED")
        renewed = await asyncio.to_thread(self._authority.certify, holder)
        log.info("certificate renewed", runner_id=runner_id)
        return Renewed(renewed, self._authority.lifetime.total_seconds() / 2)

    def admit(self, runner_id: str) -> None:
        """Let a runner speak.

        Raises:
            PermissionDenied: if it was cast out.
        """
        if self._outcasts.has(runner_id):
            raise PermissionDenied("the runner was cast out", reason="NOT_ALLOWED")

    def _join(self, token_id: str, request: bytes) -> Member:
        applicant = self._authority.applicant(request)
        runner_id = applicant.runner_id()
        self.admit(runner_id)
        self._tokens.use(token_id, runner_id)
        certificate = self._authority.certify(Holder(runner_id, applicant.public_key))
        key = derive_key(self._service_key, runner_name(runner_id))
        return Member(runner_id, certificate, key)
