"""Where runners join, put together."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from perijove_chassis import tls
from perijove_chassis.server import Door

from perijove_kernels.gate import Gate
from perijove_kernels.joining.backends.files import PoolFiles
from perijove_kernels.joining.backends.outcasts import FileOutcasts
from perijove_kernels.joining.backends.tokens import FileTokens
from perijove_kernels.joining.manager import JoiningManager
from perijove_kernels.joining.servicer import joining_service
from perijove_kernels.joining.verifier import JoiningVerifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_chassis.server import Service

    from perijove_kernels.joining.model import Applicant, Holder
    from perijove_kernels.joining.store import Authority
    from perijove_kernels.settings import Settings

NAME = "kernels"
"""Of the certificate that is shown where runners join, and of its file."""


def doors(settings: Settings, runners: Callable[[Gate], Service]) -> list[Door]:
    """Return where runners of other machines join and announce themselves, if anywhere.

    Args:
        settings: Say where.
        runners: Returns the service where they announce themselves.
    """
    if not settings.pool_listen:
        return []
    files = PoolFiles(Path(settings.pool_dir))
    tokens = FileTokens(files.tokens)
    authority = _OnDemand(files, timedelta(days=settings.pool_certificate_days))
    outcasts = FileOutcasts(files.outcasts)
    manager = JoiningManager(tokens, outcasts, authority, settings.service_key)
    gate = Gate(tls.SCHEME, manager.admit)
    return [
        Door(
            settings.pool_listen,
            tls.Serving(files.certificate(NAME), files.key(NAME)),
            JoiningVerifier(tokens, settings.service_key),
            [runners(gate), joining_service(manager)],
        )
    ]


class _OnDemand:
    """The authority, loaded when it is first asked: most processes never are."""

    def __init__(self, files: PoolFiles, lifetime: timedelta) -> None:
        self._files = files
        self.lifetime = lifetime

    def applicant(self, request: bytes) -> Applicant:
        """Return who has signed a request for a certificate."""
        return self._loaded.applicant(request)

    def certify(self, holder: Holder) -> bytes:
        """Return a new certificate for a runner."""
        return self._loaded.certify(holder)

    def holder(self, certificate: bytes) -> Holder:
        """Return whom a certificate was made out to."""
        return self._loaded.holder(certificate)

    @cached_property
    def _loaded(self) -> Authority:
        module = import_module("perijove_kernels.joining.backends.authority")
        root, key = self._files.root.read_bytes(), self._files.root_key.read_bytes()
        loaded: Authority = module.CertificateAuthority.load(root, key, self.lifetime)
        return loaded
