"""TLS between processes: who is who by certificate, and what may go without.

A certificate is made out to whom credentials are for: a callee must show the one of
the name it is called by, at whichever address it is. Hosts have no part in it.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import grpc
import structlog

from perijove_chassis.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perijove_chassis.settings import ServerSettings

log = structlog.get_logger()

SCHEME: Final = "tls:"
"""Begins an address that is served, or dialled, with TLS: `tls:host:port`."""

_PRIVATE: Final = ("unix:", "unix-abstract:")
_DOMAIN: Final = "perijove.internal"
_LABEL_DIGITS: Final = 40


def name_of(audience: str) -> str:
    """Return the DNS name in the certificate of whom credentials for `audience` are for.

    A digest, because names of hosts have no case, few characters and 63 of them.
    """
    digest = hashlib.sha256(audience.encode()).hexdigest()
    return f"{digest[:_LABEL_DIGITS]}.{_DOMAIN}"


@dataclass(frozen=True, slots=True)
class Serving:
    """What a listener shows, and whom it lets in."""

    certificate: Path
    """Certificate, and those above it but for the last, or with it, in PEM."""
    key: Path
    """Its private key."""
    clients: Path | None = None
    """Roots of the certificates that callers must show; none if they need none."""

    def credentials(self) -> grpc.ServerCredentials:
        """Return the credentials for a port. Files that change hold from the next handshake on.

        Raises:
            SettingsError: if a file cannot be read.
        """
        files = _Files(self)
        try:
            first = files.read()
        except OSError as error:
            raise SettingsError(f"a file for TLS cannot be read: {error.strerror}") from None
        # The stubs do not know that it may say that nothing has changed.
        changed = cast("Callable[[], grpc.ServerCertificateConfiguration]", files.changed)
        return grpc.dynamic_ssl_server_credentials(first, changed, self.clients is not None)


class _Files:
    """The files of a listener, read again when they have changed."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._seen: tuple[tuple[int, int], ...] = ()

    def read(self) -> grpc.ServerCertificateConfiguration:
        """Return what the files hold.

        Raises:
            OSError: if one cannot be read.
        """
        serving = self._serving
        self._seen = self._versions()
        pair = (serving.key.read_bytes(), serving.certificate.read_bytes())
        roots = serving.clients.read_bytes() if serving.clients else None
        return grpc.ssl_server_certificate_configuration([pair], roots)

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """Return what the files hold if that is not what was read last."""
        try:
            return None if self._versions() == self._seen else self.read()
        except OSError as error:
            log.warning("a file for TLS cannot be read", error=error.strerror)
            return None

    def _versions(self) -> tuple[tuple[int, int], ...]:
        serving = self._serving
        paths = (serving.certificate, serving.key, serving.clients)
        found = [path.stat() for path in paths if path]
        return tuple((status.st_ino, status.st_mtime_ns) for status in found)


@dataclass(frozen=True, slots=True)
class Dialing:
    """Whom this process takes for a callee, and what it shows to one. Read once."""

    roots: bytes | None = None
    """Roots of the certificates that callees must show; the system's if None."""
    certificate: bytes | None = None
    """What it shows; nothing if None."""
    key: bytes | None = field(default=None, repr=False)

    @classmethod
    def load(cls, roots: str, certificate: str = "", key: str = "") -> Dialing:
        """Read the files that have a path.

        Raises:
            SettingsError: if one cannot be read, or a certificate comes without its key.
        """
        if bool(certificate) != bool(key):
            raise SettingsError("TLS_DIAL_CERT and TLS_DIAL_KEY: one needs the other")
        try:
            found = [Path(p).read_bytes() if p else None for p in (roots, certificate, key)]
        except OSError as error:
            raise SettingsError(f"TLS_DIAL_...: cannot be read: {error.strerror}") from None
        return cls(*found)

    def channel(
        self, target: str, audience: str, options: Sequence[tuple[str, Any]]
    ) -> grpc.aio.Channel:
        """Return a channel to a target without its scheme, on which only `audience` answers."""
        credentials = grpc.ssl_channel_credentials(self.roots, self.key, self.certificate)
        named = (("grpc.ssl_target_name_override", name_of(audience)), *options)
        return grpc.aio.secure_channel(target, credentials, options=named)


def dialing(settings: ServerSettings) -> Dialing:
    """Return how a process with these settings dials.

    Raises:
        SettingsError: if a file cannot be read.
    """
    return Dialing.load(settings.tls_dial_ca, settings.tls_dial_cert, settings.tls_dial_key)


def add_port(server: grpc.aio.Server, address: str, settings: ServerSettings) -> None:
    """Have a server listen on one address, as the settings say.

    Raises:
        SettingsError: if it has no certificate for TLS, or would send plain text to
            other machines without being told to.
    """
    if address.startswith(SCHEME):
        add_tls_port(server, address, _serving(settings))
        return
    if not settings.plain_text and not _stays_here(address):
        raise SettingsError(
            f"LISTEN: {address} is open to other machines: use {SCHEME}{address} and TLS_CERT, "
            "or allow PLAIN_TEXT"
        )
    server.add_insecure_port(address)


def add_tls_port(server: grpc.aio.Server, address: str, serving: Serving) -> None:
    """Have a server listen on an address with TLS.

    Raises:
        SettingsError: if a file cannot be read.
    """
    server.add_secure_port(address.removeprefix(SCHEME), serving.credentials())


def _serving(settings: ServerSettings) -> Serving:
    if not settings.tls_cert or not settings.tls_key:
        raise SettingsError("TLS_CERT and TLS_KEY: needed to listen with TLS")
    clients = Path(settings.tls_client_ca) if settings.tls_client_ca else None
    return Serving(Path(settings.tls_cert), Path(settings.tls_key), clients)


def _stays_here(address: str) -> bool:
    if address.startswith(_PRIVATE):
        return True
    host = address.rpartition(":")[0].removeprefix("dns:///").removeprefix("dns:")
    host = host.removeprefix("ipv4:").removeprefix("ipv6:").strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
