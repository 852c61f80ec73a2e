"""https: the certificate that the edge shows, and whose it takes for those of others."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from perijove_chassis.settings import SettingsError

if TYPE_CHECKING:
    from perijove_gateway_http.settings import Settings

log = structlog.get_logger()


class Certificate:
    """A certificate in files. When they change, new connections get what is in them then."""

    def __init__(self, certificate: Path, key: Path | None, clients: Path | None) -> None:
        """Read it.

        Args:
            certificate: It, and those above it but for the last, in PEM.
            key: Its private key, in PEM; None if the same file has it.
            clients: Roots of the certificates that clients must show, in PEM; None if
                they need none.

        Raises:
            SettingsError: if a file cannot be read, or does not fit the others.
        """
        self._paths = (certificate, key or certificate, clients)
        self._seen = self._versions()
        self.context = self._context = self._load()
        self.context.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _: ssl.SSLContext) -> None:
        try:
            versions = self._versions()
            if versions != self._seen:
                self._context, self._seen = self._load(), versions
        except SettingsError as error:
            # What was good so far is better than nothing.
            log.warning("the certificate has changed and is no good", error=str(error))
        connection.context = self._context

    def _load(self) -> ssl.SSLContext:
        certificate, key, clients = self._paths
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            # A key with a password would ask for it on the terminal, and wait.
            context.load_cert_chain(certificate, key, password="")
            if clients:
                context.load_verify_locations(clients)
                context.verify_mode = ssl.CERT_REQUIRED
        except ssl.SSLError as error:
            raise SettingsError(f"CERTFILE, KEYFILE, CLIENT_CA: {error.reason}") from None
        except OSError as error:
            raise SettingsError(f"CERTFILE, KEYFILE, CLIENT_CA: {error.strerror}") from None
        return context

    def _versions(self) -> tuple[tuple[int, int], ...]:
        try:
            found = [path.stat() for path in self._paths if path]
        except OSError as error:
            raise SettingsError(f"CERTFILE, KEYFILE, CLIENT_CA: {error.strerror}") from None
        return tuple((status.st_ino, status.st_mtime_ns) for status in found)


def certificate_of(settings: Settings) -> Certificate | None:
    """Return the certificate that the settings name; None for plain HTTP.

    Raises:
        SettingsError: if it is no good.
    """
    if not settings.certfile:
        return None
    key = Path(settings.keyfile) if settings.keyfile else None
    clients = Path(settings.client_ca) if settings.client_ca else None
    return Certificate(Path(settings.certfile), key, clients)


def calling_context(certificate: str, key: str, roots: str) -> ssl.SSLContext:
    """Return how to call a server by https that asks callers for a certificate.

    Args:
        certificate: File of the one to show, in PEM.
        key: File of its private key, in PEM; the same file if empty.
        roots: File of roots, in PEM, of the server's own certificate; the system's if empty.

    Raises:
        SettingsError: if a file cannot be read, or does not fit the others.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key or None, password="")
        if roots:
            context.load_verify_locations(roots)
        else:
            context.load_default_certs()
    except ssl.SSLError as error:
        raise SettingsError(f"the certificate to call with: {error.reason}") from None
    except OSError as error:
        raise SettingsError(f"the certificate to call with: {error.strerror}") from None
    return context
