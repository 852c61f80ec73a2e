"""Who a runner is: its key, its certificate, and what it was told when it joined."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from perijove_chassis.join_token import fingerprint_of

from perijove_runner.backends.replacing import replace

if TYPE_CHECKING:
    from pathlib import Path


class Membership(msgspec.Struct, frozen=True):
    """What the file `membership.json` says; whoever starts the runner reads it."""

    runner_id: str
    runner_key: str
    """In hexadecimal digits."""
    target: str
    """Host and port where it joined, and where it announces itself."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The private directory that all of it is kept in."""

    directory: Path

    def membership(self) -> Membership | None:
        """Return what it was told when it joined; None if it has not."""
        try:
            return msgspec.json.decode(self._membership.read_bytes(), type=Membership)
        except FileNotFoundError:
            return None

    def fingerprint(self) -> str:
        """Return the fingerprint of the deployment it belongs to."""
        return fingerprint_of(ssl.PEM_cert_to_DER_cert(self._root.read_text()))

    def holds(self) -> bool:
        """Return whether its certificate has not expired."""
        certificate = x509.load_pem_x509_certificate(self._certificate.read_bytes())
        return datetime.now(UTC) < certificate.not_valid_after_utc

    def request(self, name: str) -> bytes:
        """Return a request for a certificate, with a key that is made once."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
        signed = builder.sign(self._key(), hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.DER)

    def keep(self, membership: Membership, root: str, certificate: bytes) -> None:
        """Keep what it was told."""
        replace(self._root, root.encode())
        replace(self._certificate, certificate)
        self.move(membership)

    def move(self, membership: Membership) -> None:
        """Keep where it is to announce itself from now on."""
        replace(self._membership, msgspec.json.encode(membership))

    def _key(self) -> ec.EllipticCurvePrivateKey:
        path = self.directory / "runner.key"
        try:
            found = serialization.load_pem_private_key(path.read_bytes(), None)
        except FileNotFoundError:
            found = ec.generate_private_key(ec.SECP256R1())
            replace(
                path,
                found.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                ),
            )
        if not isinstance(found, ec.EllipticCurvePrivateKey):
            raise TypeError("the runner's key is of another kind")
        return found

    @property
    def _root(self) -> Path:
        return self.directory / "ca.crt"

    @property
    def _certificate(self) -> Path:
        return self.directory / "runner.crt"

    @property
    def _membership(self) -> Path:
        return self.directory / "membership.json"
