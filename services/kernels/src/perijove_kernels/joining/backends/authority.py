"""The authority of one deployment: it signs who belongs to it.

`cryptography` is imported here, and here only: processes that sign nothing have no use for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from perijove_chassis.credentials import runner_name
from perijove_chassis.errors import InvalidArgument, Unauthenticated
from perijove_chassis.tls import name_of

from perijove_kernels.joining.model import Applicant, Holder

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVER: Final = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT: Final = ExtendedKeyUsageOID.CLIENT_AUTH
LIFETIME: Final = timedelta(days=10 * 365)
"""Of the authority, and of the certificates that are kept beside its key."""

_SKEW: Final = timedelta(hours=1)
"""How late the clocks of other machines may be."""
_MOST_BYTES: Final = 16 * 1024
_REFUSED: Final = "the runner's certificate does not hold"


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """`Authority` with a key of its own."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    lifetime: timedelta
    """Of the certificates of runners."""

    @classmethod
    def load(cls, certificate: bytes, key: bytes, lifetime: timedelta) -> CertificateAuthority:
        """Return the authority with a certificate and key, in PEM."""
        loaded = serialization.load_pem_private_key(key, None)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise TypeError("the key of the authority is of another kind")
        return cls(x509.load_pem_x509_certificate(certificate), loaded, lifetime)

    def applicant(self, request: bytes) -> Applicant:
        """Return who has signed a request for a certificate.

        Raises:
            InvalidArgument: if it is none, is not signed with its own key, or the key
                is of another kind than those used here.
        """
        try:
            found = x509.load_der_x509_csr(request[: _MOST_BYTES + 1])
            names = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            signed, key = found.is_signature_valid, found.public_key()
        except (ValueError, InvalidSignature, UnsupportedAlgorithm):
            raise InvalidArgument("this is no request for a certificate") from None
        if not signed or not _is_usual(key) or len(names) != 1:
            raise InvalidArgument("the request for a certificate does not hold")
        return Applicant(str(names[0].value), _der(key))

    def certify(self, holder: Holder) -> bytes:
        """Return a new certificate for a runner, in PEM."""
        key = serialization.load_der_public_key(holder.public_key)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise InvalidArgument("the key is of another kind than those used here")
        name = runner_name(holder.runner_id)
        return self._sign(holder.runner_id, name, key, [SERVER], self.lifetime)

    def holder(self, certificate: bytes) -> Holder:
        """Return whom a certificate was made out to.

        Raises:
            Unauthenticated: if it is none of this authority's for a runner, or has expired.
        """
        try:
            found = x509.load_pem_x509_certificate(certificate[:_MOST_BYTES])
            found.verify_directly_issued_by(self.certificate)
            runner_id = str(found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
            alternatives = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            names = alternatives.value.get_values_for_type(x509.DNSName)
        except (ValueError, TypeError, IndexError, InvalidSignature, x509.ExtensionNotFound):
            raise Unauthenticated(_REFUSED, reason="NO_CREDENTIAL") from None
        key, now = found.public_key(), datetime.now(UTC)
        if (
            names != [name_of(runner_name(runner_id))]
            or not found.not_valid_before_utc <= now <= found.not_valid_after_utc
            or not _is_usual(key)
        ):
            raise Unauthenticated(_REFUSED, reason="NO_CREDENTIAL")
        return Holder(runner_id, _der(key))

    def issue(self, audience: str, usage: Sequence[x509.ObjectIdentifier]) -> tuple[bytes, bytes]:
        """Return a certificate, with that of the authority, and a new key, in PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(audience, audience, key.public_key(), usage, LIFETIME)
        root = self.certificate.public_bytes(serialization.Encoding.PEM)
        return certificate + root, pem_of(key)

    def _sign(
        self,
        title: str,
        audience: str,
        key: ec.EllipticCurvePublicKey,
        usage: Sequence[x509.ObjectIdentifier],
        lifetime: timedelta,
    ) -> bytes:
        now = datetime.now(UTC)
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = (
            x509.CertificateBuilder()
            .subject_name(_named(title))
            .issuer_name(self.certificate.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SKEW)
            .not_valid_after(min(now + lifetime, self.certificate.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name_of(audience))]), False)
            .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
            .add_extension(above, critical=False)
        )
        signed = builder.sign(self.key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)


def make_root() -> tuple[bytes, bytes]:
    """Return the certificate and the key of a new authority, in PEM."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    name = _named("Perijove pool")
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(own, critical=False)
    )
    certificate = builder.sign(key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM), pem_of(key)


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key as it is kept in a private file."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _named(title: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])


def _is_usual(key: object) -> bool:
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)


def _der(key: object) -> bytes:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise InvalidArgument("the key is of another kind than those used here")
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
